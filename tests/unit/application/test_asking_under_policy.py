"""Asking under a policy: which version holds, who is asked, and what is refused."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import approvers, asking, operating, policies
from chalicelib.application.deciding import decide
from chalicelib.domain import transitions
from chalicelib.domain.approval import Approval
from chalicelib.domain.decidability import BAD_ADDRESS
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import InvalidRequest, Undecidable
from chalicelib.domain.invitation import Invitation
from tests.builders import task_request
from tests.fakes import TOKEN, FakePorts
from tests.policies import OPERATOR, group, policy_body
from tests.unit.steps import run_tick

NAME = "production-release"


@pytest.fixture
def ports() -> FakePorts:
    """Return a stage with a policy of one of security and two of operations."""
    made = FakePorts()
    write(made, breakGlass=["cto@example.com"])
    return made


def write(ports: FakePorts, *groups: dict[str, Any], **fields: Any) -> None:
    body = policy_body(*groups, **fields)
    policies.write_policy(ports, NAME, body, replaces=None, by=OPERATOR)


def ask(ports: FakePorts, task_token: str = TOKEN, **fields: Any) -> Approval | None:
    """Ask under the policy; return the approval, or None if the task was failed."""
    body = {"subject": "Release 4.2", "policy": NAME, **fields}
    task = task_request(task_token) | {"request": body}
    made = asking.request_approval(ports, task, "function")
    return None if made is None else ports.store.get(made)


def refusal(ports: FakePorts) -> dict[str, Any]:
    """Return what the task was failed with."""
    (answer,) = ports.executions.answers
    assert answer.error == "InvalidRequest", "the error that workflows catch"
    found: dict[str, Any] = json.loads(answer.cause or "")
    return found


def test_each_person_of_each_group_is_mailed_and_who_may_approve_alone(ports: FakePorts) -> None:
    approval = ask(ports)
    assert approval is not None
    mailed = [to for to, _ in ports.mailer.sent]
    assert mailed == [
        *(f"{name}@example.com" for name in ("sam", "sue", "ops1", "ops2", "ops3")),
        "cto@example.com",
    ]


def test_a_change_of_the_policy_touches_nothing_that_waits(ports: FakePorts) -> None:
    """Nor does its end; the next request is made under the new version."""
    first = ask(ports)
    write(ports, group("security", "sam"))
    second = ask(ports, "token-2")
    policies.remove_policy(ports, NAME, replaces=None, by=OPERATOR)
    assert first is not None
    assert second is not None
    assert first.request.policy is not None
    assert second.request.policy is not None
    assert (first.request.policy.version, second.request.policy.version) == (1, 2)
    for person in ("sam", "ops1", "ops2"):
        token = next(
            email.text.split("/approve/")[1].split()[0]
            for to, email in ports.mailer.sent
            if to == f"{person}@example.com"
        )
        done, _ = decide(ports, token, "approve", reason="", via="page")
    assert done.id == first.id
    assert done.outcome == "approved"


def test_the_same_request_again_makes_no_second_approval(ports: FakePorts) -> None:
    """Though the policy says something else by then, or is gone."""
    first = ask(ports)
    write(ports, group("security", "sam"))
    assert ask(ports) == first
    policies.remove_policy(ports, NAME, replaces=None, by=OPERATOR)
    assert ask(ports) == first
    assert ports.executions.answers == []


@pytest.mark.parametrize("name", ["nothing", "deleted", "Production-Release", "../x", "n" * 200, 7])
def test_a_request_under_no_policy_that_there_is_fails_its_task(
    ports: FakePorts, name: object
) -> None:
    policies.write_policy(ports, "deleted", policy_body(), replaces=None, by=OPERATOR)
    policies.remove_policy(ports, "deleted", replaces=None, by=OPERATOR)
    assert ask(ports, policy=name) is None
    assert refusal(ports)["field"] == "policy"
    assert ports.mailer.sent == []


def test_a_stage_may_require_a_policy(ports: FakePorts) -> None:
    """Then a request that picks its approvers itself is refused, and one under a policy is not."""
    ports.require_policy = True
    body = {"subject": "x", "approvers": ["ada@example.com"]}
    with pytest.raises(InvalidRequest, match="is required on this stage") as refused:
        operating.start_execution(ports, body, "name")
    assert refused.value.field == "policy"
    assert ask(ports) is not None


def test_an_undecidable_request_is_refused_before_anybody_is_asked(ports: FakePorts) -> None:
    """By the route, and by the task that waits."""
    for name in ("ops1", "ops2"):
        ports.store.put_approver(f"{name}@example.com", Invitation(ports.now(), BAD_ADDRESS))
    before = ports.snapshot()
    with pytest.raises(Undecidable, match="group operations needs 2 approvals"):
        operating.start_execution(ports, {"subject": "x", "policy": NAME}, "name")
    assert ports.snapshot() == before
    assert ask(ports) is None
    assert refusal(ports)["code"] == "Undecidable"
    assert ports.mailer.sent == []


def test_who_was_only_just_invited_counts(ports: FakePorts) -> None:
    """They may confirm in time."""
    for name in ("sam", "sue"):
        ports.store.put_approver(f"{name}@example.com", Invitation(ports.now()))
        ports.mailer.subscriptions[f"{name}@example.com"] = "pending"
    assert ask(ports) is not None


def test_a_refused_address_is_remembered_until_it_is_taken(ports: FakePorts) -> None:
    """The next request that needs it is refused; an accepted invitation ends that."""
    write(ports, group("security", "sam"))
    ports.mailer.subscriptions["sam@example.com"] = "none"
    ports.mailer.refuses = BAD_ADDRESS
    assert ask(ports) is not None, "nothing is known of the address yet"
    assert ask(ports, "token-2") is None
    ports.mailer.refuses = ""
    approvers.invite(ports, "sam@example.com")
    assert ask(ports, "token-3") is not None


@pytest.mark.parametrize("why", ["TopicLimitExceeded", "KMSDisabled"])
def test_a_refusal_that_says_nothing_of_the_address_is_not_remembered(
    ports: FakePorts, why: str
) -> None:
    """The account is at fault, and can be mended."""
    write(ports, group("security", "sam"))
    ports.mailer.subscriptions["sam@example.com"] = "none"
    ports.mailer.refuses = why
    assert ask(ports) is not None
    assert ask(ports, "token-2") is not None


def test_what_becomes_undecidable_is_told_once_and_counted_by_each_tick(ports: FakePorts) -> None:
    """The event bus hears of it; a reassignment ends it."""
    write(ports, group("security", "sam"))
    ports.mailer.subscriptions["sam@example.com"] = "none"
    ports.mailer.refuses = BAD_ADDRESS
    approval = ask(ports)
    assert approval is not None
    counted = []
    for _ in range(3):
        ports.later(minutes=20)
        run_tick(ports)
        counted.append(ports.logged[-1]["undecidable"])
    assert counted == [1, 1, 1]
    assert ports.event_bus.types == ["Approval undecidable"]
    (told,) = ports.event_bus.announced
    assert told["detail"]["approvalId"] == approval.id
    assert "group security needs 1 approval" in told["detail"]["why"]
    assert told["detail"]["policy"] == {"name": NAME, "version": 2}
    ports.mailer.refuses = ""
    ports.mailer.subscriptions["max@example.com"] = "confirmed"
    changed = transitions.reassign(
        ports.store.get(approval.id) or approval,
        "sam@example.com",
        "max@example.com",
        by="sam@example.com",
        note="",
        now=ports.now(),
        via="page",
    )
    assert ports.store.replace(changed, changed)
    run_tick(ports)
    mended = ports.store.get(approval.id)
    assert mended is not None
    assert mended.undecidable_since is None
    assert [e.what for e in mended.events if "decidable" in e.what] == ["undecidable", "decidable"]


def test_a_delegate_counts_in_the_groups_of_the_absent(ports: FakePorts) -> None:
    """And one who is asked anyway stands in for nobody."""
    now = ports.now()
    for absent, delegate in (("sam", "zoe"), ("ops1", "ops2")):
        own = f"{absent}@example.com"
        away = Delegation(f"{delegate}@example.com", now, now + timedelta(days=1), by=own)
        ports.store.put_delegation(own, away)
    approval = ask(ports)
    assert approval is not None
    asked = {a.address: a.groups for a in approval.approvers if a.groups}
    assert asked == {
        "zoe@example.com": (0,),
        "sue@example.com": (0,),
        **{f"ops{n}@example.com": (1,) for n in (1, 2, 3)},
    }


def test_the_same_start_again_finds_its_execution_though_the_policy_changed(
    ports: FakePorts,
) -> None:
    """A client repeats a call whose answer was lost, and the policy may be gone meanwhile."""
    body = {"subject": "x", "policy": NAME}
    started = operating.start_execution(ports, body, "key")
    policies.remove_policy(ports, NAME, replaces=None, by=OPERATOR)
    assert operating.start_execution(ports, body, "key") == started
    with pytest.raises(InvalidRequest):
        operating.start_execution(ports, body, "another")
    with pytest.raises(InvalidRequest):
        operating.start_execution(ports, body | {"subject": "y"}, "key")
    assert list(ports.executions.inputs) == ["key"]


def test_the_requester_hears_of_it_by_the_first_receipt(ports: FakePorts) -> None:
    """SNS refused the only approver before the requester had any mail."""
    write(ports, group("security", "sam"))
    ports.mailer.subscriptions["sam@example.com"] = "none"
    ports.mailer.refused = {"sam@example.com"}
    assert ask(ports, requestedBy="mary@example.com") is not None
    for _ in range(3):
        ports.later(minutes=2)
        run_tick(ports)
    subjects = [email.subject for to, email in ports.mailer.sent if to == "mary@example.com"]
    assert subjects == ["Cannot be approved: Release 4.2"]
