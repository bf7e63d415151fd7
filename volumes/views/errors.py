"""Pages for what goes wrong. 500 asks nothing of the database; the one for old forms is 403_csrf.html, found by Django itself."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def said(exception: Exception | None) -> str:
    """The sentence we raised it with; Django's own reasons are not for people."""
    first = exception.args[0] if exception is not None and exception.args else ""
    return first if isinstance(first, str) else ""


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403."""
    return render(request, "403.html", {"said": said(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404. What the URL resolver says is for developers."""
    return render(request, "404.html", {"said": said(exception)}, status=404)


def bad_request(_request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """400."""
    return HttpResponse(render_to_string("400.html"), status=400)


def server_error(_request: HttpRequest) -> HttpResponse:
    """500: no context processors, no database."""
    return HttpResponse(render_to_string("500.html"), status=500)
