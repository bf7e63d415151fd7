"""The running demo, as a browser without JavaScript sees it: log in, post forms."""

from __future__ import annotations

import http.cookiejar
import os
import re
import urllib.error
import urllib.parse
import urllib.request

from demo.shell import DemoError
from demo.site import demo_site


def use_demo_settings() -> None:
    """Set Django up in this process against the demo's database and queue."""
    import django

    os.environ.update(demo_site().environment())
    django.setup()


class Client:
    """A logged-in person with a current project."""

    def __init__(self, username: str, password: str, *, project: str = "") -> None:
        self.url = demo_site().url
        self.cookies = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        self.get("/accounts/login/")
        page = self.post("/accounts/login/", {"username": username, "password": password})
        if 'name="password"' in page:
            raise DemoError(f"{username} could not log in.", "Is this the demo?")
        if project:
            self.switch(project)

    def switch(self, project: str) -> None:
        """Make this project the current one."""
        from volumes.models import Project

        self.post("/project/switch/", {"project": str(Project.objects.get(name=project).pk)})

    def get(self, path: str) -> str:
        """A page."""
        with self.opener.open(self.url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def post(self, path: str, fields: dict[str, object]) -> str:
        """Send a form with the token; redirects are followed. A form that comes back with errors raises."""
        token = next((c.value or "" for c in self.cookies if c.name == "csrftoken"), "")
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token}, doseq=True).encode()
        request = urllib.request.Request(self.url + path, data=body, headers={"Referer": self.url + path})
        try:
            with self.opener.open(request, timeout=120) as answer:
                page = str(answer.read().decode())
        except urllib.error.HTTPError as error:
            page = error.read().decode(errors="replace")
            raise DemoError(
                f"POST {path} answered {error.code}: {_errors(page)}", "See the web process's log."
            ) from error
        return page


def _errors(page: str) -> str:
    found = re.findall(r'class="[^"]*(?:invalid-feedback|errorlist)[^"]*"[^>]*>(.*?)<', page, re.DOTALL)
    return " ".join(text.strip() for text in found)
