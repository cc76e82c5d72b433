"""Deciding, reassigning and cancelling by mailed links: order of effects, and who may do what."""

import json

import pytest

from chalicelib.application import bulk_deciding, deciding
from chalicelib.domain import errors, link_tokens
from chalicelib.domain.approval import Choice
from chalicelib.presentation import serializers
from tests.builders import people, request_approval
from tests.fakes import TOKEN, FakePorts
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    MARY,
    decide,
    mailed_code,
    pass_minutes,
    run_tick,
    stored,
    subjects,
)


def test_approving_resumes_the_task_with_the_result(ports: FakePorts) -> None:
    approval_id = request_approval(ports)
    approval = decide(ports, reason="fine")
    (answer,) = ports.executions.answers
    assert (answer.task_token, answer.error) == (TOKEN, None)
    assert answer.output == serializers.output(approval)
    assert stored(ports, approval_id).resumed_at == ports.time


def test_rejecting_fails_the_task_with_the_result_as_cause(ports: FakePorts) -> None:
    """The workflow catches `Rejected` and reads who rejected, and why."""
    request_approval(ports)
    decide(ports, choice="reject", reason="too soon")
    (answer,) = ports.executions.answers
    assert answer.error == "Rejected"
    assert json.loads(answer.cause or "")["decisions"][0]["reason"] == "too soon"


def test_a_decision_that_does_not_close_is_one_write(ports: FakePorts) -> None:
    """The task is not answered yet."""
    request_approval(ports, approvers=people(3), approvalsNeeded=2)
    before = len(ports.effects.done)
    decide(ports, people(3)[0])
    assert ports.effects.done[before:] == ["store.replace"]


def test_the_closing_decision_is_written_before_the_task_is_resumed(ports: FakePorts) -> None:
    """Then it is written that the task was resumed: a crash in between loses nothing."""
    request_approval(ports)
    before = len(ports.effects.done)
    decide(ports)
    assert ports.effects.done[before:] == ["store.replace", "executions.answer", "store.replace"]


def test_the_same_decision_again_has_no_effect(ports: FakePorts) -> None:
    """It returns the approval as stored; the first reason stays."""
    approval_id = request_approval(ports)
    decide(ports, reason="first")
    before = ports.snapshot()
    again = decide(ports, reason="second")
    assert again == stored(ports, approval_id)
    assert again.decisions[0][1].reason == "first"
    assert ports.snapshot() == before


def test_the_opposite_decision_is_refused_and_has_no_effect(ports: FakePorts) -> None:
    request_approval(ports)
    decide(ports)
    before = ports.snapshot()
    with pytest.raises(errors.AlreadyDecided):
        decide(ports, choice="reject")
    assert ports.snapshot() == before


def test_an_approver_who_agrees_with_the_outcome_gets_no_decision_on_record(
    ports: FakePorts,
) -> None:
    approval_id = request_approval(ports, approvers=[ADA, GRACE])
    decide(ports, ADA)
    before = ports.snapshot()
    assert len(decide(ports, GRACE).decisions) == 1
    with pytest.raises(errors.AlreadyDecided, match="by others"):
        decide(ports, GRACE, "reject")
    assert ports.snapshot() == before
    assert stored(ports, approval_id).approver(GRACE).decision is None


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_a_bad_reason_decides_nothing(ports: FakePorts, choice: Choice) -> None:
    """Too long, or with half of a character."""
    request_approval(ports)
    before = ports.snapshot()
    for reason in ("x" * 2_001, "a\ud800b"):
        with pytest.raises(errors.InvalidRequest) as refusal:
            decide(ports, choice=choice, reason=reason)
        assert refusal.value.field == "reason"
    assert ports.snapshot() == before


def test_the_secret_of_one_approval_opens_no_other(ports: FakePorts) -> None:
    """The right id with another approval's secret is the same bad link as any other."""
    request_approval(ports)
    secret = ports.token_mailed_to(ADA).split(".")[1]
    other = request_approval(ports, task_token="another" * 90)
    before = ports.snapshot()
    for token in (f"{other}.{secret}", f"{link_tokens.approval_id('never')}.{secret}"):
        with pytest.raises(errors.NotFound, match="leads nowhere"):
            deciding.find_for_approver(ports, token)
        with pytest.raises(errors.NotFound, match="leads nowhere"):
            deciding.find_for_requester(ports, token)
        with pytest.raises(errors.NotFound, match="leads nowhere"):
            deciding.decide(ports, token, "approve", reason="", via="page")
        with pytest.raises(errors.NotFound, match="leads nowhere"):
            deciding.reassign(ports, token, GRACE, note="", via="page")
        with pytest.raises(errors.NotFound, match="leads nowhere"):
            deciding.cancel(ports, token, "", "page")
    assert ports.snapshot() == before


def test_each_link_of_a_mail_does_only_what_its_page_says(ports: FakePorts) -> None:
    """The requester's decides nothing, a decision link cancels nothing and opens no inbox."""
    request_approval(ports, requestedBy=MARY)
    run_tick(ports)
    decision, inbox = ports.token_mailed_to(ADA), ports.token_mailed_to(ADA, "inbox")
    cancel = ports.token_mailed_to(MARY, "cancel")
    before = ports.snapshot()
    for token in (inbox, cancel):
        with pytest.raises(errors.NotFound):
            deciding.decide(ports, token, "approve", reason="", via="page")
        with pytest.raises(errors.NotFound):
            deciding.reassign(ports, token, GRACE, note="", via="page")
        with pytest.raises(errors.NotFound):
            deciding.find_for_approver(ports, token)
    for token in (decision, inbox):
        with pytest.raises(errors.NotFound):
            deciding.cancel(ports, token, "", "page")
        with pytest.raises(errors.NotFound):
            deciding.find_for_requester(ports, token)
    for token in (decision, cancel):
        with pytest.raises(errors.NotFound):
            bulk_deciding.inbox(ports, token)
    assert ports.snapshot() == before


