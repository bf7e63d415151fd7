"""What the console says no with. The text of each is one sentence fit for a person."""


class Refused(Exception):
    """The request cannot be done now; nothing was changed. `field` is the form field it belongs to, if any."""

    field: str | None = None

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field or self.field


class Conflict(Refused):
    """Somebody else was first: the row is no longer in a status that allows it."""


class QuotaExceeded(Refused):
    """The project's quota does not cover it."""

    field = "size"


class NoRoom(Refused):
    """No pool can take it."""

    field = "size"


class NotAllowed(Refused):
    """The person may look, but not act."""
