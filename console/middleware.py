"""What holds for every answer."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]


def never_stored(get_response: Handler) -> Handler:
    """No browser and no proxy keeps a page: after a log-out "back" shows nothing, and one address answers with a whole
    page or with a dialog, which a cache would mix up. Static files never come here.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
