"""Commands of operators: their fields, and which one a refusal names."""

from typing import Any

import pytest

from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.decoding import convert
from chalicelib.domain.errors import InvalidRequest
from tests.unit.domain.refused import fit_to_send

ADA, GRACE = "ada@example.com", "grace@example.com"
ALLOWED: dict[type[Command], dict[str, Any]] = {
    Cancel: {"reason": "not needed"},
    Remind: {"reason": "soon"},
    Extend: {"expiresIn": 600, "reason": "more time"},
    Reassign: {"from": ADA, "to": GRACE, "note": "Ada is away"},
}
NO_TEXT: list[Any] = [1, None, [], {}, True]
NO_ADDRESS: list[Any] = [1, [], "", "x", "a" * 300]
NO_DURATION: list[Any] = [None, "60", 59, 0, -1, 60.5, True, 31_536_001, 10**30, [], {}]
WRONG: list[tuple[type[Command], str, list[Any]]] = [
    (Cancel, "reason", NO_TEXT),
    (Remind, "reason", NO_TEXT),
    (Extend, "reason", NO_TEXT),
    (Extend, "expiresIn", NO_DURATION),
    (Reassign, "note", NO_TEXT),
    (Reassign, "from", [None, *NO_ADDRESS]),
    (Reassign, "to", [None, *NO_ADDRESS]),
    *((command, "by", NO_ADDRESS) for command in ALLOWED),
    *((command, "colour", ["red"]) for command in ALLOWED),
    (Cancel, "note", ["x"]),
    (Remind, "reasons", ["x"]),
    (Extend, "expires_in", [60]),
    (Reassign, "from_", [ADA]),
]


@pytest.mark.parametrize("command", ALLOWED)
def test_a_command_is_read_with_and_without_its_actor(command: type[Command]) -> None:
    """Without `by`, the caller's IAM principal is recorded."""
    assert convert(ALLOWED[command], command).by is None
    assert convert(ALLOWED[command] | {"by": None}, command).by is None
    assert convert(ALLOWED[command] | {"by": ADA}, command).by == ADA


@pytest.mark.parametrize(("command", "field", "values"), WRONG)
def test_a_wrong_or_unknown_field_is_refused_by_name(
    command: type[Command], field: str, values: list[object]
) -> None:
    for value in values:
        with pytest.raises(InvalidRequest) as refusal:
            convert(ALLOWED[command] | {field: value}, command)
        assert fit_to_send(refusal.value).field == field


@pytest.mark.parametrize(
    ("command", "missing"), [(Extend, "expiresIn"), (Reassign, "from"), (Reassign, "to")]
)
def test_a_missing_required_field_is_named(command: type[Command], missing: str) -> None:
    sent = {name: value for name, value in ALLOWED[command].items() if name != missing}
    with pytest.raises(InvalidRequest) as refusal:
        convert(sent, command)
    assert refusal.value.field == missing


@pytest.mark.parametrize("command", ALLOWED)
@pytest.mark.parametrize("wrong", [None, [], 1, "text", [{}]])
def test_a_command_is_a_json_object(command: type[Command], wrong: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        convert(wrong, command)
    assert refusal.value.field is None
