"""docs/reference/mistakes.md: every mistake says what the page says, and the page shows all of them in order."""

import re

import pytest

from mistakes import MISTAKES, outcome, section
from places import ROOT

EVERY = [mistake for mistakes in MISTAKES.values() for mistake in mistakes]
PAGE = (ROOT / "docs" / "reference" / "mistakes.md").read_text()
ADVICE = "read the new message, then run python tests/docs/write_mistakes.py"


@pytest.mark.wrong_types
@pytest.mark.parametrize("mistake", EVERY, ids=[mistake.title for mistake in EVERY])
def test_a_mistake_says_what_the_page_says(mistake, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind, message = outcome(mistake)
    assert kind is mistake.error, message
    assert "\n" not in message
    assert section(mistake, message) in PAGE, f"docs/reference/mistakes.md does not show {message!r}; {ADVICE}"


def test_the_page_shows_every_mistake_in_order():
    headings = re.findall(r"^(#{2,3}) (.*)$", PAGE, flags=re.MULTILINE)
    expected = [("##", group) for group in MISTAKES], [("###", mistake.title) for mistake in EVERY]
    assert ([h for h in headings if h[0] == "##"], [h for h in headings if h[0] == "###"]) == expected, ADVICE
