"""Who sees what: the current project, and getters that answer 404 to strangers and 403 to readers."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from volumes import rules
from volumes.models import Operation, Project, Snapshot, Volume

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from volumes.models import User

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)


class Request(HttpRequest):
    """A request of somebody who is logged in (the middleware lets nobody else through)."""

    user: User
    htmx: HtmxDetails


View = Callable[Concatenate[Request, P], R]


def administrators_only(view: View[P, R]) -> View[P, R]:
    """Infrastructure is the administrators' business."""

    @wraps(view)
    def guarded(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not request.user.is_administrator:
            raise PermissionDenied(gettext("Only administrators may see nodes and pools."))
        return view(request, *args, **kwargs)

    return guarded


def projects(request: Request) -> list[Project]:
    """The projects this person may switch to, by name, asked once a request; each knows the person's `role`."""
    if not hasattr(request, "_projects"):
        found = list(Project.objects.visible_to(request.user))
        roles = dict(request.user.memberships.values_list("project_id", "role"))
        for project in found:
            role = "administrator" if request.user.is_administrator else roles.get(project.pk)
            project.role = role  # type: ignore[attr-defined]
        request._projects = found  # type: ignore[attr-defined]
    return cast("list[Project]", request._projects)  # type: ignore[attr-defined]


def current(request: Request) -> Project | None:
    """The project switched to, or else the first one; None for a person who is in none."""
    found = projects(request)
    return next((p for p in found if p.pk == request.user.current_project_id), next(iter(found), None))


def current_project(request: Request) -> Project:
    """The current project; 404 when the person is in none."""
    project = current(request)
    if project is None:
        raise Http404(gettext("You are in no project yet. Ask an administrator to add you to one."))
    return project


def may_act(request: Request, project: Project | None) -> bool:
    """As the rules say; asked once a request for each project."""
    known = cast("dict[UUID | None, bool]", request.__dict__.setdefault("_may_act", {}))
    key = project.pk if project else None
    if key not in known:
        known[key] = rules.may_act(request.user, project)
    return known[key]


def why_not_act(request: Request, project: Project | None) -> str | None:
    """The excuse of every button on a reader's page."""
    return None if may_act(request, project) else gettext("You may look at this project, but not change it.")


def must_act(request: Request, project: Project | None) -> None:
    """403 for readers."""
    if reason := why_not_act(request, project):
        raise PermissionDenied(reason)


def get_volume(request: Request, volume_id: UUID, *, act: bool = False, leaning: bool = False) -> Volume:
    """A volume the person may see, or may act on; for a page, with what leans on it at that moment."""
    visible = Volume.objects.visible_to(request.user)
    found = visible.with_leaning() if leaning else visible
    volume = found.select_related("project", "pool__node", "created_by", "last_operation").filter(pk=volume_id).first()
    if volume is None:
        raise Http404(no_such_volume())
    if act:
        must_act(request, volume.project)
    return volume


def no_such_volume() -> str:
    """What a stranger reads."""
    return gettext("There is no such volume, or it is not yours to see.")


def get_snapshot(request: Request, snapshot_id: UUID, *, act: bool = False) -> Snapshot:
    """A snapshot the person may see, or may act on."""
    related = ("project", "volume__project", "volume__pool__node", "created_by", "last_operation")
    snapshot = Snapshot.objects.visible_to(request.user).select_related(*related).filter(pk=snapshot_id).first()
    if snapshot is None:
        raise Http404(no_such_snapshot())
    if act:
        must_act(request, snapshot.project)
    return snapshot


def no_such_snapshot() -> str:
    """What a stranger reads."""
    return gettext("There is no such snapshot, or it is not yours to see.")


def get_operation(request: Request, operation_id: UUID, *, act: bool = False) -> Operation:
    """An operation the person may see, or may act on."""
    operation = (
        Operation.objects.visible_to(request.user)
        .select_related("project", "node", "actor")
        .filter(pk=operation_id)
        .first()
    )
    if operation is None:
        raise Http404(gettext("There is no such operation, or it is not yours to see."))
    if act:
        must_act(request, operation.project)
    return operation
