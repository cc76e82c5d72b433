"""E-mail addresses: what counts as one, which may be asked, and when two mean one person."""

import re
from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from .errors import InvalidRequest

Address = Annotated[str, Meta(min_length=3, max_length=254)]

_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_WORD}(\.{_WORD})*@{_LABEL}(\.{_LABEL})+")


def check_address(address: str, field: str, domains: tuple[str, ...]) -> str:
    """Return the address with its domain in lower case and without blanks around it.

    Raises InvalidRequest if it isn't an address, or isn't allowed.
    `domains` are the mail domains that may be asked; `("*",)` allows any. Lower case because the
    roles' condition on `sns:Endpoint` compares letter by letter.
    """
    address = address.strip()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise InvalidRequest(f"{field}: is not an e-mail address", field=field)
    local, _, domain = address.rpartition("@")
    domain = domain.lower()
    if "*" not in domains and domain not in domains:
        raise InvalidRequest(
            f"{field}: addresses at {domain} may not be asked; allowed are {', '.join(domains)}",
            field=field,
        )
    return f"{local}@{domain}"


def check_people(
    addresses: tuple[str, ...], named: str, domains: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the addresses as `check_address` does; raise InvalidRequest if one is there twice."""
    checked: dict[str, str] = {}
    for position, address in enumerate(addresses):
        field = f"{named}[{position}]"
        one = check_address(address, field, domains)
        if one.lower() in checked:
            raise InvalidRequest(f"{field}: {address} is named twice", field=field)
        checked[one.lower()] = one
    return tuple(checked.values())


def same_person(one: str, other: str) -> bool:
    """Return whether two addresses belong to one person: case makes no difference."""
    return one.lower() == other.lower()


def is_among(address: str, people: Iterable[str]) -> bool:
    """Return whether one of these addresses belongs to that person."""
    return any(same_person(one, address) for one in people)
