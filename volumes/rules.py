"""Why not: one answer shared by the button, the view and the operation. None means that it may be done."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext, ngettext

from volumes.models import (
    DELETABLE,
    GIB,
    OWNED,
    SNAPSHOT_DELETABLE,
    UNLIMITED,
    Membership,
    Operation,
    Pool,
    Project,
    Snapshot,
    SnapshotStatus,
    Status,
    Volume,
)
from volumes.models.snapshot import NEARLY_FULL_PERCENT

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


def why_not_edit(owned: Volume | Snapshot) -> str | None:
    """The reason name, description and metadata cannot be changed."""
    if owned.status == Status.DELETING:
        return gettext("It is being deleted.")
    return None


@dataclass(frozen=True)
class Leaning:
    """What leans on a volume: its snapshots, those of them that move, and the volumes being copied from it."""

    snapshots: int
    moving: int
    copies: int


def leaning(volume: Volume) -> Leaning:
    """From `Volume.objects.with_leaning()` where a list has asked for all rows at once, else asked here."""
    names = ("snapshot_count", "moving_snapshot_count", "copy_count")
    if names[0] in vars(volume):
        return Leaning(*(vars(volume)[name] for name in names))
    row = Volume.objects.with_leaning().filter(pk=volume.pk).values_list(*names).first()
    return Leaning(*(row or (0, 0, 0)))


def _why_not_now(volume: Volume, allowed: Collection[str], otherwise: str) -> str | None:
    """The reason nothing may be begun on its LV: its own status, or something that leans on it moves."""
    if volume.is_moving:
        return gettext("Wait until it is no longer %(status)s.") % {"status": volume.get_status_display().lower()}
    if volume.status not in allowed:
        return otherwise
    lean = leaning(volume)
    if lean.moving:
        return gettext("Wait until its snapshot is ready or gone.")
    return None


def why_not_extend(volume: Volume) -> str | None:
    """The reason Extend is off. LVM grows a thick volume with snapshots only while nothing has it open."""
    allowed = {Status.AVAILABLE, Status.IN_USE, Status.ERROR_EXTENDING}
    if reason := _why_not_now(volume, allowed, gettext("Only available and in-use volumes can grow.")):
        return reason
    lean = leaning(volume)
    if lean.copies:
        return gettext("It is being copied. Wait until the copy is done.")
    if lean.snapshots and volume.status == Status.IN_USE and volume.pool and not volume.pool.is_thin:
        return gettext("It is in use and has snapshots; a thick volume with snapshots grows only while detached.")
    return None


def why_not_snapshot(volume: Volume) -> str | None:
    """The reason Create Snapshot is off."""
    allowed = {Status.AVAILABLE, Status.IN_USE}
    return _why_not_now(volume, allowed, gettext("Only available and in-use volumes can have snapshots."))


def why_not_clone(volume: Volume) -> str | None:
    """The reason nothing can be copied from it now."""
    allowed = {Status.AVAILABLE, Status.IN_USE}
    return _why_not_now(volume, allowed, gettext("Only available and in-use volumes can be copied."))


def why_not_revert(volume: Volume) -> str | None:
    """The reason Revert is off."""
    if volume.status == Status.IN_USE:
        return gettext("It is in use. Detach it first.")
    allowed = {Status.AVAILABLE, Status.ERROR_REVERTING}
    if reason := _why_not_now(volume, allowed, gettext("Only available volumes can go back to a snapshot.")):
        return reason
    lean = leaning(volume)
    if not lean.snapshots:
        return gettext("It has no snapshots.")
    if lean.copies:
        return gettext("It is being copied. Wait until the copy is done.")
    return None


def why_not_delete(volume: Volume) -> str | None:
    """The reason Delete is off."""
    if volume.status in DELETABLE:
        lean = leaning(volume)
        if lean.copies:
            return gettext("It is being copied. Wait until the copy is done.")
        if lean.moving:
            return gettext("Wait until its snapshot is ready or gone.")
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


def why_not_snapshot_quota(project: Project, size_gib: int) -> str | None:
    """The reason one more snapshot does not fit the project's quota."""
    if project.quota_snapshots != UNLIMITED and project.snapshots.count() >= project.quota_snapshots:
        limit = project.quota_snapshots
        said = ngettext(
            "The quota of %(limit)d snapshot is used up.", "The quota of %(limit)d snapshots is used up.", limit
        )
        return said % {"limit": limit}
    return why_not_grow(project, size_gib)


def why_not_grow(project: Project, gib: int) -> str | None:
    """The reason so many GiB more do not fit the project's quota; it says how much does."""
    if project.quota_gib == UNLIMITED:
        return None
    left = max(0, project.quota_gib - project.used()[1])
    if gib <= left:
        return None
    if left == 0:
        return gettext("The quota of %(limit)d GiB is used up.") % {"limit": project.quota_gib}
    return gettext("The quota has %(left)d GiB left, and this takes %(gib)d GiB.") % {"left": left, "gib": gib}


