"""What a browser is told about every page, and what no page contains: nothing inline, nothing from outside."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from tests.views.html import Element, page
from tests.views.pages import PAGES, World

LOADS = {
    "script": "src",
    "link": "href",
    "img": "src",
    "use": "href",
    "iframe": "src",
    "source": "src",
    "form": "action",
}
URL_IN_CSS = re.compile(r"url\(\s*['\"]?([^)'\"]+)")


@pytest.fixture
def responses(administrator: Client, world: World) -> dict[str, HttpResponseBase]:
    """Every page that is one, by its name."""
    found = {at.id: administrator.get(at.url(world)) for at in PAGES if "200" in at.get}
    return {name: each for name, each in found.items() if each.status_code == 200 and "html" in each["Content-Type"]}


@pytest.fixture
def trees(responses: dict[str, HttpResponseBase]) -> dict[str, Element]:
    return {name: page(response) for name, response in responses.items()}


def test_what_no_page_contains_and_what_every_page_has(trees: dict[str, Element]) -> None:
    assert len(trees) > 20
    for name, tree in trees.items():
        nothing_is_inline_and_nothing_comes_from_another_host(name, tree)
        its_parts_name_each_other_rightly(name, tree)
        it_has_a_title_a_language_one_h1_and_labelled_fields(name, tree)


def nothing_is_inline_and_nothing_comes_from_another_host(name: str, tree: Element) -> None:
    for element in tree:
        inline = {
            key for key in element.attrs if key == "style" or key.startswith(("on", "hx-on", "hx-vals", "hx-vars"))
        }
        assert not inline, f"{name}: <{element.tag}> has {inline}"
        assert element.tag != "style", name
        assert element.tag != "script" or element.attrs.get("src"), f"{name}: a script stands in the page"
        wanted = element.attrs.get(LOADS.get(element.tag, ""), "")
        assert not re.match(r"(?i)[a-z]+:|//", wanted), f"{name}: <{element.tag}> loads {wanted}"
        assert not element.attrs.get("href", "").lower().startswith("javascript:"), name


def its_parts_name_each_other_rightly(name: str, tree: Element) -> None:
    ids = [element["id"] for element in tree if "id" in element.attrs]
    assert len(ids) == len(set(ids)), (name, sorted(each for each in ids if ids.count(each) > 1))
    for element in tree:
        for key in ("aria-labelledby", "aria-describedby", "for", "aria-controls", "form"):
            assert set(element.attrs.get(key, "").split()) <= set(ids), (
                f"{name}: <{element.tag} {key}={element.attrs.get(key)}>"
            )


def it_has_a_title_a_language_one_h1_and_labelled_fields(name: str, tree: Element) -> None:
    assert tree.one("html")["lang"] == "en"
    assert tree.one("title").text.endswith("Hearth")
    assert (len(tree.all("h1")), len(tree.all("main"))) == (1, 1), name
    within = {id(each) for label in tree.all("label") for each in label}
    labelled = {label["for"] for label in tree.all("label", for_=True)}
    for field in [*tree.all("input"), *tree.all("select"), *tree.all("textarea")]:
        if field.attrs.get("type") not in {"hidden", "submit"}:
            has_one = id(field) in within or field.attrs.get("id") in labelled or "aria-label" in field.attrs
            assert has_one, f"{name}: nothing labels {field.attrs}"
    for cell in tree.all("th"):
        assert cell.attrs.get("scope") in {"col", "row"}, name
    for link in [*tree.all("a"), *tree.all("button"), *tree.all("summary")]:
        assert link.text or link.attrs.get("aria-label"), f"{name}: nothing says what {link.attrs} does"


def test_the_headers_of_every_page(responses: dict[str, HttpResponseBase]) -> None:
    for name, response in responses.items():
        policy = dict(part.strip().partition(" ")[::2] for part in response["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'", name
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
        assert "unsafe" not in response["Content-Security-Policy"]
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"


def test_pages_about_people_and_volumes_are_not_kept_by_caches(member: Client, world: World) -> None:
    for name in ("overview", "volumes", "operations"):
        assert "no-store" in member.get(reverse(name)).get("Cache-Control", ""), name


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client: Client, alice: object) -> None:
    client.post(reverse("login"), {"username": "alice", "password": "alice"})
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


@pytest.mark.parametrize(
    "name", ["app.css", "hearth.css", "hearth-pages.css", "vendor/tabler-core-1.6.1/tabler.min.css"]
)
def test_style_sheets_load_nothing_from_outside(name: str) -> None:
    with open(str(finders.find(name)), encoding="utf-8") as sheet:
        for wanted in URL_IN_CSS.findall(sheet.read()):
            assert wanted.startswith(("data:", "vendor/", "#")), wanted


@pytest.mark.parametrize("name", ["app.js", "live.js", "forms.js", "morph.js", "theme.js"])
def test_scripts_make_no_inline_styles_and_run_no_text(name: str) -> None:
    with open(str(finders.find(name)), encoding="utf-8") as script:
        code = script.read()
    for word in ("eval(", "new Function", ".style.", "innerHTML", "insertAdjacentHTML", "http://", "https://"):
        assert word not in code, word


def test_the_administration_is_served_with_the_same_headers(administrator: Client) -> None:
    for path in ("/admin/", "/admin/volumes/project/", "/admin/volumes/node/add/", "/admin/volumes/user/"):
        response = administrator.get(path)
        assert "'unsafe-inline'" not in response["Content-Security-Policy"]
        for element in page(response):
            assert "style" not in element.attrs
            assert (
                element.tag != "script" or element.attrs.get("src") or element.attrs.get("type") == "application/json"
            )
