"""What every template gets."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from volumes.views.frame import Frame


def frame(request: HttpRequest) -> dict[str, Any]:
    """`hearth`, the frame, and `layout`, the template a page goes into: a whole page, a dialog, or the moving parts."""
    htmx = getattr(request, "htmx", None)
    layout = "base.html" if request.user.is_authenticated else "alone.html"
    if htmx and htmx.trigger == "poll":
        layout = "pulse.html"
    elif htmx and htmx.target == "dialog":
        layout = "dialog.html"
    is_dialog = layout == "dialog.html"
    heading, subheading = ("h2", "h3") if is_dialog else ("h1", "h2")
    return {
        "hearth": Frame.of(request),
        "layout": layout,
        "is_dialog": is_dialog,
        "heading": heading,
        "subheading": subheading,
    }
