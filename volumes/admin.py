# mypy: disable-error-code="type-arg"
"""Django admin: set-up by administrators. What the engine writes is shown and cannot be edited."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from volumes.models import Drift, Membership, Node, Operation, Pool, Project, Snapshot, StatusChange, Step, User, Volume

admin.site.site_header = admin.site.site_title = _("Hearth administration")
admin.site.unregister(Group)


class ReadOnly(admin.ModelAdmin):
    """Rows that only Hearth itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


class MembershipInline(admin.TabularInline):
    """Who may do what in the project."""

    model = Membership
    extra = 1


@admin.register(Project)
class ProjectAdmin(admin.ModelAdmin):
    """Projects, their members and quotas."""

    list_display = ("name", "description", "quota_volumes", "quota_gib", "quota_snapshots")
    search_fields = ("name",)
    inlines = (MembershipInline,)


@admin.register(User)
class PersonAdmin(UserAdmin):
    """People. Superusers run the installation."""

    list_display = ("username", "email", "is_superuser", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Person"), {"fields": ("first_name", "last_name", "email", "theme", "page_size")}),
        (_("Access"), {"fields": ("is_active", "is_staff", "is_superuser")}),
        (_("Times"), {"fields": ("last_login", "date_joined")}),
    )


@admin.register(Node)
class NodeAdmin(admin.ModelAdmin):
    """Nodes. The wizard confirms host keys more safely than pasting one here does."""

    list_display = ("name", "address", "ssh_port", "zone", "state", "enabled")
    list_filter = ("state", "enabled", "zone")
    search_fields = ("name", "address")
    readonly_fields = ("state", "state_reason", "last_seen_at", "facts_at", "facts", "wipe_rate_mib_s")


@admin.register(Pool)
class PoolAdmin(admin.ModelAdmin):
    """Pools and what is promised about their bytes."""

    list_display = ("label", "kind", "wipe_method", "free_space_is_clean", "enabled", "present")
    list_filter = ("enabled", "present", "wipe_method")
    list_select_related = ("node",)
    readonly_fields = (
        "free_space_is_clean",  # set on the pool's page, which notices what the engine learnt meanwhile
        "vg_uuid",
        "present",
        "missing_reason",
        "facts_at",
        "facts",
        "size_bytes",
        "free_bytes",
        "extent_size_bytes",
        "data_percent",
        "metadata_percent",
    )


@admin.register(Volume)
class VolumeAdmin(ReadOnly):
    """Volumes, of all projects."""

    list_display = ("__str__", "project", "size_gib", "status", "pool")
    list_filter = ("status", "project")
    search_fields = ("name", "id")


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnly):
    """Snapshots, of all projects."""

    list_display = ("__str__", "volume", "project", "size_gib", "status")
    list_filter = ("status", "project")
    list_select_related = ("volume", "project")
    search_fields = ("name", "id")


@admin.register(Operation)
class OperationAdmin(ReadOnly):
    """Operations, with the traceback of those that errored."""

    list_display = ("title", "status", "project", "actor_name", "created_at", "finished_at")
    list_filter = ("status", "verb")
    search_fields = ("id", "target_name")


admin.site.register([Step, StatusChange, Drift], ReadOnly)
