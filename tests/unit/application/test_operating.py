"""While an approval waits: reminders, escalation, another approver, more time, withdrawal."""

from itertools import pairwise
from typing import Any

import pytest

from chalicelib.application import deciding, operating
from chalicelib.domain import errors
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Cancel, Command, Extend, Reassign, Remind
from chalicelib.domain.events import EVENTS_KEPT
from tests.builders import asked, people
from tests.fakes import FakePorts
from tests.unit.application.test_deciding import tick

ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"
BOSS = "boss@example.com"


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def minutes(ports: FakePorts, number: int) -> None:
    """Let that many minutes pass, each with its tick."""
    for _ in range(number):
        ports.later(minutes=1)
        tick(ports)


def operate(ports: FakePorts, approval_id: str, operation: Command) -> Approval:
    return operating.change(ports, approval_id, operation, by=BOSS, via="api")


def mails(ports: FakePorts, address: str) -> list[str]:
    return [email.subject for to, email in ports.mailer.sent if to == address]


def whats(ports: FakePorts, approval_id: str) -> list[str]:
    return [event.what for event in operating.find_approval(ports, approval_id).events]


def test_reminders_come_ever_further_apart(ports: FakePorts) -> None:
    """After 1, then 2, then 4 intervals more; the last before the deadline, none after."""
    asked(ports, remindEvery=600, expiresIn=6000)
    sent = []
    for minute in range(1, 140):
        before = len(ports.mailer.sent)
        minutes(ports, 1)
        sent += [minute] * (len(ports.mailer.sent) - before)
    assert sent == [10, 30, 70, 100], "the last is the news that it has expired"
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]


