"""Patterns of sensitive data: card numbers, e-mail addresses, IBANs, keys.

Whether there is a finding at a place depends on at most REACH bytes around it, so that chunks can
be scanned independently (`chunks.py`). Therefore every pattern has a maximal length, and a match
never consumes the beginning of the next one.
"""

import re
from collections.abc import Callable

REACH = 300
"""The number of bytes before and after a place that a finding there can depend on."""

# Between two groups of digits: a space, a no-break space (wide or narrow), or a hyphen.
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
# Visa, Mastercard, American Express, Diners Club, JCB, and every brand that begins with 6.
_BRANDS = re.compile(
    r"4(\d{12}|\d{15}|\d{18})|(5[0-8]|2[2-7])\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|6\d{15,18}"
)
# The length of an IBAN by country (the IBAN registry of ISO 13616).
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
    """Return the mask of a card number with a brand's length and a correct check digit."""
    for shape in _CARD_SHAPES:
        if (found := shape.match(data, place)) is not None:
            digits = re.sub(rb"[^0-9]", b"", found[0]).decode()
            if _BRANDS.fullmatch(digits) and _luhn(digits):
                return f"**** {digits[-4:]}"
    return None


def _luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    doubled = "".join(str(2 * int(digit)) for digit in digits[-2::-2])
    return sum(int(digit) for digit in doubled + digits[-1::-2]) % 10 == 0


def _address(data: bytes, place: int) -> str | None:
    """Return the mask of the e-mail address whose @ is at that place."""
    before = data[max(0, place - 64) : place]
    local = before[len(before.rstrip(_LOCAL)) :]
    domain = _DOMAIN.match(data, place + 1)
    return f"{local[:1].decode()}***@{domain[0].decode()}" if local and domain else None


def _iban(data: bytes, place: int) -> str | None:
    """Return the mask of an IBAN with its country's length and correct check digits."""
    shape = _IBANS.get(data[place : place + 2].upper())
    found = shape and shape.match(data, place)
    if not found:
        return None
    iban = re.sub(rb"[^A-Z0-9]", b"", found[0].upper()).decode()
    number = "".join(str(int(character, 36)) for character in iban[4:] + iban[:4])
    right = int(number) % 97 == 1  # ISO/IEC 7064, MOD 97-10
    return f"{iban[:2]}** **** {iban[-4:]}" if right else None


def _private_key(data: bytes, place: int) -> str | None:
    """Return the key's header, which holds nothing secret."""
    found = _HEADER.match(data, place)
    return found and found[0].decode()


def _access_key(data: bytes, place: int) -> str:
    return f"{data[place : place + 4].decode()}****{data[place + 18 : place + 20].decode()}"


RULES: tuple[tuple[str, re.Pattern[bytes], Callable[[bytes, int], str | None]], ...] = (
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
"""For each kind of finding: the places where one may begin, and a function of the text and a place
that returns the finding's mask, or None if there is no finding."""
