"""Delete several volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.models import Operation, User, Volume
from volumes.operations import delete_volume
from volumes.operations.delete_volume import Planned
from volumes.views import delete_many

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
def volumes_delete(request: Request) -> HttpResponse:
    """Ask, then do it."""
    return delete_many.page(request, Volumes())


def why_not_delete(volume: Volume) -> str | None:
    """As the rules say; and where several are deleted at once, no snapshot is taken along unseen."""
    if reason := rules.why_not_delete(volume):
        return reason
    names = [str(snapshot) for snapshot in volume.snapshots.order_by("-created_at", "id")[:4]]
    if not names:
        return None
    count = volume.snapshots.count()
    said = ngettext(
        "%(n)d snapshot depends on it: %(names)s. Delete it by itself, and tick what goes along.",
        "%(n)d snapshots depend on it: %(names)s. Delete it by itself, and tick what goes along.",
        count,
    )
    return said % {"n": count, "names": ", ".join(names[:3]) + ("…" if count > 3 else "")}


class Volumes:
    """The words, and what is done to each."""

    @property
    def back(self) -> str:
        """The list."""
        return reverse("volumes")

    def rows(self, request: Request) -> QuerySet[Volume]:
        """Those the person may see."""
        return Volume.objects.visible_to(request.user).select_related("project", "pool__node")

    def why_not(self, volume: Volume) -> str | None:
        """The reason it stays."""
        return why_not_delete(volume)

    def plan(self, volume: Volume) -> list[Planned]:
        """What would happen to it."""
        return delete_volume.plan(volume)

    def request(self, volume: Volume, actor: User) -> Operation:
        """Ask for it."""
        return delete_volume.request(volume, actor=actor)

    def question(self, count: int) -> str:
        """The title of the dialog."""
        return ngettext("Delete %(n)d volume?", "Delete %(n)d volumes?", count) % {"n": count}

    def button(self, count: int) -> str:
        """The red button."""
        return ngettext("Delete %(n)d volume", "Delete %(n)d volumes", count) % {"n": count}

    def said(self, count: int) -> str:
        """When all of them were asked for."""
        return ngettext("Deleting %(n)d volume.", "Deleting %(n)d volumes.", count) % {"n": count}

    def warning(self) -> str:
        """What it means."""
        return _(
            "Each is wiped as its pool says and removed; a node does a few at a time. Afterwards their bytes cannot be "
            "brought back."
        )

    def return_word(self) -> str:
        """The way back to the list."""
        return _("Back to the volumes")