def _why_not_touch(snapshot: Snapshot) -> str | None:
    """The reason nothing may be begun on a snapshot: it moves, its volume moves, or it is being copied."""
    if snapshot.is_moving:
        return gettext("Wait until it is no longer %(status)s.") % {"status": snapshot.get_status_display().lower()}
    if snapshot.volume.is_moving:
        return gettext("Wait until its volume %(volume)s is no longer %(status)s.") % {
            "volume": snapshot.volume,
            "status": snapshot.volume.get_status_display().lower(),
        }
    if vars(snapshot).get("copy_count", 1):  # a list has counted for all its rows at once
        copy = snapshot.copies.filter(status=Status.CREATING).first()
        if copy is not None:
            return gettext("It is being copied to %(volume)s.") % {"volume": copy}
    return None


def why_not_delete_snapshot(snapshot: Snapshot) -> str | None:
    """The reason Delete is off."""
    if snapshot.status == SnapshotStatus.DELETING:
        return gettext("It is being deleted already.")
    if reason := _why_not_touch(snapshot):
        return reason
    return None if snapshot.status in SNAPSHOT_DELETABLE else gettext("It cannot be deleted now.")


def why_not_copy_snapshot(snapshot: Snapshot) -> str | None:
    """The reason no volume can be made from it."""
    if snapshot.status == SnapshotStatus.INVALID:
        return gettext("Its content is lost: the copy-on-write space overflowed.")
    if snapshot.status != SnapshotStatus.AVAILABLE:
        return gettext("Only available snapshots can be copied.")
    if snapshot.volume.is_moving:
        return _why_not_touch(snapshot)
    return None


def why_not_revert_to(snapshot: Snapshot) -> str | None:
    """The reason its volume cannot be brought back to it."""
    if snapshot.status == SnapshotStatus.INVALID:
        return gettext("Its content is lost: the copy-on-write space overflowed.")
    if snapshot.status != SnapshotStatus.AVAILABLE:
        return gettext("Only an available snapshot can be gone back to.")
    if reason := _why_not_touch(snapshot):
        return reason
    if snapshot.size_gib != snapshot.volume.size_gib:
        return gettext(
            "The volume has grown since, from %(then)d to %(now)d GiB. Make a new volume from it instead."
        ) % {
            "then": snapshot.size_gib,
            "now": snapshot.volume.size_gib,
        }
    return why_not_revert(snapshot.volume)


def why_not_retry(operation: Operation) -> str | None:
    """The reason Retry is off."""
    if not operation.is_finished:
        return gettext("It is still under way.")
    if operation.status == Operation.Status.SUCCEEDED:
        return gettext("It succeeded.")
    if operation.target_kind in OWNED:
        owned = OWNED[operation.target_kind].objects.filter(pk=operation.target).first()
        if owned is None:
            return gettext("%(name)s is gone.") % {"name": operation.target_name}
        if owned.last_operation_id != operation.pk:
            return gettext("Something else has been done to %(name)s since.") % {"name": owned}
        if not owned.is_bad and operation.verb.startswith(("create_", "clone_")):
            return gettext("%(name)s is %(status)s.") % {"name": owned, "status": owned.get_status_display().lower()}
    return None


def why_not_cancel(operation: Operation) -> str | None:
    """The reason Cancel is off."""
    if operation.is_finished:
        return gettext("It is over.")
    if operation.cancel_asked_at is not None:
        return gettext("It is being cancelled.")
    return None


def why_not_touch_pool(pool: Pool, *, retried: Operation | None = None) -> str | None:
    """The reason nothing may be begun on a pool as a whole."""
    if not pool.node.is_up:
        return gettext("Its node does not answer.")
    if not pool.present or pool.facts_at is None:
        return pool.missing_reason or gettext("It was not found on the node.")
    others = Operation.objects.unfinished().filter(target_kind="pool", target_id=pool.pk)
    if retried is not None:
        others = others.exclude(pk=retried.pk)
    if running := others.first():
        return gettext("Wait until this is done: %(what)s.") % {"what": running.title}
    return None


def why_not_scrub(pool: Pool, *, retried: Operation | None = None) -> str | None:
    """The reason Scrub is off: it takes every free extent, so whoever may need one soon stands in its way."""
    if pool.is_thin:
        return gettext("A thin pool hands out zeroed blocks only, so there is nothing to scrub.")
    if reason := why_not_touch_pool(pool, retried=retried):
        return reason
    if pool.free_bytes < pool.extent_size_bytes:
        return gettext("It has no free extent.")
    grows = Volume.objects.filter(pool=pool, status__in=(Status.CREATING, Status.EXTENDING)).exists()
    if grows or Snapshot.objects.filter(volume__pool=pool, status=SnapshotStatus.CREATING).exists():
        return gettext("Wait until what is being made or grown in it is ready.")
    full = Snapshot.objects.filter(
        volume__pool=pool, status=SnapshotStatus.AVAILABLE, snap_percent__gte=NEARLY_FULL_PERCENT
    ).first()
    if full is not None:
        said = gettext(
            "Snapshot %(name)s is %(percent).0f %% full, and could not grow meanwhile. Delete or extend it first."
        )
        return said % {"name": full, "percent": full.snap_percent or 0}
    for thin in Pool.objects.filter(node=pool.node, vg_name=pool.vg_name).exclude(thin_pool_name=""):
        if max(thin.data_percent or 0, thin.metadata_percent or 0) >= NEARLY_FULL_PERCENT:
            said = gettext("Thin pool %(name)s in it is nearly full, and could not grow meanwhile. Extend it first.")
            return said % {"name": thin.thin_pool_name}
    return None


