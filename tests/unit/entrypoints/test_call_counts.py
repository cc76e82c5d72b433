"""How many calls of AWS each operation costs, counted on real clients over moto."""

from pathlib import Path
from typing import Any, cast

import pytest
from chalice.test import Client

import app as doors_module
from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.domain import link_tokens
from tests.adapters.clients import session
from tests.adapters.table import TABLE, calls, make_table
from tests.builders import asked, people
from tests.fakes import TOKEN
from tests.unit.entrypoints.client import BROWSER, DoorPorts, Doors

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
READ, RESUME = "GetItem", "SendTaskSuccess"
MOVE, WRITE = "TransactWriteItems", "PutItem"
"""A write that changes whom it waits for, and one that doesn't."""


class Counted:
    """The doors on DynamoDB and Step Functions, and the calls made since last asked."""

    def __init__(self, ports: DoorPorts, doors: Doors) -> None:
        self.ports, self.doors = ports, doors
        dynamodb, states = session().client("dynamodb"), session().client("stepfunctions")
        make_table(dynamodb)
        self._made = calls(dynamodb, states)
        ports.store = cast("Any", DynamoDbStore(dynamodb, TABLE))
        ports.executions = cast("Any", StepFunctionsExecutions(states, MACHINE))

    def calls(self) -> list[str]:
        """Return the names of the calls since this was asked last."""
        names = [name for name, _ in self._made]
        self._made.clear()
        return names


@pytest.fixture
def counted(account: None, ports: DoorPorts, tmp_path: Path) -> Counted:  # noqa: ARG001 (it must be there first)
    """Return the doors on real adapters over moto."""
    return Counted(ports, Doors(Client(doors_module.app, project_dir=str(tmp_path))))


def test_opening_a_page_costs_one_read(counted: Counted) -> None:
    """GET and HEAD, open or decided."""
    asked(counted.ports)
    path = f"/approve/{counted.ports.link()}"
    for decided in (False, True):
        if decided:
            counted.doors.form(path)
        counted.calls()
        for method in ("GET", "HEAD"):
            counted.doors.ask(method, path, accept=BROWSER)
            assert counted.calls() == [READ]


def test_a_vote_that_closes_nothing_costs_a_read_and_a_write(counted: Counted) -> None:
    """Two calls."""
    asked(counted.ports, approvers=people(2), approvalsNeeded="all")
    counted.calls()
    assert counted.doors.form(f"/approve/{counted.ports.link(people(2)[0])}").status == 200
    assert counted.calls() == [READ, MOVE]


def test_the_vote_that_closes_costs_four_calls(counted: Counted) -> None:
    """Read, write, resume the task, write that it is done."""
    asked(counted.ports)
    counted.calls()
    assert counted.doors.form(f"/approve/{counted.ports.link()}").status == 200
    assert counted.calls() == [READ, MOVE, RESUME, WRITE]


def test_the_second_press_costs_no_write(counted: Counted) -> None:
    """The receipt is read again, and the task isn't answered again."""
    asked(counted.ports)
    path = f"/approve/{counted.ports.link()}"
    counted.doors.form(path)
    counted.calls()
    assert counted.doors.form(path).status == 200
    assert set(counted.calls()) == {READ}


def test_a_link_that_cannot_be_one_costs_nothing(counted: Counted) -> None:
    """A stranger who guesses makes no calls."""
    assert counted.doors.get("/approve/guess").status == 404
    assert counted.doors.form("/approve/guess").status == 404
    assert counted.calls() == []


def test_a_link_that_is_unknown_costs_one_read(counted: Counted) -> None:
    """By either method."""
    token = f"{link_tokens.approval_id('x')}.{'a' * 32}"
    assert counted.doors.get(f"/approve/{token}").status == 404
    assert counted.calls() == [READ]
    assert counted.doors.form(f"/approve/{token}").status == 404
    assert counted.calls() == [READ]


@pytest.mark.parametrize("number", [1, 3])
def test_asking_costs_a_write_and_one_for_each_mail(counted: Counted, number: int) -> None:
    """Read is only who is away; what was written is still in hand."""
    asked(counted.ports, TOKEN, approvers=people(number))
    assert counted.calls() == [READ] * number + [MOVE] + [WRITE] * number


def test_asking_again_costs_one_refused_write(counted: Counted) -> None:
    """The second delivery finds out by trying, once it has looked who is away."""
    asked(counted.ports)
    counted.calls()
    asked(counted.ports)
    assert counted.calls() == [READ, MOVE]
