"""What every action does: a page that is also a dialog, an answer that suits both, refusals that keep the input."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from volumes.errors import Refused

if TYPE_CHECKING:
    from volumes.views.access import Request


def safe_next(request: Request, default: str) -> str:
    """Where to go afterwards: where the person came from, if that is one of our pages."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return default


def done(request: Request, said: str, where: str, rows: Iterable[UUID] | None = None) -> HttpResponse:
    """It was done. In a dialog over rows, these rows refresh in place; everywhere else the next page opens."""
    if request.htmx and rows is not None:
        detail = {"hearth:acted": {"rows": [str(row) for row in rows], "said": said}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(detail)})
    messages.success(request, said)
    return go(request, where)


def go(request: Request, where: str) -> HttpResponse:
    """Open another page, from a dialog too."""
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def refuse(form: forms.Form, refusal: Refused) -> None:
    """Put the obstacle beside the field it belongs to."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, str(refusal))
