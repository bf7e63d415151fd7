"""What people choose for themselves: project, theme, page size, columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from volumes import tables
from volumes.forms import PreferencesForm
from volumes.models import User
from volumes.views import access, acting

if TYPE_CHECKING:
    from volumes.views.access import Request

YEAR_S = 31_536_000
LISTS = {"volumes": tables.Volumes, "snapshots": tables.Snapshots, "operations": tables.Operations}


@require_POST
def project_switch(request: Request) -> HttpResponse:
    """To another of the person's projects; 404 for those that are not theirs."""
    try:
        wanted = UUID(request.POST.get("project", ""))
    except ValueError:
        raise Http404(_("There is no such project.")) from None
    project = next((each for each in access.projects(request) if each.pk == wanted), None)
    if project is None:
        raise Http404(_("There is no such project, or you are not in it."))
    request.user.current_project = project
    request.user.save(update_fields=["current_project"])
    return redirect(acting.safe_next(request, reverse("overview")))


@login_not_required
@require_POST
def theme(request: Request) -> HttpResponse:
    """Light, dark or like the system; kept with the person, and in a cookie for the login page."""
    wanted = request.POST.get("theme", "")
    if wanted not in User.Theme.values:
        wanted = User.Theme.AUTO
    request.COOKIES["theme"] = wanted
    if request.user.is_authenticated:
        request.user.theme = wanted
        request.user.save(update_fields=["theme"])
    if request.htmx:
        response = render(request, "frame/theme.html")
        response["HX-Trigger"] = json.dumps({"hearth:theme": {"value": wanted}})
    else:
        response = redirect(acting.safe_next(request, reverse("overview")))
    response.set_cookie("theme", wanted, max_age=YEAR_S, samesite="Lax")
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: Request) -> HttpResponse:
    """Rows per page and theme."""
    form = PreferencesForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        response: HttpResponse = redirect("preferences")
        response.set_cookie("theme", request.user.theme, max_age=YEAR_S, samesite="Lax")
        return response
    return render(request, "people/preferences.html", {"form": form})


@require_POST
def columns(request: Request, name: str) -> HttpResponse:
    """Which columns of a list to show, or how many rows."""
    if name not in LISTS:
        raise Http404(_("There is no such list."))
    rows = request.POST.get("rows", "")
    if rows.isascii() and rows.isdigit() and 1 <= int(rows) <= 1000:
        request.user.page_size = int(rows)
    if "columns" in request.POST:
        table = LISTS[name]
        may_hide = [key for key, found in table.base_columns.items() if found.hideable]
        wanted = request.POST.getlist("columns")
        others = [key for key in request.user.hidden_columns if not key.startswith(f"{name}.")]
        request.user.hidden_columns = others + [f"{name}.{key}" for key in may_hide if key not in wanted]
    request.user.save(update_fields=["page_size", "hidden_columns"])
    return redirect(acting.safe_next(request, reverse(name)))