def test_a_requester_who_is_also_an_approver_has_two_secrets(ports: FakePorts) -> None:
    """With `allowSelfApproval`, too, the cancel link decides nothing, if one tick mails both."""
    ports.effects.faulty.add("mailer.send")
    request_approval(ports, requestedBy=ADA, allowSelfApproval=True)
    ports.effects.faulty.clear()
    ports.later(minutes=5)
    run_tick(ports)
    assert len(ports.mailer.sent) == 2
    (cancel,) = (
        email.text.split("/cancel/")[1].split()[0]
        for _, email in ports.mailer.sent
        if "/cancel/" in email.text
    )
    with pytest.raises(errors.NotFound):
        deciding.decide(ports, cancel, "approve", reason="", via="page")


def test_the_requester_cancels_by_their_own_link(ports: FakePorts) -> None:
    """The task fails as `Cancelled` at once; the next tick notifies everybody else."""
    approval_id = request_approval(ports, requestedBy=MARY)
    run_tick(ports)
    token = ports.token_mailed_to(MARY, "cancel")
    cancelled = deciding.cancel(ports, token, "not needed", "page")
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    assert cancelled == stored(ports, approval_id)
    before = ports.snapshot()
    assert deciding.cancel(ports, token, "again", "page") == cancelled
    assert ports.snapshot() == before
    pass_minutes(ports, 1)
    assert subjects(ports, ADA)[1:] == ["Cancelled: Release 4.2"]
    assert subjects(ports, MARY) == ["Asked: Release 4.2"]


def test_a_decided_request_can_not_be_cancelled(ports: FakePorts) -> None:
    request_approval(ports, requestedBy=MARY)
    run_tick(ports)
    decide(ports)
    with pytest.raises(errors.AlreadyDecided):
        deciding.cancel(ports, ports.token_mailed_to(MARY, "cancel"), "", "page")


def test_an_approver_has_another_person_asked_instead(ports: FakePorts) -> None:
    """Their own links then decide nothing; the new approver's do."""
    approval_id = request_approval(ports)
    token = ports.token_mailed_to(ADA)
    deciding.reassign(ports, token, GRACE, note="please", via="page")
    with pytest.raises(errors.Reassigned, match=GRACE):
        deciding.reassign(ports, token, LINUS, note="", via="page")
    for choice in ("approve", "reject"):
        with pytest.raises(errors.Reassigned, match=GRACE):
            decide(ports, ADA, choice)
    pass_minutes(ports, 1)
    decide(ports, GRACE)
    assert len(ports.executions.answers) == 1
    assert [a.address for a, _ in stored(ports, approval_id).decisions] == [GRACE]


@pytest.mark.parametrize(
    ("to", "note", "field"),
    [
        ("grace@elsewhere.example", "", "to"),
        ("no address", "", "to"),
        (f"{GRACE}\nBcc: {LINUS}", "", "to"),
        (f"Grace <{GRACE}>", "", "to"),
        (ADA, "", "to"),
        (MARY, "", "to"),
        (GRACE, "x" * 2_001, "note"),
        (GRACE, "a\ud800b", "note"),
    ],
)
def test_a_bad_address_or_note_reassigns_nothing(
    ports: FakePorts, to: str, note: str, field: str
) -> None:
    """A foreign domain, a person asked already, and the requester are refused as when asking."""
    request_approval(ports, requestedBy=MARY)
    before = ports.snapshot()
    with pytest.raises(errors.InvalidRequest) as refusal:
        deciding.reassign(ports, ports.token_mailed_to(ADA), to, note=note, via="page")
    assert refusal.value.field == field
    assert ports.snapshot() == before


def test_a_request_with_a_code_is_not_reassigned_without_it(ports: FakePorts) -> None:
    """Somebody with the link alone could otherwise have themselves asked, and be mailed a code."""
    request_approval(ports, codeRequired=True)
    token, code = ports.token_mailed_to(ADA), mailed_code(ports)
    before = ports.snapshot()
    with pytest.raises(errors.InvalidRequest) as refusal:
        deciding.reassign(ports, token, GRACE, note="", via="page", code=" ")
    assert refusal.value.field == "code"
    assert ports.snapshot() == before
    wrong = f"{(int(code) + 1) % 10**6:06}"
    with pytest.raises(errors.WrongCode):
        deciding.reassign(ports, token, GRACE, note="", via="page", code=wrong)
    approval, _ = deciding.reassign(ports, token, GRACE, note="", via="page", code=code)
    assert approval.approver(ADA).replaced_by == GRACE
    assert [e.what for e in approval.events].count("wrongCode") == 1


def test_the_record_names_the_approver_and_the_channel(ports: FakePorts) -> None:
    approval_id = request_approval(ports, requestedBy=MARY)
    deciding.reassign(ports, ports.token_mailed_to(ADA), GRACE, note="", via="page")
    run_tick(ports)
    decide(ports, GRACE, via="queue")
    acted = [(e.what, e.who, e.via) for e in stored(ports, approval_id).events if "@" in e.who]
    assert ("reassigned", ADA, "page") in acted
    assert ("approved", GRACE, "queue") in acted
