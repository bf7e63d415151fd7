"""Delete several snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from volumes import rules
from volumes.models import Operation, Snapshot, User
from volumes.operations import delete_snapshot
from volumes.operations.delete_volume import Planned
from volumes.views import delete_many, snapshot

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from volumes.views.access import Request


@require_http_methods(["GET", "HEAD", "POST"])
def snapshots_delete(request: Request) -> HttpResponse:
    """Ask, then do it."""
    return delete_many.page(request, Snapshots())


class Snapshots:
    """The words, and what is done to each."""

    @property
    def back(self) -> str:
        """The list."""
        return reverse("snapshots")

    def rows(self, request: Request) -> QuerySet[Snapshot]:
        """Those the person may see."""
        return Snapshot.objects.visible_to(request.user).select_related("project", "volume__pool__node")

    def why_not(self, owned: Snapshot) -> str | None:
        """The reason it stays."""
        return rules.why_not_delete_snapshot(owned)

    def plan(self, owned: Snapshot) -> list[Planned]:
        """What would happen to it."""
        return snapshot.plan(owned)

    def request(self, owned: Snapshot, actor: User) -> Operation:
        """Ask for it."""
        return delete_snapshot.request(owned, actor=actor)

    def question(self, count: int) -> str:
        """The title of the dialog."""
        return ngettext("Delete %(n)d snapshot?", "Delete %(n)d snapshots?", count) % {"n": count}

    def button(self, count: int) -> str:
        """The red button."""
        return ngettext("Delete %(n)d snapshot", "Delete %(n)d snapshots", count) % {"n": count}

    def said(self, count: int) -> str:
        """When all of them were asked for."""
        return ngettext("Deleting %(n)d snapshot.", "Deleting %(n)d snapshots.", count) % {"n": count}

    def warning(self) -> str:
        """What it means."""
        return _("Their volumes stay as they are. What the snapshots hold cannot be brought back.")

    def return_word(self) -> str:
        """The way back to the list."""
        return _("Back to the snapshots")
