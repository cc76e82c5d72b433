"""Text that people type, which is cleaned, and text that programs send, which is refused by name.

A person can't see an invisible character, and often doesn't know that one was pasted. A program
that sends one in a request has a fault, of which its author should hear.
"""

import re

import msgspec

from .errors import InvalidRequest

REASON_CHARACTERS = 2_000
REASON_BYTES = 4_002
"""As JSON in UTF-8. 50 such reasons, with all else, stay under DynamoDB's 400 KB an item."""
LIMIT = (
    f"At most {REASON_CHARACTERS:,} characters, "
    f"or {REASON_BYTES // 3 - 1:,} in scripts such as Chinese or Thai."
)
"""Both in words: a character of these scripts has three bytes."""

# C0, DEL, C1, line and paragraph separators, and the marks that reorder text (a mail's subject
# could be made to read backwards). Tab, LF and CR are allowed in text of many lines.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
PRINTABLE = r"[^\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
"""One printable character that is no blank, as part of a pattern."""
_SURROGATE = re.compile("[\ud800-\udfff]")

_BREAK = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""The characters at which Python's `splitlines` begins a line."""
_TAGS = "\U000e0020-\U000e007f"
_JOINING = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\ufe00-\ufe0f"
    "\U0001bca0-\U0001bca3\U000e0100-\U000e01ef"
)
"""Invisible, but they change the look of the characters beside them: the joiners of emoji and of
Persian and Indic letters, variation selectors, marks of direction, fillers of Korean syllables."""
_INVISIBLE = (
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u200b\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufff8"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
"""The rest of Unicode's Default_Ignorable_Code_Point, and the control characters."""
_BLANK = r"\s\u2800\u3164\uffa0"
"""White space, and the letters that look like it: empty Braille, the fillers of Korean letters."""

_FLAG_OR_INVISIBLE = re.compile(f"(\U0001f3f4[{_TAGS}]{{1,8}})|[{_INVISIBLE}]")
"""The flags of England, Scotland and others are a black flag and invisible letters."""
_JOINS_NOTHING = re.compile(f"(^|(?<=[{_BLANK}]))[{_JOINING}]+(?=[{_BLANK}]|$)")
_NOTHING_VISIBLE = re.compile(f"[{_BLANK}{_JOINING}{_INVISIBLE}]*")


def visible(typed: str) -> str:
    """Return typed text as its writer sees it: without invisible characters, with LF line ends.

    Joiners stay where they join something. No visible character is lost.
    """
    shown = _FLAG_OR_INVISIBLE.sub(r"\1", _BREAK.sub("\n", typed))
    return _JOINS_NOTHING.sub("", shown)


def clean(typed: str) -> str:
    """Return what is visible of typed text, without the blanks around it."""
    shown = visible(typed)
    return "" if is_blank(shown) else shown.strip()


def is_blank(text: str) -> bool:
    """Return whether nothing in the text can be seen."""
    return _NOTHING_VISIBLE.fullmatch(text) is not None


def check_reason(typed: str, field: str = "reason") -> str:
    """Return a reason or note, cleaned; raise InvalidRequest, with the excess, if too long."""
    reason = clean(_without(_SURROGATE, typed, field))
    over = len(reason) - _fitting(reason)
    if over:
        raise InvalidRequest(
            f"{field}: is {over:,} character{'s' if over > 1 else ''} too long. {LIMIT}",
            field=field,
        )
    return reason


def one_line(text: str, field: str) -> str:
    """Return the text; raise InvalidRequest if it has a control character or line break."""
    return _without(CONTROL_OR_BREAK, text, field)


def many_lines(text: str, field: str) -> str:
    """Return the text with LF line ends; raise InvalidRequest for other control characters."""
    return _without(_CONTROL, text.replace("\r\n", "\n").replace("\r", "\n"), field)


def _without(unfit: re.Pattern[str], text: str, field: str) -> str:
    found = unfit.search(text)
    if found:
        raise InvalidRequest(
            f"{field}: has the control character U+{ord(found[0]):04X} at position {found.start()}",
            field=field,
        )
    return text


def _fitting(reason: str) -> int:
    """Return how many of the reason's characters are within both limits."""
    if len(reason) <= REASON_CHARACTERS and len(msgspec.json.encode(reason)) <= REASON_BYTES:
        return len(reason)
    left = REASON_BYTES - 2
    for place, character in enumerate(reason[:REASON_CHARACTERS]):
        left -= len(msgspec.json.encode(character)) - 2
        if left < 0:
            return place
    return REASON_CHARACTERS
