"""CORE: what must not leave the house: card numbers, e-mail addresses, IBANs, keys.

Whether something stands at a place depends on the REACH bytes around it and on nothing else: that
is what lets chunks be looked at apart (`split.py`). So each pattern is bounded, and says where to
look without swallowing the next such place. A finding holds a mask of what was found, never the
thing itself.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .split import Chunk

REACH = 300
"""How many bytes before and after a place are looked at, at the most."""

KEPT = 10
"""How many of a chunk's findings are kept with their place; all are counted."""


class Finding(NamedTuple):
    """What was found, at which byte of the document, and on which line of the chunk, from 0."""

    kind: str
    at: int
    line: int
    mask: str


class UnreadableError(Exception):
    """What should be looked at can't be; says why."""


class Looked(NamedTuple):
    """What a chunk holds: how many lines, how many findings of each kind, the first of them."""

    number: int
    lines: int
    kinds: Mapping[str, int]
    first: Sequence[Finding]


def look(chunk: Chunk) -> Looked:
    """Return what the chunk's body holds; raises UnreadableError as `scan` does."""
    found = scan(chunk)
    lines = chunk.data.count(b"\n", chunk.before, chunk.before + chunk.body)
    return Looked(chunk.number, lines, Counter(finding.kind for finding in found), found[:KEPT])


def scan(chunk: Chunk) -> list[Finding]:
    """Return what begins in the chunk's body, in order.

    Raises UnreadableError for what isn't UTF-8, or holds a NUL (UTF-16 is full of them): what can't
    be read can't be vouched for.
    """
    _refuse_unreadable(chunk)
    end = chunk.before + chunk.body
    found = {match for match in _matches(chunk.data) if chunk.before <= match[0] < end}
    findings = []
    line, counted = 0, chunk.before
    for place, kind, mask in sorted(found):
        line += chunk.data.count(b"\n", counted, place)
        counted = place
        findings.append(Finding(kind, chunk.start + place - chunk.before, line, mask))
    return findings


def _refuse_unreadable(chunk: Chunk) -> None:
    """Raise UnreadableError if the body is no text. A margin is its neighbour's to judge."""
    first = chunk.start - chunk.before
    end = chunk.before + chunk.body
    cut = 0  # the margin may begin within a character
    while chunk.before and cut < 3 and chunk.data[cut] & 0xC0 == 0x80:
        cut += 1
    try:
        codecs.getincrementaldecoder("utf-8")().decode(chunk.data[cut:])
    except UnicodeDecodeError as e:
        if chunk.before <= (wrong := cut + e.start) < end:
            raise UnreadableError(f"byte {first + wrong:,} is no UTF-8 text") from None
    if (nul := chunk.data.find(b"\0", chunk.before, end)) >= 0:
        raise UnreadableError(f"byte {first + nul:,} is a NUL, which no text has")


def _matches(data: bytes) -> Iterator[tuple[int, str, str]]:
    for kind, places, look in _RULES:
        for place in places.finditer(data):
            mask = look(data, place.start())
            if mask is not None:
                yield place.start(), kind, mask


