"""A page as a tree, read strictly: a tag that is left open or closed twice is an error."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from django.http.response import HttpResponseBase

VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
SVG = frozenset(["path", "rect", "use", "line", "circle", "polyline", "polygon"])


class Element:
    """A tag. `text` is what a person reads, with white space folded."""

    def __init__(self, tag: str, attrs: dict[str, str], parent: Element | None) -> None:
        self.tag, self.attrs, self.parent = tag, attrs, parent
        self.inside: list[Element | str] = []

    def __iter__(self) -> Iterator[Element]:
        """Itself and everything below it, in order."""
        yield self
        for child in self.inside:
            if isinstance(child, Element):
                yield from child

    def __getitem__(self, name: str) -> str:
        return self.attrs[name]

    @property
    def text(self) -> str:
        words = [child if isinstance(child, str) else child.text for child in self.inside]
        return " ".join(" ".join(words).split())

    @property
    def classes(self) -> set[str]:
        return set(self.attrs.get("class", "").split())

    def all(self, tag: str = "", **attrs: Any) -> list[Element]:
        """Elements below with this tag and these attributes; `data_row="x"` is data-row, True means any value."""
        return [each for each in self if each is not self and (not tag or each.tag == tag) and _has(each, attrs)]

    def one(self, tag: str = "", **attrs: Any) -> Element:
        """The only one."""
        found = self.all(tag, **attrs)
        assert len(found) == 1, f"{len(found)} of <{tag} {attrs}>"
        return found[0]

    def has(self, tag: str = "", **attrs: Any) -> bool:
        return bool(self.all(tag, **attrs))

    def up(self, tag: str) -> Element:
        """The nearest element around it with this tag."""
        parent = self.parent
        while parent is not None and parent.tag != tag:
            parent = parent.parent
        assert parent is not None, f"no <{tag}> around <{self.tag}>"
        return parent

    def values(self) -> dict[str, list[str]]:
        """What this form would send."""
        sent: dict[str, list[str]] = {}
        for field in self:
            if name := field.attrs.get("name"):
                sent.setdefault(name, []).extend(_sent(field))
        return sent


def _has(element: Element, attrs: dict[str, Any]) -> bool:
    for name, wanted in attrs.items():
        value = element.attrs.get(name.rstrip("_").replace("_", "-"))
        if value is None or (wanted is not True and value != wanted):
            return False
    return True


def _sent(field: Element) -> list[str]:
    kind = field.attrs.get("type", "text")
    if field.tag == "textarea":
        return ["".join(child for child in field.inside if isinstance(child, str)).removeprefix("\n")]
    if field.tag == "select":
        chosen = [o for o in field.all("option") if "selected" in o.attrs] or field.all("option")[:1]
        return [option.attrs.get("value", option.text) for option in chosen]
    if field.tag != "input" or (kind in {"checkbox", "radio"} and "checked" not in field.attrs):
        return []
    return [field.attrs.get("value", "on" if kind == "checkbox" else "")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.here = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        found = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(found)
        if tag not in VOID:
            self.here = found

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID | SVG, f"<{tag}/> does not close it"
        self.here.inside.append(Element(tag, {name: value or "" for name, value in attrs}, self.here))

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> where <{self.here.tag}> is open (line {self.getpos()[0]})"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def parse(text: str) -> Element:
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.here is reader.root, f"<{reader.here.tag}> is never closed"
    return reader.root


def page(response: HttpResponseBase, status: int = 200) -> Element:
    """The page in a response that has this status."""
    assert response.status_code == status, f"{response.status_code}: {response.get('Location', '')}"
    return parse(text(response))


def text(response: HttpResponseBase) -> str:
    """The body, streamed or not."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    return body.decode()
