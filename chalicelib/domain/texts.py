"""Text that people and programs send: line ends made plain, control characters refused."""

import re

import msgspec

from .errors import InvalidRequest

REASON_CHARACTERS = 2_000
REASON_BYTES = 4_002
"""As JSON in UTF-8. 50 such reasons, with all else, stay under DynamoDB's 400 KB an item."""

# C0, DEL, C1, line and paragraph separators, and the marks that reorder text (a mail's subject
# could be made to read backwards). Tab, LF and CR are allowed in text of many lines.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
CONTROL_OR_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
PRINTABLE = r"[^\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
"""One printable character that is no blank, as part of a pattern."""


def check_reason(reason: str, field: str = "reason") -> str:
    """Return the reason with LF line ends; raise InvalidRequest if too long or not plain text."""
    reason = many_lines(reason, field).strip()
    if len(reason) > REASON_CHARACTERS:
        raise InvalidRequest(f"{field}: has more than {REASON_CHARACTERS} characters", field=field)
    if len(msgspec.json.encode(reason)) > REASON_BYTES:
        raise InvalidRequest(f"{field}: is too long in bytes, please shorten it", field=field)
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
