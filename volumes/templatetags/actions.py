"""Buttons and menu items. What cannot be done now stays where it is, reachable by keyboard, and says why."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from volumes.templatetags.marks import icon

register = template.Library()


@register.simple_tag
def menu_item(url: str, name: str, label: str, why_not: str | None = None, *, dialog: bool = True) -> SafeString:
    """An entry of a row menu; the excuse is its second line."""
    if why_not:
        return format_html(
            '<li><span class="dropdown-item" role="link" aria-disabled="true" tabindex="0">{} <span>{} <small>{}</small></span></span></li>',
            icon(name),
            label,
            why_not,
        )
    opens = format_html(' hx-get="{}" hx-target="#dialog"', url) if dialog else ""
    return format_html('<li><a class="dropdown-item" href="{}"{}>{} {}</a></li>', url, opens, icon(name), label)


@register.simple_tag
def button(
    url: str, name: str, label: str, why_not: str | None = None, css: str = "btn", key: str = "", *, dialog: bool = True
) -> SafeString:
    """A link that looks like a button. When off, `key` names the element that holds the excuse beside it."""
    picture = icon(name) if name else ""
    if why_not:
        return format_html(
            '<span class="{}" role="link" aria-disabled="true" tabindex="0" aria-describedby="{}">{} {}</span>',
            css,
            key,
            picture,
            label,
        )
    opens = format_html(' hx-get="{}" hx-target="#dialog"', url) if dialog else ""
    return format_html('<a class="{}" href="{}"{}>{} {}</a>', css, url, opens, picture, label)


@register.inclusion_tag("components/copy_id.html")
def copy_id(identity: object, name: str, style: str = "") -> dict[str, Any]:
    """The short id as a button that copies the whole one: `long` shows it all, `icon` only the icon."""
    whole = str(identity)
    short = whole[:8]
    return {"whole": whole, "short": short, "said": whole if style == "long" else short, "name": name, "style": style}


@register.inclusion_tag("components/field.html")
def field(bound: Any, kind: str = "", unit: str = "", *, optional: bool = False) -> dict[str, Any]:
    """A form field with label, help, unit and its errors."""
    attrs: dict[str, str] = {
        "class": "h-check" if kind == "tick" else "form-control mono" if kind == "mono" else "form-control"
    }
    described = []
    if bound.help_text:
        described.append(f"{bound.auto_id}-help")
    if bound.errors:
        described.append(f"{bound.auto_id}-err")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    return {"field": bound, "input": bound.as_widget(attrs=attrs), "kind": kind, "unit": unit, "optional": optional}
