"""Edit a volume or a snapshot: name, description and metadata. Nothing on a node changes, so there is no operation."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext

from volumes import rules
from volumes.errors import Conflict, NotAllowed, Refused
from volumes.models import Status, User
from volumes.operations.common import Owned


def request(
    owned: Owned,
    *,
    actor: User,
    name: str,
    description: str,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Change what people wrote about it. Raises Conflict when it began to be deleted meanwhile."""
    if not rules.may_act(actor, owned.project):
        raise NotAllowed(gettext("You may look at this project, but not change it."))
    if reason := rules.why_not_edit(owned):
        raise Refused(reason)
    fields = {"name": name, "description": description}
    changed = [
        f"{field}: {getattr(owned, field)!r} > {new!r}" for field, new in fields.items() if getattr(owned, field) != new
    ]
    if metadata is not None and dict(metadata) != owned.metadata:
        changed.append(gettext("metadata"))
    with transaction.atomic():
        rows = type(owned).objects.filter(pk=owned.pk).exclude(status=Status.DELETING)
        extra = {"metadata": dict(metadata)} if metadata is not None else {}
        if not rows.update(**fields, **extra):
            raise Conflict(gettext("It is being deleted."))
        owned.refresh_from_db()
        if changed:
            why = gettext("Edited: %(what)s.") % {"what": ", ".join(changed)}
            owned.remember(owned.status, owned.status, why=why, actor=actor)