_RESERVED = re.compile(
    r"^(snapshot|pvmove|volume-|snap-|scrub-|grow-|clone-)|^\.{1,2}$"
    r"|_([ctv]data|[ct]meta|corig|mlog|mimage|pmspare|rimage|rmeta|vorigin|imeta|iorig|wcorig|cvol)"
)


def why_not_lv_name(name: str) -> str | None:
    """The reason an LV cannot be given this name by a person."""
    if not re.fullmatch(r"[A-Za-z0-9_+.][A-Za-z0-9_+.-]{0,99}", name):
        return gettext("A name of an LV is made of letters, digits and _ + . -, and does not begin with a dash.")
    if _RESERVED.search(name):
        return gettext("LVM, or Hearth, keeps names like this for itself.")
    return None


def why_not_adopt(lv: Mapping[str, Any], all_lvs: Iterable[Mapping[str, Any]], vg_name: str) -> str | None:
    """The reason an LV cannot become a volume. `lv` and `all_lvs` are as the facts of a pool list them."""
    name = f"{vg_name}/{lv['name']}"
    kind, segtype, origin = lv.get("attr", "-")[:1], lv["segtype"], lv.get("origin", "")
    if lv["hearth_id"] or any(tag.partition(".")[0] == "hearth" for tag in lv.get("tags", ())):
        return gettext("It carries a tag of Hearth.")
    if segtype == "thin-pool":
        return gettext("It is a thin pool. Register it as a pool of its own.")
    if kind in "sS" or origin:
        return gettext("It is a snapshot of %(origin)s.") % {"origin": origin}
    snapshots = sorted(other["name"] for other in all_lvs if other.get("origin") == lv["name"])
    if snapshots or kind in "oO":
        return gettext("It has snapshots: %(names)s.") % {"names": ", ".join(snapshots) or "?"}
    if segtype not in {"linear", "thin"} or kind not in "-V":
        return gettext("It is of the kind %(kind)s; only linear and thin LVs can be volumes.") % {"kind": segtype}
    if lv.get("attr", "-w")[1:2] != "w":
        return gettext("It can only be read. If that may change: lvchange --permission rw %(lv)s") % {"lv": name}
    if lv["open"]:
        return gettext("It is in use on the node. Unmount it, or stop what uses it, first.")
    return _why_not_whole(lv["size_bytes"], name)


def _why_not_whole(size_bytes: int, name: str) -> str | None:
    """Volumes have whole GiB."""
    over = size_bytes % GIB
    if not over:
        return None
    words = {"size": f"{size_bytes / GIB:.2f}", "lv": name, "gib": size_bytes // GIB + 1}
    said = gettext("It has %(size)s GiB, and a volume has whole GiB. To round it up: lvextend --size %(gib)dg %(lv)s")
    return said % words


def why_not_release(volume: Volume) -> str | None:
    """The reason Release is off."""
    if volume.status == Status.IN_USE:
        return gettext("It is in use. Detach it first.")
    if reason := _why_not_now(volume, {Status.AVAILABLE}, gettext("Only available volumes can be released.")):
        return reason
    lean = leaning(volume)
    if lean.snapshots:
        return gettext("It has snapshots. Delete them first: Hearth would no longer know what they lean on.")
    if lean.copies:
        return gettext("It is being copied. Wait until the copy is done.")
    return None


def why_not_create_thin_pool(pool: Pool, *, retried: Operation | None = None) -> str | None:
    """The reason no thin pool can be made in a volume group."""
    if pool.is_thin:
        return gettext("A thin pool is made in a volume group, not in another thin pool.")
    return why_not_touch_pool(pool, retried=retried)


def why_not_extend_thin_pool(pool: Pool, *, retried: Operation | None = None) -> str | None:
    """The reason a thin pool cannot be made larger."""
    if not pool.is_thin:
        return gettext("A volume group grows by a disk: `vgextend` on the node.")
    if reason := why_not_touch_pool(pool, retried=retried):
        return reason
    scrub = Operation.objects.unfinished().filter(target_kind="pool", verb="scrub_pool")
    if scrub.filter(target_id__in=Pool.objects.filter(node=pool.node, vg_name=pool.vg_name).values("pk")).exists():
        return gettext("The free space of %(vg)s is being scrubbed; until that is done there is no room.") % {
            "vg": pool.vg_name
        }
    if pool.facts.get("vg_free_bytes", 0) < pool.extent_size_bytes:
        return gettext("%(vg)s has no free extent. Add a disk to it, or delete volumes in it.") % {"vg": pool.vg_name}
    return None