# What may stand between two groups of digits: a space, one that doesn't break, or a hyphen.
_GAP = rb"(?: |-|\xc2\xa0|\xe2\x80\xaf)"
_CARD_SHAPES = [
    re.compile(shape + rb"(?![0-9])")
    for shape in (
        rb"[0-9]{13,19}",
        rb"[0-9]{4}(?:%b[0-9]{4}){3}" % _GAP,
        rb"[0-9]{4}(?:%b[0-9]{4}){3}%b[0-9]{3}" % (_GAP, _GAP),
        rb"[0-9]{4}%b[0-9]{6}%b[0-9]{4,5}" % (_GAP, _GAP),
    )
]
# Visa, Mastercard, American Express, Diners Club, JCB, and all that begin with 6.
_BRANDS = re.compile(
    r"4(\d{12}|\d{15}|\d{18})|(5[0-8]|2[2-7])\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|6\d{15,18}"
)
# How long the IBANs of each country are (the IBAN registry of ISO 13616).
_IBANS = {
    country: re.compile(
        rb"[A-Z0-9](?:%b?[A-Z0-9]){%d}(?![A-Z0-9])" % (_GAP, length - 1), re.IGNORECASE
    )
    for length, countries in {
        15: b"NO",
        16: b"BE",
        18: b"DK FI FK FO GL NL SD",
        19: b"MK SI",
        20: b"AT BA EE KZ LT LU MN XK",
        21: b"CH CR HR LI LV",
        22: b"BG BH DE GB GE IE ME RS VA",
        23: b"AE GI IL IQ OM SO TL",
        24: b"AD CZ ES MD PK RO SA SE SK TN VG",
        25: b"LY PT ST",
        26: b"IS TR",
        27: b"BI DJ FR GR IT MC MR SM",
        28: b"AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: b"BR EG PS QA UA",
        30: b"JO KW MU YE",
        31: b"MT SC",
        32: b"LC",
        33: b"RU",
    }.items()
    for country in countries.split()
}
_LOCAL = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-"
_DOMAIN = re.compile(rb"(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}")
_HEADER = re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")


def _card(data: bytes, place: int) -> str | None:
    """Return the mask of a card number: its length is its brand's, its check digit is right."""
    for shape in _CARD_SHAPES:
        if (found := shape.match(data, place)) is not None:
            digits = re.sub(rb"[^0-9]", b"", found[0]).decode()
            if _BRANDS.fullmatch(digits) and _luhn(digits):
                return f"**** {digits[-4:]}"
    return None


def _luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit (ISO/IEC 7812-1) of the others."""
    doubled = "".join(str(2 * int(digit)) for digit in digits[-2::-2])
    return sum(int(digit) for digit in doubled + digits[-1::-2]) % 10 == 0


def _address(data: bytes, place: int) -> str | None:
    """Return the mask of the address whose @ stands there."""
    before = data[max(0, place - 64) : place]
    local = before[len(before.rstrip(_LOCAL)) :]
    domain = _DOMAIN.match(data, place + 1)
    return f"{local[:1].decode()}***@{domain[0].decode()}" if local and domain else None


def _iban(data: bytes, place: int) -> str | None:
    """Return the mask of an IBAN: its length is its country's, its check digits are right."""
    shape = _IBANS.get(data[place : place + 2].upper())
    found = shape and shape.match(data, place)
    if not found:
        return None
    iban = re.sub(rb"[^A-Z0-9]", b"", found[0].upper()).decode()
    number = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    right = int(number) % 97 == 1  # ISO/IEC 7064, MOD 97-10
    return f"{iban[:2]}** **** {iban[-4:]}" if right else None


def _private_key(data: bytes, place: int) -> str | None:
    """Return the header, which gives nothing away."""
    found = _HEADER.match(data, place)
    return found and found[0].decode()


def _access_key(data: bytes, place: int) -> str:
    return f"{data[place : place + 4].decode()}****{data[place + 18 : place + 20].decode()}"


_RULES: tuple[tuple[str, re.Pattern[bytes], Callable[[bytes, int], str | None]], ...] = (
    ("card number", re.compile(rb"[2-6](?<![0-9]{2})(?=(?:%b?[0-9]){12})" % _GAP), _card),
    ("e-mail address", re.compile(rb"@"), _address),
    ("IBAN", re.compile(rb"[A-Za-z]{2}[0-9]{2}(?<![A-Za-z0-9]{5})"), _iban),
    ("private key", re.compile(rb"-----BEGIN "), _private_key),
    (
        "AWS access key",
        re.compile(rb"A[KS]IA(?<![A-Za-z0-9]{5})(?=[A-Z2-7]{16}(?![A-Za-z0-9]))"),
        _access_key,
    ),
)