def test_only_who_hasnt_answered_is_reminded_and_every_link_stays_good(ports: FakePorts) -> None:
    """The first mail's link decides as well as the reminder's."""
    asked(ports, approvers=[ADA, GRACE], approvalsNeeded=2, remindEvery=600)
    first = ports.token_mailed_to(GRACE)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    minutes(ports, 10)
    assert len(mails(ports, ADA)) == 1
    assert mails(ports, GRACE) == [
        "Approval needed: Release 4.2",
        "Reminder, approval needed: Release 4.2",
    ]
    assert "1 approval" in ports.mailer.sent[-1][1].text
    assert ports.token_mailed_to(GRACE) != first
    deciding.decide(ports, first, "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1


def test_nothing_is_reminded_after_the_outcome(ports: FakePorts) -> None:
    """Decided means done, however many reminders were due."""
    asked(ports, approvers=[ADA, GRACE], remindEvery=300)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    minutes(ports, 60)
    assert mails(ports, ADA) == ["Approval needed: Release 4.2"]
    assert mails(ports, GRACE) == ["Approval needed: Release 4.2", "Approved: Release 4.2"]


def test_an_hour_late_a_tick_reminds_once(ports: FakePorts) -> None:
    """What was missed isn't made up for."""
    asked(ports, remindEvery=300)
    ports.later(hours=1)
    tick(ports)
    tick(ports)
    assert len(mails(ports, ADA)) == 2


def test_reminded_by_hand_with_the_next_tick(ports: FakePorts) -> None:
    """Twice asked before the tick came is one mail; the record has both."""
    approval_id = asked(ports)
    operate(ports, approval_id, Remind())
    operate(ports, approval_id, Remind())
    tick(ports)
    assert len(mails(ports, ADA)) == 2
    assert whats(ports, approval_id).count("reminded") == 2


def test_the_fallback_is_asked_when_nobody_answers(ports: FakePorts) -> None:
    """They are told why, and count like the others."""
    approval_id = asked(ports, escalation={"after": 600, "approvers": [ADA, GRACE]})
    minutes(ports, 9)
    assert mails(ports, GRACE) == []
    minutes(ports, 1)
    assert "because it hasn't been decided in time" in ports.mailer.sent[-1][1].text
    assert len(mails(ports, ADA)) == 1
    deciding.decide(ports, ports.token_mailed_to(GRACE), "approve", reason="", via="page")
    assert operating.find_approval(ports, approval_id).outcome == "approved"
    (event,) = [
        e for e in operating.find_approval(ports, approval_id).events if e.what == "escalated"
    ]
    assert event.note == GRACE


def test_all_means_all_who_were_asked_first(ports: FakePorts) -> None:
    """The fallback can stand in for one who doesn't answer."""
    fallback: dict[str, Any] = {"after": 60, "approvers": [LINUS]}
    asked(ports, approvers=[ADA, GRACE], approvalsNeeded="all", escalation=fallback)
    minutes(ports, 1)
    for person in (ADA, LINUS):
        deciding.decide(ports, ports.token_mailed_to(person), "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1


def test_an_escalation_without_anybody_new_says_so(ports: FakePorts) -> None:
    """Once, and mails nobody."""
    approval_id = asked(ports, escalation={"after": 60, "approvers": [ADA.upper()[:3] + ADA[3:]]})
    minutes(ports, 5)
    (event,) = [
        e for e in operating.find_approval(ports, approval_id).events if e.what == "escalated"
    ]
    assert event.note == "nobody new to add"
    assert len(ports.mailer.sent) == 1


def test_somebody_else_is_asked_and_the_old_link_dies_at_once(ports: FakePorts) -> None:
    """The old link says who has it now; the new one decides; the note is in the mail."""
    approval_id = asked(ports, approvers=[ADA, LINUS], approvalsNeeded=2)
    old = ports.token_mailed_to(ADA)
    operate(ports, approval_id, Reassign(from_=ADA, to=GRACE, note="Ada is\naway"))
    with pytest.raises(errors.Reassigned, match=GRACE):
        deciding.decide(ports, old, "approve", reason="", via="page")
    minutes(ports, 1)
    mail = ports.mailer.sent[-1][1].text
    assert f"{GRACE}, you are asked instead of {ADA}" in mail
    assert "| Ada is\n| away" in mail
    for person in (GRACE, LINUS):
        deciding.decide(ports, ports.token_mailed_to(person), "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1
    assert [a.address for a, _ in operating.find_approval(ports, approval_id).decisions] == [
        GRACE,
        LINUS,
    ]


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        (GRACE, LINUS, "from"),
        (ADA, ADA, "to"),
        (ADA, "somebody@elsewhere.example", "to"),
        (ADA, "no address", "to"),
        (ADA, "mary@example.com", "to"),
    ],
    ids=["not asked", "asked already", "foreign domain", "no address", "the requester"],
)
def test_not_everybody_can_be_asked_instead(
    ports: FakePorts, one: str, other: str, field: str
) -> None:
    """The refusal names the field; nothing is written or mailed."""
    approval_id = asked(ports, requestedBy="mary@example.com")
    before = list(ports.effects.done)
    with pytest.raises(errors.InvalidRequest) as refused:
        operate(ports, approval_id, Reassign(from_=one, to=other))
    assert refused.value.field == field
    assert ports.effects.done == before


def test_who_has_decided_is_not_replaced(ports: FakePorts) -> None:
    """A decision is final."""
    approval_id = asked(ports, approvers=[ADA, GRACE], approvalsNeeded=2)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    with pytest.raises(errors.InvalidRequest, match="decided already"):
        operate(ports, approval_id, Reassign(from_=ADA, to=LINUS))


def test_fifty_people_at_the_most_are_ever_asked(ports: FakePorts) -> None:
    """Passing it on for ever ends."""
    crowd = people(50)
    approval_id = asked(ports, approvers=crowd[:1])
    for one, other in pairwise(crowd):
        operate(ports, approval_id, Reassign(from_=one, to=other))
    with pytest.raises(errors.InvalidRequest, match="50 people"):
        operate(ports, approval_id, Reassign(from_=crowd[-1], to=ADA))


def test_more_time_moves_the_deadline(ports: FakePorts) -> None:
    """The old one passes without an end, the new one ends it."""
    approval_id = asked(ports, expiresIn=60)
    operate(ports, approval_id, Extend(expires_in=600))
    minutes(ports, 9)
    assert ports.executions.answers == []
    minutes(ports, 1)
    assert [answer.error for answer in ports.executions.answers] == ["Expired"]
    assert "extended" in whats(ports, approval_id)


@pytest.mark.parametrize(
    "operation", [Remind(), Extend(expires_in=60), Reassign(from_=ADA, to=GRACE), Cancel()]
)
def test_nothing_can_be_done_to_what_is_over(ports: FakePorts, operation: Command) -> None:
    """Decided: 409. Past its deadline: 410. Nothing is written, mailed or resumed."""
    decided = asked(ports)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    late = asked(ports, "another-token", expiresIn=60)
    ports.later(seconds=60)
    before = list(ports.effects.done)
    for approval_id, error in ((decided, errors.AlreadyDecided), (late, errors.Expired)):
        with pytest.raises(error):
            operate(ports, approval_id, operation)
    assert ports.effects.done == before


def test_the_record_stays_bounded(ports: FakePorts) -> None:
    """Beyond 200 events the oldest about mail become a count; what matters stays."""
    approval_id = asked(ports)
    for _ in range(EVENTS_KEPT):
        operate(ports, approval_id, Remind())
        ports.later(minutes=6)
        tick(ports)
    approval = operating.find_approval(ports, approval_id)
    assert len(approval.events) == EVENTS_KEPT
    assert approval.folded_events == 2 + 2 * EVENTS_KEPT - EVENTS_KEPT
    assert approval.events[0].what == "requested"


def test_the_requester_is_told_at_the_start_and_at_the_end(ports: FakePorts) -> None:
    """A receipt with the link that withdraws; then the outcome with every reason given."""
    asked(ports, approvers=[ADA, GRACE], approvalsNeeded=2, requestedBy=BOSS)
    tick(ports)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    deciding.decide(
        ports, ports.token_mailed_to(GRACE), "reject", reason="the tests\nare red", via="page"
    )
    minutes(ports, 1)
    assert mails(ports, BOSS) == ["Asked: Release 4.2", "Rejected: Release 4.2"]
    news = ports.mailer.sent[-2][1].text
    assert "your request was rejected on 22 Nov 2026" in news
    assert "ada@example.com approved on" in news
    assert "| the tests\n| are red" in news


def test_the_others_are_told_that_it_is_done(ports: FakePorts) -> None:
    """By whom, and that nothing is asked of them; who closed it knows."""
    asked(ports, approvers=[ADA, GRACE])
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    minutes(ports, 1)
    assert mails(ports, GRACE)[1:] == ["Approved: Release 4.2"]
    assert mails(ports, ADA)[1:] == []
    text = ports.mailer.sent[-1][1].text
    assert "ada@example.com approved on" in text
    assert "Nothing more is asked of you about this." in text


def test_a_requester_outside_the_domains_is_not_mailed(ports: FakePorts) -> None:
    """They may ask; the roles' policy wouldn't let them be mailed."""
    asked(ports, requestedBy="somebody@elsewhere.example")
    minutes(ports, 60)
    assert [to for to, _ in ports.mailer.sent] == [ADA]


def test_the_requester_withdraws_by_their_own_link(ports: FakePorts) -> None:
    """Nobody else's link does that, and theirs decides nothing."""
    approval_id = asked(ports, requestedBy=BOSS)
    tick(ports)
    token = ports.token_mailed_to(BOSS, "cancel")
    for stranger in (ports.token_mailed_to(ADA), token[:-1] + ("a" if token[-1] != "a" else "b")):
        with pytest.raises(errors.NotFound):
            deciding.cancel(ports, stranger, "", "page")
    with pytest.raises(errors.NotFound):
        deciding.decide(ports, token, "approve", reason="", via="page")
    deciding.cancel(ports, token, "not needed", "page")
    assert [answer.error for answer in ports.executions.answers] == ["Cancelled"]
    minutes(ports, 1)
    assert mails(ports, ADA)[1:] == ["Withdrawn: Release 4.2"]
    assert mails(ports, BOSS) == ["Asked: Release 4.2"]
    assert operating.find_approval(ports, approval_id).events[-1].note == "outcome"


def test_news_that_reach_nobody_are_given_up(ports: FakePorts) -> None:
    """On record, after an hour or two; the tick has nothing left to do then."""
    approval_id = asked(ports, requestedBy=BOSS)
    ports.mailer.subscriptions[BOSS] = "pending"
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    for _ in range(40):
        minutes(ports, 10)
    approval = operating.find_approval(ports, approval_id)
    assert approval.outbox == ()
    assert approval.events[-1].what == "undelivered"
    assert mails(ports, BOSS) == []


def test_an_approver_passes_it_on_by_their_own_page(ports: FakePorts) -> None:
    """Their link then says who has it; a bad address changes nothing."""
    asked(ports)
    token = ports.token_mailed_to(ADA)
    with pytest.raises(errors.InvalidRequest):
        deciding.reassign(ports, token, "grace@elsewhere.example", note="", via="page")
    deciding.reassign(ports, token, GRACE, note="please", via="page")
    with pytest.raises(errors.Reassigned):
        deciding.reassign(ports, token, LINUS, note="", via="page")
    minutes(ports, 1)
    deciding.decide(ports, ports.token_mailed_to(GRACE), "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1


def test_the_first_link_outlives_many_reminders(ports: FakePorts) -> None:
    """However often somebody is reminded by hand."""
    approval_id = asked(ports)
    first = ports.token_mailed_to(ADA)
    for _ in range(15):
        operate(ports, approval_id, Remind())
        minutes(ports, 1)
    deciding.decide(ports, first, "approve", reason="", via="page")
    assert len(ports.executions.answers) == 1


def test_who_asks_and_decides_has_two_different_secrets(ports: FakePorts) -> None:
    """With `allowSelfApproval`, too, the link that withdraws doesn't decide."""
    ports.effects.faulty.add("mailer.send")
    asked(ports, requestedBy=ADA, allowSelfApproval=True)
    ports.effects.faulty.clear()
    minutes(ports, 30)
    cancelling = next(
        email.text.split("/cancel/")[1].split()[0]
        for _, email in ports.mailer.sent
        if "/cancel/" in email.text
    )
    with pytest.raises(errors.NotFound):
        deciding.decide(ports, cancelling, "approve", reason="", via="page")
