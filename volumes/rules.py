"""Why not: one answer shared by the button, the view and the operation. None means that it may be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext, ngettext

from volumes.models import DELETABLE, UNLIMITED, Membership, Operation, Project, Status, Volume

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from volumes.models import User


def may_act(user: User | AnonymousUser, project: Project | None) -> bool:
    """Whether this person may change things in this project."""
    if not user.is_authenticated:
        return False
    if user.is_administrator or project is None:
        return user.is_administrator
    return Membership.objects.filter(user=user, project=project, role=Membership.Role.MEMBER).exists()


def why_not_act(user: User | AnonymousUser, project: Project | None) -> str | None:
    """The reason every button is off for a reader."""
    if may_act(user, project):
        return None
    return gettext("You may look at this project, but not change it.")


def why_not_create(project: Project, *, size_gib: int = 1, count: int = 1) -> str | None:
    """The reason these volumes do not fit the project's quota; it says how much does."""
    used_count, used_gib = project.used()
    if project.quota_volumes != UNLIMITED and used_count + count > project.quota_volumes:
        left = max(0, project.quota_volumes - used_count)
        if left == 0:
            limit = project.quota_volumes
            said = ngettext(
                "The quota of %(limit)d volume is used up.", "The quota of %(limit)d volumes is used up.", limit
            )
            return said % {"limit": limit}
        said = ngettext(
            "The quota leaves room for %(left)d more volume, not %(count)d.",
            "The quota leaves room for %(left)d more volumes, not %(count)d.",
            left,
        )
        return said % {"left": left, "count": count}
    if project.quota_gib != UNLIMITED and used_gib + size_gib * count > project.quota_gib:
        left = max(0, project.quota_gib - used_gib)
        if left == 0:
            return gettext("The quota of %(limit)d GiB is used up.") % {"limit": project.quota_gib}
        if count == 1:
            return gettext("The quota has %(left)d GiB left, so at most %(left)d GiB.") % {"left": left}
        return gettext("The quota has %(left)d GiB left: at most %(each)d GiB for each of %(count)d volumes.") % {
            "left": left,
            "each": left // count,
            "count": count,
        }
    return None


def why_not_edit(volume: Volume) -> str | None:
    """The reason name, description and metadata cannot be changed."""
    if volume.status == Status.DELETING:
        return gettext("It is being deleted.")
    return None


def why_not_delete(volume: Volume) -> str | None:
    """The reason Delete is off."""
    if volume.status in DELETABLE:
        return None
    if volume.status == Status.IN_USE:
        return gettext("It is in use. Detach it first.")
    if volume.status == Status.ERROR_DETACHING:
        return gettext("It may still be attached. Finish detaching it first.")
    if volume.status == Status.DELETING:
        return gettext("It is being deleted already.")
    if volume.status == Status.AWAITING_TRANSFER:
        return gettext("It waits to be transferred. Cancel the transfer first.")
    return gettext("Wait until it is no longer %(status)s.") % {"status": volume.get_status_display().lower()}


def why_not_retry(operation: Operation) -> str | None:
    """The reason Retry is off."""
    if not operation.is_finished:
        return gettext("It is still under way.")
    if operation.status == Operation.Status.SUCCEEDED:
        return gettext("It succeeded.")
    if operation.target_kind == "volume":
        volume = Volume.objects.filter(pk=operation.target).first()
        if volume is None:
            return gettext("The volume is gone.")
        if volume.last_operation_id != operation.pk:
            return gettext("Something else has been done to the volume since.")
        if not volume.is_bad and operation.verb != "delete_volume":
            return gettext("The volume is %(status)s.") % {"status": volume.get_status_display().lower()}
    return None


def why_not_cancel(operation: Operation) -> str | None:
    """The reason Cancel is off."""
    if operation.is_finished:
        return gettext("It is over.")
    if operation.cancel_asked_at is not None:
        return gettext("It is being cancelled.")
    return None
