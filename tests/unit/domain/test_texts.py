"""Reasons and other text: plain line ends, bounded, without control characters."""

import pytest

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.texts import (
    REASON_BYTES,
    REASON_CHARACTERS,
    check_reason,
    many_lines,
    one_line,
)
from tests.unit.domain.refused import HOSTILE, MEGABYTE, fit_to_send


def test_a_reason_gets_plain_line_ends_and_loses_blanks_around_it() -> None:
    """A browser sends CR LF."""
    assert check_reason(" a\r\nb\rc\n\t") == "a\nb\nc"
    assert check_reason("\r\n \t") == ""


def test_a_reason_is_bounded_in_characters_and_in_bytes() -> None:
    """2,000 characters and 4,002 bytes as JSON, without the blanks around it."""
    assert len(check_reason("x" * REASON_CHARACTERS + "  ")) == REASON_CHARACTERS
    assert check_reason("😀" * ((REASON_BYTES - 2) // 4))
    long = ("x" * (REASON_CHARACTERS + 1), "😀" * (REASON_BYTES // 4 + 1), "一" * 2_000, MEGABYTE)
    for reason in long:
        with pytest.raises(InvalidRequest) as refusal:
            check_reason(reason, "note")
        assert fit_to_send(refusal.value).field == "note"


@pytest.mark.parametrize("character", HOSTILE)
def test_a_reason_with_a_control_character_is_refused(character: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        check_reason(f"a{character}b")
    assert fit_to_send(refusal.value).field == "reason"


def test_a_refused_character_is_named_by_code_and_position() -> None:
    """The message doesn't repeat the text."""
    with pytest.raises(InvalidRequest) as refusal:
        one_line("ab\u202ecd", "subject")
    assert refusal.value.message == "subject: has the control character U+202E at position 2"


def test_line_breaks_and_tabs_are_allowed_in_text_of_many_lines_alone() -> None:
    assert many_lines("a\r\n\tb", "details") == "a\n\tb"
    for text in ("a\nb", "a\tb", "a\rb"):
        with pytest.raises(InvalidRequest):
            one_line(text, "subject")
