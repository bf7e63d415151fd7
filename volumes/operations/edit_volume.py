"""Edit Volume: name, description and metadata. Nothing on a node changes, so there is no operation."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext

from volumes import rules
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import Status, StatusChange, User, Volume


def request(
    volume: Volume,
    *,
    actor: User,
    name: str,
    description: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Change what people wrote about it. Raises Conflict when it began to be deleted meanwhile."""
    if not rules.may_act(actor, volume.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    if reason := rules.why_not_edit(volume):
        raise Refused(reason)
    fields = {"name": name, "description": description}
    changed = [
        f"{field}: {getattr(volume, field)!r} > {new!r}"
        for field, new in fields.items()
        if getattr(volume, field) != new
    ]
    if metadata is not None and dict(metadata) != volume.metadata:
        changed.append(gettext("metadata"))
    with transaction.atomic():
        rows = Volume.objects.filter(pk=volume.pk).exclude(status=Status.DELETING)
        extra = {"metadata": dict(metadata)} if metadata is not None else {}
        if not rows.update(**fields, **extra):
            raise Conflict(gettext("It is being deleted."))
        volume.refresh_from_db()
        if changed:
            StatusChange.objects.create(
                kind="volume",
                object_id=volume.pk,
                project=volume.project,
                from_status=volume.status,
                to_status=volume.status,
                why=gettext("Edited: %(what)s.") % {"what": ", ".join(changed)},
                actor=actor,
            )
