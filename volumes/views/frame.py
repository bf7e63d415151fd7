"""The frame around every page: who, where to, what moves. Nothing is asked of the database before a template asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from volumes.models import User
from volumes.views import access, activity, attention

if TYPE_CHECKING:
    from uuid import UUID

    from volumes.models import Project
    from volumes.views.access import Request

SLOW_S = 15
"""Seconds between two looks at pages whose facts come in by themselves: nodes, pools, overview."""


@dataclass
class Item:
    """One entry of the navigation. `bad` and `warn` are counts that replace `count` when somebody is needed."""

    url: str
    title: str
    icon: str
    count: int | None = None
    bad: int = 0
    bad_word: str = ""
    warn: int = 0
    current: bool = False


@dataclass
class Group:
    """A heading of the navigation."""

    key: str
    title: str
    items: list[Item]


class Frame:
    """The frame of one request."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.user = request.user
        self.version = settings.VERSION

    @classmethod
    def of(cls, request: HttpRequest) -> Frame:
        """One frame a request, shared by view and templates."""
        if not hasattr(request, "_frame"):
            request._frame = cls(cast("Request", request))  # type: ignore[attr-defined]
        return cast("Frame", request._frame)  # type: ignore[attr-defined]

    # Who -------------------------------------------------------------------------------------------------------------------
    @cached_property
    def is_administrator(self) -> bool:
        """Whether the infrastructure is shown."""
        return self.user.is_authenticated and self.user.is_administrator

    @property
    def person(self) -> str:
        """What to call them."""
        return self.user.get_full_name() or self.user.get_username()

    @property
    def initials(self) -> str:
        """Two letters for the corner."""
        words = self.person.replace(".", " ").replace("-", " ").split()
        return ("".join(word[0] for word in words[:2]) if len(words) > 1 else self.person[:2]).upper()

    @property
    def role_sentence(self) -> str:
        """Their part in the current project."""
        if self.is_administrator:
            return _("Administrator of this installation")
        if self.project is None:
            return _("In no project yet")
        role = getattr(self.project, "role", None)
        name = {"project": self.project.name}
        return _("Member of %(project)s") % name if role == "member" else _("Reader of %(project)s") % name

    @property
    def projects(self) -> list[Project]:
        """Those they may switch to."""
        return access.projects(self.request) if self.user.is_authenticated else []

    @property
    def project(self) -> Project | None:
        """The one they are in."""
        return access.current(self.request) if self.user.is_authenticated else None

    @cached_property
    def actable(self) -> set[UUID | None]:
        """The projects in which they may do more than look; None stands for the machines themselves."""
        may = {project.pk for project in self.projects if getattr(project, "role", None) in {"administrator", "member"}}
        return {*may, None} if self.is_administrator else {*may}

    # How it looks ------------------------------------------------------------------------------------------------------------
    @cached_property
    def theme(self) -> str:
        """The person's own, or the browser's while nobody is logged in."""
        wanted = self.user.theme if self.user.is_authenticated else self.request.COOKIES.get("theme", "")
        return wanted if wanted in User.Theme.values else User.Theme.AUTO.value

    @property
    def next_theme(self) -> str:
        """What the button in the corner changes to."""
        return {"auto": "dark", "dark": "light", "light": "auto"}[self.theme]

    @property
    def theme_icon(self) -> str:
        """The present theme as a picture."""
        return {"auto": "brightness", "dark": "moon", "light": "sun"}[self.theme]

    @property
    def theme_sentence(self) -> str:
        """The label of that button."""
        words = {"auto": _("like the system"), "dark": _("dark"), "light": _("light")}
        return _("Theme: %(now)s. Change to %(then)s") % {"now": words[self.theme], "then": words[self.next_theme]}

    @property
    def slim(self) -> bool:
        """Whether the sidebar is folded to a rail."""
        return self.request.COOKIES.get("slim") == "1"

    @cached_property
    def dock(self) -> activity.Dock | None:
        """The activity dock, when it is open."""
        show = activity.shown(self.request)
        return activity.dock(self.request, show) if show else None

    # What moves --------------------------------------------------------------------------------------------------------------
    @cached_property
    def running_count(self) -> int:
        """Operations under way."""
        return activity.running(self.user).count()

    @cached_property
    def failed_count(self) -> int:
        """Operations that failed and wait for somebody."""
        return activity.failed(self.user).count()

    @property
    def moving(self) -> int:
        """How much on this page changes by itself. A view that shows something moving says so, lest the two queries disagree."""
        return max(self.running_count, self.here)

    @property
    def here(self) -> int:
        """How many of the things this very page is about move."""
        return int(getattr(self.request, "moving", 0))

    @property
    def poll_url(self) -> str:
        """Where this page's moving parts come from: the page itself."""
        query = self.request.GET.copy()
        query.pop("rows", None)
        query.pop("waiting", None)
        if getattr(self.request, "waiting", False):
            query["waiting"] = "1"
        return f"{self.request.path}?{query.urlencode()}" if query else self.request.path

    @property
    def every(self) -> int:
        """Seconds between two looks while nothing moves, for pages whose facts come in by themselves."""
        return SLOW_S if getattr(self.request, "slow_poll", False) else 0

    # Where to ------------------------------------------------------------------------------------------------------------------
    @cached_property
    def navigation(self) -> list[Group]:
        """The sidebar."""
        groups = [Group("project", _("Project"), self._project_items())]
        if self.is_administrator:
            groups.append(Group("infrastructure", _("Infrastructure"), self._infrastructure_items()))
        for group in groups:
            for item in group.items:
                item.current = self._is_here(item.url)
        return groups

    def _is_here(self, url: str) -> bool:
        path = self.request.path
        if url == reverse("overview"):
            return path == url
        if path.startswith("/operations/"):
            return url == reverse("all-operations" if self.is_administrator else "operations")
        return path.startswith(url)

    def _project_items(self) -> list[Item]:
        volumes = self.project.volumes.count() if self.project else None
        snapshots = self.project.snapshots.count() if self.project else None
        items = [
            Item(reverse("overview"), _("Overview"), "layout-dashboard"),
            Item(reverse("volumes"), _("Volumes"), "database", volumes),
            Item(reverse("snapshots"), _("Snapshots"), "camera", snapshots),
            Item(reverse("operations"), _("Operations"), "list-check"),
        ]
        if not self.is_administrator:
            items[-1].bad, items[-1].bad_word = self.failed_count, _("failed")
        return items

    def _infrastructure_items(self) -> list[Item]:
        nodes, pools = attention.infrastructure()
        return [
            Item(
                reverse("nodes"),
                _("Nodes"),
                "server",
                len(nodes),
                bad=sum(1 for node in nodes if attention.is_down(node)),
                bad_word=_("cannot be reached or used"),
            ),
            Item(
                reverse("pools"),
                _("Pools"),
                "stack-2",
                len(pools),
                warn=sum(1 for pool in pools if attention.of_pool(pool)),
            ),
            Item(
                reverse("all-operations"),
                _("All operations"),
                "list-check",
                bad=self.failed_count,
                bad_word=_("failed"),
            ),
        ]
