"""Errors speak in sentences, in any language, even when a detail is missing."""

from __future__ import annotations

import pytest

from volumes.nodes import errors
from volumes.nodes.errors import ConnectionRefused, NodeError, NoSpace


def every(kind: type[NodeError]) -> list[type[NodeError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in every(sub))]


@pytest.mark.parametrize("kind", [cls for cls in every(NodeError) if cls.__module__ == errors.__name__])
def test_an_error_is_one_sentence_whatever_is_known(kind: type[NodeError]) -> None:
    error = kind()

    assert str(error)[0] == "?" or str(error)[0].isupper() or str(error)[0].isdigit()
    assert "%(" not in f"{error} {error.remedy}"


def test_the_sentence_is_translated_before_it_is_filled() -> None:
    error = ConnectionRefused(node="node-1", address="192.0.2.1", port=22)
    german = {ConnectionRefused.sentence: "%(address)s weist Verbindungen auf Port %(port)s ab."}

    assert error.localized(lambda text: german.get(text, text)) == "192.0.2.1 weist Verbindungen auf Port 22 ab."
    assert error.remedy == "Check that sshd runs on node-1 and listens on port 22."


def test_values_that_look_like_templates_stay_as_they_are() -> None:
    assert "100 %(vg)s" in str(NoSpace(vg="vg", detail="100 %(vg)s"))
