"""Text in lines: no line too long, no character cut in two, nothing visible lost."""

from unicodedata import category

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wcwidth import iter_graphemes, wcswidth

from chalicelib.presentation.layout import COLUMNS, LINE_BYTES, columns, cut, flow, wrap
from tests.unit.strategies import many, pasted

LINK = "https://tracker.example.com/browse/OPS-4711?focus=comment&page=2"
LONG_LINK = f"https://example.com/{'x' * 200}"
FAMILY = "👩\u200d👩\u200d👧"
texts = st.one_of(
    pasted,
    st.lists(
        st.sampled_from(
            [LINK, LONG_LINK, "審査" * 30, "word", " ", "\u3000", "\t", "กำลัง", "e\u0301" * 90,
             FAMILY, "🇩🇪", "क्षि" * 20, "\u0301", "\u0600", "(", ").", "x" * 100]
        ),
        max_size=20,
    ).map("".join),
)  # fmt: skip


def _letters(text: str) -> str:
    return "".join(text.split())


def _starts(text: str) -> set[str]:
    """Return what follows each place at which a character begins."""
    shown, found = list(iter_graphemes(text)), set[str]()
    while shown:
        found.add("".join(shown))
        shown.pop(0)
    return found


@many
@given(texts, st.sampled_from(["", "| ", " " * 11]))
def test_no_line_is_wider_than_78_columns_unless_it_is_one_link(text: str, indent: str) -> None:
    """In any script; a wide character takes two columns."""
    for line in wrap(text, indent).split("\n"):
        words = line.split()
        link = "://" in line and len(words) <= 2
        assert wcswidth(line) <= COLUMNS or link, line


@many
@given(texts)
def test_wrapping_loses_nothing_visible(text: str) -> None:
    """Blanks and line breaks alone change."""
    assert _letters(wrap(text)) == _letters(
        "".join(" " if category(c) == "Cc" else c for c in text)
    )


@many
@given(texts)
@example("e\u0301" * 200)
@example("กำ" * 200)
@example("🇩🇪" * 100)
@example(f"{FAMILY * 60} {FAMILY}")
@example(f"{LINK}e\u0301{LINK}\u0301")
def test_no_line_begins_inside_a_character(text: str) -> None:
    """A character as readers see it: with its accents, joined to others, or half of a flag."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    starts = _starts(plain)
    rest = plain
    for line in wrap(plain).split("\n"):
        assert rest in starts or not rest
        rest = rest.removeprefix(line).lstrip(" ")
    assert rest == ""


@many
@given(texts, st.integers(0, 120))
def test_cutting_ends_between_characters(text: str, most: int) -> None:
    """And never takes more than was asked for, but for the mark."""
    shown = cut(text, most)
    assert len(shown) <= max(most, 1)
    if shown != text:
        left = text.removeprefix(shown.removesuffix("…"))
        assert left.lstrip() in {start.lstrip() for start in _starts(text)}


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("e\u0301e\u0301e\u0301", 4, "e\u0301…"),
        ("🇩🇪🇫🇷🇮🇹", 4, "🇩🇪…"), ("กำกำกำ", 4, "กำ…"), (FAMILY * 2, 9, f"{FAMILY}…"),
        (FAMILY * 2, 5, "…"), ("ab cd", 4, "ab…"), ("abc", 0, "…"),
    ],
)  # fmt: skip
def test_a_text_is_cut_before_the_character_that_does_not_fit(
    text: str, most: int, shown: str
) -> None:
    assert cut(text, most) == shown


def test_only_the_link_in_a_long_line_stays_whole() -> None:
    """The words around it are wrapped as always."""
    text = f"{'Please look at this. ' * 30}{LONG_LINK} {'And then decide. ' * 30}"
    lines = wrap(text, "| ").split("\n")
    assert f"| {LONG_LINK}" in lines
    assert [line for line in lines if len(line) > COLUMNS] == [f"| {LONG_LINK}"]
    assert len(lines) > 10
    chinese = wrap(f"{'審査' * 40}{LONG_LINK}{'承認' * 40}").split("\n")
    assert [line for line in chinese if columns(line) > COLUMNS] == [LONG_LINK]


def test_a_link_moves_to_the_next_line_whole() -> None:
    assert wrap(f"  {LONG_LINK}", "| ") == f"| {LONG_LINK}"
    assert wrap(f"{'x' * 70} ({LINK}).").split("\n") == ["x" * 70, f"({LINK})."]


def test_blanks_are_kept_inside_a_line_and_tabs_do_not_multiply() -> None:
    """A table in plain text keeps its columns; a tab is one blank."""
    assert wrap("a    b\tc", "| ") == "| a    b c"
    assert wrap("   indented", "| ") == "|    indented"
    assert len(wrap("\t".join("x" * 1_000))) == 1_999
    assert wrap("") == wrap(" \t\n") == ""


def test_a_non_breaking_blank_does_not_break() -> None:
    assert wrap("x" * 76 + " 10\u00a0kg") == "x" * 76 + "\n10\u00a0kg"


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("審査", 4), ("e\u0301", 1), (FAMILY, 2), ("🇩🇪", 2), ("กำ", 2)]
)
def test_a_text_takes_the_columns_of_what_is_seen(text: str, width: int) -> None:
    assert columns(text) == width


@many
@given(texts)
def test_a_paragraph_of_a_mail_is_one_line_as_long_as_smtp_takes(text: str) -> None:
    """A longer one has several; a link is whole, and nothing visible is lost."""
    lines = flow(text, "| ").split("\n")
    assert len(lines) == 1 or len("".join(lines).encode()) > LINE_BYTES - 2
    assert all(len(line.encode()) <= LINE_BYTES for line in lines)
    assert all(line.startswith("| ") for line in lines if line)
    shown = "".join(line.removeprefix("| ") for line in lines)
    assert _letters(shown) == _letters("".join(" " if category(c) == "Cc" else c for c in text))


def test_a_line_fits_into_a_mail_whatever_calls_itself_a_link() -> None:
    """RFC 5322: 998 bytes."""
    assert max(map(len, wrap("http://" + "x" * 16_000, "| ").split("\n"))) < 998
