"""Text that people type is cleaned, and text that programs send is refused by name."""

import unicodedata

import pytest
from hypothesis import given

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.texts import (
    REASON_BYTES,
    REASON_CHARACTERS,
    check_reason,
    clean,
    is_blank,
    many_lines,
    one_line,
)
from tests.unit.domain.refused import HOSTILE, MEGABYTE, SURROGATE, fit_to_send
from tests.unit.strategies import many, pasted

NOT_YET_ASSIGNED = "".join(map(chr, (0x180F, *range(0xFFF0, 0xFFF9), *range(0xE0000, 0xE1000))))
"""Code points that Unicode has set aside for invisible characters."""
ENGLAND = "🏴" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbeng") + "\U000e007f"


def _shown(text: str) -> list[str]:
    """Return the characters that can be seen, in their order, by Unicode's own names of them."""
    unseen = ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
    fillers = "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0" + NOT_YET_ASSIGNED
    return [
        c
        for c in text
        if unicodedata.category(c) not in unseen
        and "VARIATION SELECTOR" not in unicodedata.name(c, "")
        and c not in fillers
    ]


def test_a_reason_gets_plain_line_ends_and_loses_blanks_around_it() -> None:
    """A browser sends CR LF."""
    assert check_reason(" a\r\nb\rc\n\t") == "a\nb\nc"
    assert check_reason("\r\n \t") == ""


@pytest.mark.parametrize(
    "unseen",
    [
        "\u202c", "\u2068", "\u2066\u2069", "\u202e", "\x03", "\x1b", "\x00", "\x7f", "\x9b",
        "\u200b", "\u00ad", "\ufeff", "\u2060", "\U000e0041",
    ],
)  # fmt: skip
def test_what_a_person_can_not_see_does_not_stop_them(unseen: str) -> None:
    """A calculator, a word processor and a chat program copy such characters along."""
    assert check_reason(f"Budget is 1250{unseen}") == "Budget is 1250"
    assert check_reason(f"{unseen}Budget{unseen} is 1250") == "Budget is 1250"
    assert check_reason(unseen) == ""


@pytest.mark.parametrize("line_end", ["\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\r\n", "\x1c"])
def test_each_character_that_ends_a_line_becomes_a_line_break(line_end: str) -> None:
    assert check_reason(f"first{line_end}second{line_end}") == "first\nsecond"


@pytest.mark.parametrize(
    "text",
    [
        "👩🏽\u200d🚀 ok", "می\u200cخواهم", "क\u094d\u200d", "क\u094d\u200dष", "❤\ufe0f", ENGLAND,
        "葛\U000e0100", "\u200fשלום!\u200f", "ᠨᠢ\u180b", "\u0600\u0661", "e\u0301", "a\u00a0b",
        "한\u3164글", "\u115f\u1161",
    ],
)  # fmt: skip
def test_invisible_characters_stay_where_they_change_what_is_seen(text: str) -> None:
    """Joiners of emoji, Persian and Indic letters; variants; flags; direction; Korean fillers."""
    assert clean(text) == text


@pytest.mark.parametrize(
    "alone", ["a \u200d b", "a \ufe0f b", "a\n\u200c\nb", "\u200e a", "a \u034f"]
)
def test_a_joiner_that_joins_nothing_is_dropped(alone: str) -> None:
    assert not [c for c in clean(alone) if c in "\u200c\u200d\u200e\u034f\ufe0f"]
    assert _shown(clean(alone)) == _shown(alone)


def test_no_message_hides_behind_a_flag() -> None:
    """Letters that can't be seen could carry one; a flag has eight of them at most."""
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "secret message")
    assert len(clean(f"🏴{hidden}{hidden} ok")) == len("🏴 ok") + 8


@many
@given(pasted)
def test_cleaning_loses_nothing_visible_and_leaves_nothing_unprintable(text: str) -> None:
    """For any text; cleaning again changes nothing."""
    cleaned = clean(text)
    assert _shown(cleaned) == _shown(text)
    assert not [c for c in cleaned if unicodedata.category(c) == "Cc" and c not in "\n\t"]
    assert cleaned == "\n".join(cleaned.splitlines())
    assert cleaned == clean(cleaned) == many_lines(cleaned, "reason")
    assert cleaned == "" or not is_blank(cleaned)


@pytest.mark.parametrize(
    "blank",
    ["", " \t\n", "\u200b", "\u2800", "\u3164", "\u00ad", "\ufeff", "\u200d\ufe0f", "\uffa0\u2060"],
)
def test_text_of_nothing_visible_is_blank(blank: str) -> None:
    assert is_blank(blank)
    assert clean(blank) == ""
    assert not is_blank(f"{blank}.")


def test_a_reason_is_bounded_in_characters_and_in_bytes() -> None:
    """2,000 characters and 4,002 bytes as JSON, without the blanks around it."""
    assert len(check_reason("x" * REASON_CHARACTERS + "  ")) == REASON_CHARACTERS
    assert check_reason("😀" * ((REASON_BYTES - 2) // 4))
    assert len(check_reason("審" * 1_333)) == 1_333
    long = ("x" * (REASON_CHARACTERS + 1), "😀" * (REASON_BYTES // 4 + 1), "一" * 2_000, MEGABYTE)
    for reason in long:
        with pytest.raises(InvalidRequest) as refusal:
            check_reason(reason, "note")
        assert fit_to_send(refusal.value).field == "note"


@pytest.mark.parametrize(
    ("reason", "over"),
    [
        ("審" * 1_334, "1 character "), ("x" * 2_001, "1 character "),
        ("x" * 3_000, "1,000 characters "), ("審" * 2_000, "667 characters "),
        ("審\n" * 801, "1 character "), ("\u200b" * 9 + "é" * 2_003, "3 characters "),
    ],
)  # fmt: skip
def test_a_reason_that_is_too_long_is_told_by_how_many_characters(reason: str, over: str) -> None:
    """Without so many at its end it is accepted."""
    with pytest.raises(InvalidRequest, match=f"^reason: is {over}too long"):
        check_reason(reason)
    number = int(over.partition(" ")[0].replace(",", ""))
    assert check_reason(reason.strip()[:-number])


def test_half_of_a_surrogate_pair_is_refused() -> None:
    """No browser sends one, and UTF-8 can't hold it."""
    with pytest.raises(InvalidRequest) as refusal:
        check_reason(f"a{SURROGATE}b")
    assert fit_to_send(refusal.value).field == "reason"


@pytest.mark.parametrize("character", HOSTILE)
def test_a_control_character_of_a_program_is_refused(character: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        many_lines(f"a{character}b", "details")
    assert fit_to_send(refusal.value).field == "details"


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
