"""How many calls of AWS each operation makes, counted on real clients over moto."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from chalicelib.adapters.dynamodb import DynamoDbStore
from chalicelib.adapters.dynamodb_policies import DynamoDbPolicies
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from chalicelib.application import asking, ending, outbox_relay
from chalicelib.application.policies import write_policy
from chalicelib.application.tick import tick
from chalicelib.domain import link_tokens
from tests.aws.clients import session
from tests.aws.table import TABLE, calls, make_table
from tests.builders import people, request_approval, task_request
from tests.fakes import EXECUTION, TOKEN
from tests.policies import group, policy_body
from tests.unit.entrypoints.client import BROWSER, AppClient, AppPorts, install

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:assent-test"
READ, RESUME = "GetItem", "SendTaskSuccess"
QUERY, READ_ALL = "Query", "BatchGetItem"
TRANSACTION, WRITE = "TransactWriteItems", "PutItem"
"""A write that changes for whom the approval waits, and one that doesn't."""


class Counted:
    """The app on DynamoDB and Step Functions, and the calls that it has made."""

    def __init__(self, ports: AppPorts, client: AppClient) -> None:
        self.ports, self.client = ports, client
        dynamodb, states = session().client("dynamodb"), session().client("stepfunctions")
        make_table(dynamodb)
        self._made = calls(dynamodb, states)
        ports.store = cast("Any", DynamoDbStore(dynamodb, TABLE))
        ports.policies = cast("Any", DynamoDbPolicies(dynamodb, TABLE))
        ports.executions = cast("Any", StepFunctionsExecutions(states, MACHINE))

    def calls(self) -> list[str]:
        """Return the names of the calls since the last time."""
        names = [name for name, _ in self._made]
        self._made.clear()
        return names


