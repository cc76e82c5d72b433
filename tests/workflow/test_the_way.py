"""The use cases over recording fakes: what happens, in which order, and what doesn't."""

import json

import pytest

from chalicelib.application import asking, deciding, operating, outbox_relay
from chalicelib.domain import errors, link_tokens
from chalicelib.domain.commands import Cancel
from chalicelib.domain.outbox_entries import LEASE
from tests.asking import asked, people
from tests.fakes import EXECUTION, TOKEN, FakePorts


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def test_a_request_mails_every_approver_links_of_their_own(ports: FakePorts) -> None:
    """Each approver gets one mail, and no two mails share a link."""
    asked(ports, approvers=people(3))
    assert [to for to, _ in ports.mailer.sent] == people(3)
    tokens = {ports.token_mailed_to(person) for person in people(3)}
    assert len(tokens) == 3


def test_the_same_task_token_again_asks_nobody_twice(ports: FakePorts) -> None:
    """A request delivered twice makes one approval and one set of mails."""
    first = asked(ports, approvers=people(2))
    again = asked(ports, approvers=people(2))
    assert first == again
    assert len(ports.mailer.sent) == 2


def test_approving_resumes_the_task_with_the_result(ports: FakePorts) -> None:
    """The one approval needed sends the task its success, whole and without secrets."""
    approval_id = asked(ports)
    deciding.decide(
        ports, ports.token_mailed_to("ada@example.com"), "approve", reason="fine", via="page"
    )
    (answer,) = ports.executions.answers
    assert answer.task_token == TOKEN
    assert answer.output is not None
    assert json.loads(answer.output) == {
        "outcome": "approved",
        "approvalId": approval_id,
        "subject": "Release 4.2",
        "decisions": [
            {
                "approver": "ada@example.com",
                "decision": "approve",
                "reason": "fine",
                "decidedAt": "2026-11-22T09:00:00Z",
            }
        ],
        "closedAt": "2026-11-22T09:00:00Z",
    }
    assert operating.find_approval(ports, approval_id).resumed_at == ports.time


def test_rejecting_fails_the_task_as_rejected_with_the_result_as_cause(ports: FakePorts) -> None:
    """The workflow can catch `Rejected` and read who said no, and why."""
    asked(ports)
    deciding.decide(
        ports, ports.token_mailed_to("ada@example.com"), "reject", reason="too soon", via="page"
    )
    (answer,) = ports.executions.answers
    assert answer.error == "Rejected"
    assert json.loads(answer.cause or "")["decisions"][0]["reason"] == "too soon"


def test_a_vote_that_doesnt_close_resumes_nothing(ports: FakePorts) -> None:
    """One of two needed approvals is written down, and the task goes on waiting."""
    asked(ports, approvers=people(3), approvalsNeeded=2)
    before = len(ports.effects.done)
    deciding.decide(ports, ports.token_mailed_to(people(3)[0]), "approve", reason="", via="page")
    assert ports.effects.done[before:] == ["store.replace"]


def test_the_closing_vote_writes_before_it_resumes_and_after(ports: FakePorts) -> None:
    """Write, resume, write that it is done: a crash anywhere between loses nothing."""
    asked(ports)
    before = len(ports.effects.done)
    deciding.decide(
        ports, ports.token_mailed_to("ada@example.com"), "approve", reason="", via="page"
    )
    assert ports.effects.done[before:] == ["store.replace", "executions.answer", "store.replace"]


@pytest.mark.parametrize(("choice", "status"), [("approve", 200), ("reject", 409)])
def test_a_second_click_changes_nothing(ports: FakePorts, choice: str, status: int) -> None:
    """The same decision again is confirmed, the opposite refused; neither has an effect."""
    asked(ports)
    token = ports.token_mailed_to("ada@example.com")
    deciding.decide(ports, token, "approve", reason="", via="page")
    before = list(ports.effects.done)
    with pytest.raises(errors.AlreadyDecided) as refused:
        deciding.decide(ports, token, choice, reason="why", via="page")  # type: ignore[arg-type]
    assert refused.value.status == status
    assert ports.effects.done == before


def test_a_bad_request_fails_its_task_by_name_and_leaves_no_trace(ports: FakePorts) -> None:
    """`InvalidRequest` names the field; nothing is stored or mailed."""
    question = {"taskToken": TOKEN, "executionArn": EXECUTION, "request": {"subject": "x"}}
    assert asking.request_approval(ports, question, "function") is None
    (answer,) = ports.executions.answers
    assert answer.error == "InvalidRequest"
    assert json.loads(answer.cause or "")["field"] == "approvers"
    assert ports.effects.done == ["executions.answer"]


@pytest.mark.parametrize(
    "question",
    [None, [], {}, {"request": {}}, {"taskToken": 7}, {"taskToken": None, "executionArn": "x"}],
)
def test_a_question_without_a_task_token_is_refused(ports: FakePorts, question: object) -> None:
    """Nobody could be answered, so the function itself fails, by name."""
    with pytest.raises(errors.InvalidRequest):
        asking.request_approval(ports, question, "function")
    assert ports.effects.done == []


