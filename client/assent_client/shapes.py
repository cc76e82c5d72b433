"""Shapes of JSON: the type and the bounds of a value, by field. For checks that need no API."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Problem(NamedTuple):
    """A wrong field, as the API names it (`groups[0].name`; "" for the whole), and why.

    `code` is the API's code of the refusal.
    """

    field: str
    why: str
    code: str = "InvalidRequest"


Shape = Callable[[Any, str], Iterator[Problem]]
"""Yields the problems of a value, given the field that it is in."""


def text(least: int = 0, most: int = 254) -> Shape:
    """Return the shape of a text with that many characters."""

    def check(value: Any, field: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield Problem(field, "must be text")
        else:
            yield from _within(len(value), least, most, field, "have", " characters")

    return check


def whole_number(least: int, most: int) -> Shape:
    """Return the shape of an integer within bounds."""

    def check(value: Any, field: str) -> Iterator[Problem]:
        if not isinstance(value, int) or isinstance(value, bool):
            yield Problem(field, "must be a whole number")
        else:
            yield from _within(value, least, most, field, "be", "")

    return check


def either(choices: Iterable[str], other: Shape | None = None) -> Shape:
    """Return the shape of one of these texts, or of something else."""
    known = tuple(choices)

    def check(value: Any, field: str) -> Iterator[Problem]:
        if isinstance(value, str) and value in known:
            return
        if other is not None and not isinstance(value, str):
            yield from other(value, field)
        else:
            yield Problem(field, f"must be {'a number or ' if other else ''}{' or '.join(known)}")

    return check


def true_or_false(value: Any, field: str) -> Iterator[Problem]:
    """Yield a problem unless the value is a boolean."""
    if not isinstance(value, bool):
        yield Problem(field, "must be true or false")


def or_null(shape: Shape) -> Shape:
    """Return a shape that null has too."""
    return lambda value, field: iter(()) if value is None else shape(value, field)


def list_of(shape: Shape, least: int, most: int) -> Shape:
    """Return the shape of a list with that many entries."""

    def check(value: Any, field: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield Problem(field, "must be a list")
            return
        yield from _within(len(value), least, most, field, "have", " entries")
        for at, one in enumerate(value):
            yield from shape(one, f"{field}[{at}]")

    return check


def object_of(fields: Mapping[str, Shape], required: Iterable[str]) -> Shape:
    """Return the shape of an object that has these fields and no others."""

    def check(value: Any, field: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield Problem(field, "must be an object")
            return
        before = f"{field}." if field else ""
        for name, one in value.items():
            if name in fields:
                yield from fields[name](one, before + name)
            else:
                yield Problem(before + name, f"is unknown; the fields are {', '.join(fields)}")
        yield from (Problem(before + one, "is required") for one in required if one not in value)

    return check


def _within(
    number: int, least: int, most: int, field: str, verb: str, unit: str
) -> Iterator[Problem]:
    if number < least:
        yield Problem(field, f"must {verb} at least {least}{unit}")
    elif number > most:
        yield Problem(field, f"must {verb} at most {most}{unit}")