@pytest.fixture
def counted(
    account: None,  # noqa: ARG001 (it must be set first)
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Counted:
    """Return the app on real adapters over moto."""
    return Counted(install(monkeypatch), AppClient(str(tmp_path)))


def test_opening_a_page_costs_one_read(counted: Counted) -> None:
    """By GET and HEAD, before the decision and after it."""
    request_approval(counted.ports)
    path = f"/approve/{counted.ports.link()}"
    for decided in (False, True):
        if decided:
            counted.client.post_form(path)
        counted.calls()
        for method in ("GET", "HEAD"):
            counted.client.request(method, path, accept=BROWSER)
            assert counted.calls() == [READ]


def test_a_decision_that_does_not_close_costs_a_read_and_a_write(counted: Counted) -> None:
    request_approval(counted.ports, approvers=people(2), approvalsNeeded="all")
    counted.calls()
    path = f"/approve/{counted.ports.link(people(2)[0])}"
    assert counted.client.post_form(path).status == 200
    assert counted.calls() == [READ, TRANSACTION]


def test_the_closing_decision_costs_four_calls(counted: Counted) -> None:
    """Read, write, resume the task, write that it was resumed."""
    request_approval(counted.ports)
    counted.calls()
    assert counted.client.post_form(f"/approve/{counted.ports.link()}").status == 200
    assert counted.calls() == [READ, TRANSACTION, RESUME, WRITE]


def test_a_reassignment_costs_a_read_of_a_delegation_and_a_write(counted: Counted) -> None:
    """Beside the read of the approval; the tick sends the mail."""
    request_approval(counted.ports)
    counted.calls()
    path = f"/reassign/{counted.ports.link()}"
    assert counted.client.post_form(path, to="grace@example.com").status == 200
    assert counted.calls() == [READ, READ, TRANSACTION]


def test_an_escalation_costs_a_read_of_a_delegation_for_each_fallback_approver(
    counted: Counted,
) -> None:
    """With the tick that asks them, and only then."""
    fallback = ["grace@example.com", "linus@example.com"]
    approval_id = request_approval(counted.ports, escalation={"after": 600, "approvers": fallback})
    for minutes, reads in ((9, 1), (1, 3), (1, 1)):
        counted.ports.later(minutes=minutes)
        counted.calls()
        outbox_relay.relay(counted.ports, approval_id)
        assert [name for name in counted.calls() if name == READ] == [READ] * reads


def test_the_second_click_costs_one_read(counted: Counted) -> None:
    request_approval(counted.ports)
    path = f"/approve/{counted.ports.link()}"
    counted.client.post_form(path)
    counted.calls()
    assert counted.client.post_form(path).status == 200
    assert counted.calls() == [READ]


def test_a_reminder_by_the_requester_costs_a_read_and_a_write(counted: Counted) -> None:
    """The tick mails; the same press again reads only."""
    request_approval(counted.ports, requestedBy="mary@example.com")
    tick(counted.ports, until=counted.ports.now() + timedelta(minutes=1))
    path = f"/cancel/{counted.ports.token_mailed_to('mary@example.com', 'cancel')}"
    counted.calls()
    for made in ([READ, WRITE], [READ]):
        assert counted.client.post_form(path, action="remind").status == 200
        assert counted.calls() == made


def test_a_malformed_link_costs_nothing(counted: Counted) -> None:
    """A stranger who guesses makes no calls."""
    assert counted.client.get("/approve/guess").status == 404
    assert counted.client.post_form("/approve/guess").status == 404
    assert counted.calls() == []


def test_an_unknown_link_costs_one_read(counted: Counted) -> None:
    token = f"{link_tokens.approval_id('x')}.{'a' * 32}"
    assert counted.client.get(f"/approve/{token}").status == 404
    assert counted.calls() == [READ]
    assert counted.client.post_form(f"/approve/{token}").status == 404
    assert counted.calls() == [READ]


@pytest.mark.parametrize("number", [1, 3])
def test_a_request_costs_a_write_and_for_each_approver_a_read_and_a_write(
    counted: Counted, number: int
) -> None:
    """The reads find delegations and refused addresses, the query older approvals."""
    request_approval(counted.ports, TOKEN, approvers=people(number))
    assert counted.calls() == [READ] * number + [READ_ALL, QUERY, TRANSACTION] + [WRITE] * number


def test_a_request_by_queue_costs_no_query(counted: Counted) -> None:
    """It supersedes nothing, since a queue doesn't keep the order."""
    asking.request_approval(counted.ports, task_request(), "queue")
    assert counted.calls() == [READ, READ_ALL, TRANSACTION, WRITE]


def test_a_policy_costs_one_read_when_asking_and_none_later(counted: Counted) -> None:
    """The approval has a copy; the entry of the policy is written with it."""
    write_policy(
        counted.ports, "release", policy_body(group("a", "ada")), replaces=None, by="operator"
    )
    counted.calls()
    body = {"subject": "Release", "policy": "release"}
    task = task_request() | {"request": body}
    asking.request_approval(counted.ports, task, "queue")
    assert counted.calls() == [READ, READ, READ_ALL, TRANSACTION, WRITE]
    path = f"/approve/{counted.ports.link()}"
    assert counted.client.get(path).status == 200
    assert counted.calls() == [READ]
    assert counted.client.post_form(path).status == 200
    assert counted.calls() == [READ, TRANSACTION, RESUME, WRITE]


def test_a_request_that_supersedes_another_costs_a_read_and_a_write_more(counted: Counted) -> None:
    request_approval(counted.ports)
    counted.calls()
    counted.ports.later(minutes=5)
    request_approval(counted.ports, "token-2", execution=EXECUTION)
    assert counted.calls() == [READ, READ_ALL, QUERY, READ_ALL, TRANSACTION, TRANSACTION, WRITE]


def test_the_end_of_an_execution_costs_a_query_a_read_and_a_write_if_it_left_one_pending(
    counted: Counted,
) -> None:
    request_approval(counted.ports)
    counted.calls()
    end = {"executionArn": EXECUTION, "status": "ABORTED", "stopDate": 1_800_000_000_000}
    for made in ([QUERY, READ_ALL, TRANSACTION], [QUERY, READ_ALL]):
        ending.end_approvals(counted.ports, end)
        assert counted.calls() == made
    ending.end_approvals(counted.ports, end | {"executionArn": "arn"})
    assert counted.calls() == [QUERY]


def test_the_same_request_again_costs_one_refused_write(counted: Counted) -> None:
    """After the reads of delegations and of older approvals; there is no other to find out."""
    request_approval(counted.ports)
    counted.calls()
    request_approval(counted.ports)
    assert counted.calls() == [READ, READ_ALL, QUERY, READ_ALL, TRANSACTION]