def test_one_approvers_secret_is_no_key_to_another_approval(ports: FakePorts) -> None:
    """A link is bound to one approver and one approval."""
    asked(ports)
    mine = ports.token_mailed_to("ada@example.com")
    other = asked(ports, task_token="another" * 90)
    forged = f"{other}.{mine.split('.')[1]}"
    before = list(ports.effects.done)
    with pytest.raises(errors.NotFound):
        deciding.find_for_approver(ports, forged)
    with pytest.raises(errors.NotFound):
        deciding.decide(ports, forged, "approve", reason="", via="page")
    assert ports.effects.done == before


def test_what_is_stored_opens_no_page(ports: FakePorts) -> None:
    """Only the hash of a link's secret is kept."""
    approval_id = asked(ports)
    secret = ports.token_mailed_to("ada@example.com").split(".")[1]
    assert secret.encode() not in ports.store._items[approval_id]
    assert link_tokens.digest(secret).encode() in ports.store._items[approval_id]


def test_an_unconfirmed_approver_is_invited_and_mailed_once_they_confirm(ports: FakePorts) -> None:
    """The mail stays promised: the tick sends it when it can arrive, with a link that works."""
    ports.mailer.subscriptions["ada@example.com"] = "none"
    approval_id = asked(ports)
    assert ports.mailer.invitations == ["ada@example.com"]
    for _ in range(60):
        ports.later(minutes=1)
        tick(ports)
    assert ports.mailer.sent == []
    waiting = operating.find_approval(ports, approval_id)
    assert [event.what for event in waiting.events] == ["requested", "invited", "unconfirmed"]
    assert waiting.approvers[0].link_hashes == ()

    ports.mailer.subscriptions["ada@example.com"] = "confirmed"
    ports.later(minutes=15)
    tick(ports)
    deciding.decide(
        ports, ports.token_mailed_to("ada@example.com"), "approve", reason="", via="page"
    )
    assert len(ports.mailer.sent) == len(ports.executions.answers) == 1


def test_a_mail_that_sns_refuses_is_shown_as_failed_and_tried_again(ports: FakePorts) -> None:
    """What failed is on record, and sent as soon as SNS takes it."""
    ports.mailer.refuses = True
    approval_id = asked(ports)
    assert operating.find_approval(ports, approval_id).approvers[0].mail == "failed"
    ports.mailer.refuses = False
    ports.later(minutes=5)
    tick(ports)
    assert operating.find_approval(ports, approval_id).approvers[0].mail == "sent"


def test_an_approval_expires_by_itself(ports: FakePorts) -> None:
    """At its deadline the tick fails the task as `Expired`, once."""
    approval_id = asked(ports, expiresIn=60)
    ports.later(seconds=59)
    tick(ports)
    assert ports.executions.answers == []
    ports.later(seconds=1)
    tick(ports)
    tick(ports)
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]
    assert ports.executions.refused == []
    assert operating.find_approval(ports, approval_id).outcome == "expired"


def test_a_vote_after_the_deadline_is_refused_before_the_tick_came(ports: FakePorts) -> None:
    """The deadline holds by the clock, not by the sweep."""
    asked(ports, expiresIn=60)
    ports.later(seconds=60)
    with pytest.raises(errors.Expired):
        deciding.decide(
            ports, ports.token_mailed_to("ada@example.com"), "approve", reason="", via="page"
        )
    assert ports.executions.answers == []


def test_a_cancelled_approval_fails_its_task_as_cancelled(ports: FakePorts) -> None:
    """Withdrawn once; a second time changes nothing."""
    approval_id = asked(ports)
    operating.change(
        ports, approval_id, Cancel(reason="not needed"), by="mary@example.com", via="api"
    )
    with pytest.raises(errors.AlreadyDecided):
        operating.change(ports, approval_id, Cancel(reason=""), by="mary@example.com", via="api")
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    with pytest.raises(errors.Cancelled):
        deciding.decide(
            ports, ports.token_mailed_to("ada@example.com"), "approve", reason="", via="page"
        )


def test_step_functions_away_loses_no_decision(ports: FakePorts) -> None:
    """The vote is recorded and answered; the tick resumes the task when it can."""
    asked(ports)
    ports.effects.faulty.add("executions.answer")
    decided, _ = deciding.decide(
        ports, ports.token_mailed_to("ada@example.com"), "approve", reason="", via="page"
    )
    assert (decided.outcome, decided.resumed_at) == ("approved", None)
    assert ports.logged[-1]["event"] == "promise_waits"
    ports.effects.faulty.clear()
    tick(ports)
    assert ports.executions.answers == [], "whoever closed it has the lease still"
    ports.later(seconds=LEASE.total_seconds())
    tick(ports)
    assert len(ports.executions.answers) == 1


def test_starting_again_with_the_same_key_and_body_finds_the_same_execution(
    ports: FakePorts,
) -> None:
    """White space and the order of fields make no other body; a field does."""
    asks = {"subject": "x", "approvers": ["ada@example.com"]}
    turned = dict(reversed(asks.items()))
    assert operating.start_execution(ports, asks, "key") == operating.start_execution(
        ports, turned, "key"
    )
    with pytest.raises(errors.IdempotencyConflict):
        operating.start_execution(ports, asks | {"subject": "y"}, "key")


def tick(ports: FakePorts) -> None:
    """Do what app.tick does."""
    for approval_id in ports.store.due(ports.now()):
        outbox_relay.relay(ports, approval_id)
