"""Bulk deciding: an inbox link, its requests, and several decided one after the other."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.application import bulk_deciding, operating
from chalicelib.application.bulk_deciding import Inbox
from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.commands import Cancel, Reassign
from chalicelib.domain.errors import (
    AlreadyDecided,
    AssentError,
    Cancelled,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    WrongCode,
)
from tests.builders import people, request_approval
from tests.effects import Crash
from tests.fakes import FakePorts, FakeStore
from tests.unit.steps import (
    ADA,
    GRACE,
    LINUS,
    MARY,
    decide,
    operate,
    pass_minutes,
    stored,
    use_store,
)


def several_requests(ports: FakePorts, number: int, **fields: Any) -> list[str]:
    """Request so many approvals, each due an hour later than the one before; return their ids."""
    return [
        request_approval(ports, f"token-{n}", **{"expiresIn": 3_600 * (n + 1), **fields})
        for n in range(number)
    ]


def inbox_token(ports: FakePorts, address: str = ADA) -> str:
    """Return the token of the inbox link in the newest mail to that person."""
    return ports.token_mailed_to(address, "inbox")


def listed(ports: FakePorts, token: str) -> list[str]:
    """Return the ids of the requests in that inbox."""
    return [approval.id for approval in bulk_deciding.inbox(ports, token).approvals]


def outcomes(ports: FakePorts, ids: list[str]) -> list[str]:
    return [stored(ports, approval_id).outcome for approval_id in ids]


def decide_all(
    ports: FakePorts, selected: Inbox, choice: Choice = "approve", reason: str = ""
) -> list[AssentError | None]:
    """Decide the selected requests and return the error of each."""
    results = bulk_deciding.decide_all(ports, selected, choice, reason)
    return [result.error for result in results]


def test_the_last_link_of_every_mail_to_an_approver_opens_their_inbox(ports: FakePorts) -> None:
    """Of a request, a reminder, a reassignment and an outcome; the requester has no inbox."""
    ids = several_requests(ports, 2, approvers=[ADA, GRACE], requestedBy=MARY, remindEvery=300)
    operate(ports, ids[0], Reassign(from_=GRACE, to=LINUS))
    pass_minutes(ports, 6)
    decide(ports)
    pass_minutes(ports, 2)
    kinds = {email.subject.partition(":")[0] for _, email in ports.mailer.sent}
    assert kinds == {"Approval needed", "Reminder, approval needed", "Approved", "Asked"}
    for to, email in ports.mailer.sent:
        links = [line for line in email.text.split("\n") if line.startswith("https:")]
        token = links[-1].partition("/inbox/")[2] if links else ""
        if to == MARY:
            assert "/inbox/" not in email.text
        elif (to, token.partition(".")[0]) != (GRACE, ids[0]):  # Reassigned: its links are dead.
            assert bulk_deciding.inbox(ports, token).address == to


def test_an_inbox_has_all_requests_that_wait_for_its_reader_by_deadline(ports: FakePorts) -> None:
    """From whichever mail its link comes; not decided, expired or other people's requests."""
    ids = several_requests(ports, 4)
    request_approval(ports, "another", approvers=[GRACE])
    token = inbox_token(ports)
    assert listed(ports, token) == ids
    decide(ports)
    assert listed(ports, token) == ids[:-1]
    ports.later(minutes=61)
    assert listed(ports, token) == ids[1:-1]


class LaggingStore(FakeStore):
    """A store whose index still lists every approval as waiting."""

    def waiting_for(self, *_: object) -> tuple[list[Approval], str]:
        return self._all(), ""


def test_a_request_that_only_the_index_still_lists_is_left_out(ports: FakePorts) -> None:
    """The index is eventually consistent; the approvals themselves are read consistently."""
    ids = several_requests(ports, 3)
    operate(ports, ids[0], Cancel())
    decide(ports)
    use_store(ports, LaggingStore(ports.effects))
    assert listed(ports, inbox_token(ports)) == [ids[1]]


def test_a_long_inbox_has_several_pages(ports: FakePorts) -> None:
    """Each request is on one of them."""
    ids = several_requests(ports, bulk_deciding.PAGE_SIZE + 3)
    first = bulk_deciding.inbox(ports, inbox_token(ports))
    second = bulk_deciding.inbox(ports, inbox_token(ports), first.after)
    assert [a.id for a in (*first.approvals, *second.approvals)] == ids
    assert second.after == ""


def test_the_inbox_link_of_a_replaced_approver_is_dead(ports: FakePorts) -> None:
    """It is the link of a mail that should not have reached them; their other mails open it."""
    first = request_approval(ports, "one")
    token = inbox_token(ports)
    request_approval(ports, "two")
    operate(ports, first, Reassign(from_=ADA, to=GRACE))
    for use in (lambda: listed(ports, token), lambda: bulk_deciding.select(ports, token, [first])):
        with pytest.raises(Reassigned, match=r"grace@example\.com was asked"):
            use()
    assert len(listed(ports, inbox_token(ports))) == 1


@pytest.mark.parametrize("closed", [False, True], ids=["expired", "decided"])
def test_an_inbox_link_dies_a_week_after_its_own_request_has_ended(
    ports: FakePorts, closed: bool
) -> None:
    """An old mail doesn't open new requests; the link of a newer one does."""
    request_approval(ports, "long", expiresIn=10_000_000)
    newer = inbox_token(ports)
    request_approval(ports, "short", expiresIn=3_600)
    token = inbox_token(ports)
    if closed:
        decide(ports)
    ports.later(days=7, hours=0 if closed else 1)
    assert len(listed(ports, token)) == 1
    ports.later(seconds=1)
    with pytest.raises(Expired, match="too old"):
        listed(ports, token)
    assert len(listed(ports, newer)) == 1


@pytest.mark.parametrize("token", ["", "x", f"{'a' * 26}.{'a' * 32}"])
def test_a_bad_inbox_link_is_not_found(ports: FakePorts, token: str) -> None:
    """With the same message as every bad link."""
    request_approval(ports)
    with pytest.raises(NotFound, match="leads nowhere"):
        bulk_deciding.inbox(ports, token)
    with pytest.raises(NotFound, match="leads nowhere"):
        bulk_deciding.select(ports, token, ["a" * 26])


def test_several_requests_are_decided_at_once(ports: FakePorts) -> None:
    """Each gets its own decision, with the reason, and its task is resumed once."""
    ids = several_requests(ports, 3)
    selected = bulk_deciding.select(ports, inbox_token(ports), ids[:2])
    assert decide_all(ports, selected, reason="Looked through all.") == [None, None]
    assert outcomes(ports, ids) == ["approved", "approved", "pending"]
    assert [answer.task_token for answer in ports.executions.answers] == ["token-0", "token-1"]
    approval = stored(ports, ids[0])
    ((approver, decision),) = approval.decisions
    assert (approver.address, decision.reason) == (ADA, "Looked through all.")
    acted = [e.via for e in approval.events if e.what in ("approved", "resumed")]
    assert acted == ["list", "list"]
    assert listed(ports, inbox_token(ports)) == ids[2:]


def test_requests_that_can_not_be_decided_do_not_hold_up_the_others(ports: FakePorts) -> None:
    """Decided, reassigned, cancelled, expired, or in need of their code: each has its own error."""
    kinds = ("decided", "reassigned", "cancelled", "short", "coded", "fine")
    fields: dict[str, dict[str, Any]] = {
        "short": {"expiresIn": 60},
        "coded": {"codeRequired": True},
    }
    ids = [request_approval(ports, kind, **fields.get(kind, {})) for kind in kinds]
    token = inbox_token(ports)
    decide_all(ports, bulk_deciding.select(ports, token, ids[:1]), "reject", "No")
    operate(ports, ids[1], Reassign(from_=ADA, to=GRACE))
    operate(ports, ids[2], Cancel())
    ports.later(seconds=61)
    selected = bulk_deciding.select(ports, token, ids)
    wrong = [type(error) for error in decide_all(ports, selected)]
    assert wrong == [AlreadyDecided, Reassigned, Cancelled, Expired, WrongCode, type(None)]
    assert outcomes(ports, ids[4:]) == ["pending", "approved"]
    assert [a.task_token for a in ports.executions.answers] == ["decided", "cancelled", "fine"]


def test_a_reason_that_one_request_requires_is_needed_before_any_is_decided(
    ports: FakePorts,
) -> None:
    """A bad reason decides none of them either."""
    ids = [request_approval(ports, "one", reasonRequired="never"), request_approval(ports, "two")]
    selected = bulk_deciding.select(ports, inbox_token(ports), ids)
    before = ports.snapshot()
    for reason in ("", "\u200b", "x" * 2_001, "a\ud800b"):
        with pytest.raises(InvalidRequest) as refusal:
            decide_all(ports, selected, "reject", reason)
        assert refusal.value.field == "reason"
    assert ports.snapshot() == before


def test_only_requests_to_the_reader_can_be_selected(ports: FakePorts) -> None:
    """Malformed ids, none of the reader's, none at all, or more than one page shows: refused."""
    own, other = request_approval(ports, "one"), request_approval(ports, "two", approvers=[GRACE])
    unknown = link_tokens.approval_id("never")
    for ids in ([other], [unknown], [other, unknown], [own, "x"], [], [own, *people(25)]):
        with pytest.raises(InvalidRequest) as refusal:
            bulk_deciding.select(ports, inbox_token(ports), ids)
        assert refusal.value.field == "chosen"


def test_a_request_that_is_gone_does_not_hold_up_the_others(ports: FakePorts) -> None:
    """Erased, deleted or never there; one of other people looks just the same."""
    gone = request_approval(ports, "erased", reasonRequired="never")
    decide(ports)
    pass_minutes(ports, 2)
    operating.erase(ports, gone, by="operator", via="api")
    foreign = request_approval(ports, "foreign", approvers=[GRACE])
    before = stored(ports, foreign)
    own = request_approval(ports, "own")
    unknown = link_tokens.approval_id("never")
    selected = bulk_deciding.select(ports, inbox_token(ports), [gone, foreign, own, unknown])
    assert [approval.id for approval in selected.approvals] == [own]
    assert selected.missing == (gone, foreign, unknown)
    assert decide_all(ports, selected) == [None]
    assert stored(ports, own).outcome == "approved"
    assert stored(ports, foreign) == before


def test_deciding_the_same_requests_again_counts_as_recorded(ports: FakePorts) -> None:
    """An id that is sent twice is decided once; the opposite choice is refused."""
    ids = several_requests(ports, 2)
    selected = bulk_deciding.select(ports, inbox_token(ports), [*ids, ids[0]])
    assert decide_all(ports, selected) == [None, None]
    before = ports.snapshot()
    assert decide_all(ports, selected) == [None, None]
    assert [type(error) for error in decide_all(ports, selected, "reject", "No")] == [
        AlreadyDecided,
        AlreadyDecided,
    ]
    assert ports.snapshot() == before
    assert len(ports.executions.answers) == 2


@pytest.mark.parametrize("crash_at", range(6))
def test_after_a_crash_no_decision_is_lost_and_no_task_answered_twice(
    ports: FakePorts, crash_at: int
) -> None:
    """At each effect of two decisions; the reader sends the form again."""
    ids = several_requests(ports, 2)
    selected = bulk_deciding.select(ports, inbox_token(ports), ids)
    ports.effects.crash_at = len(ports.effects.done) + crash_at
    with pytest.raises(Crash):
        decide_all(ports, selected)
    decide_all(ports, selected)
    pass_minutes(ports, 2)
    assert outcomes(ports, ids) == ["approved", "approved"]
    answered = sorted(answer.task_token for answer in ports.executions.answers)
    assert answered == ["token-0", "token-1"]


class SlowPorts(FakePorts):
    """Ports whose clock moves on by a second each time it is read."""

    def now(self) -> datetime:
        self.later(seconds=1)
        return super().now()


def test_requests_for_which_there_is_no_time_left_are_not_decided() -> None:
    """The call ends before Lambda and API Gateway give up; each of the others is decided whole."""
    ports = SlowPorts()
    ids = several_requests(ports, 9)
    selected = bulk_deciding.select(ports, inbox_token(ports), ids)
    errors = decide_all(ports, selected)
    assert ports.time - selected.began <= timedelta(seconds=28)
    left = [error for error in errors if error is not None]
    assert 0 < len(left) < 9
    assert {error.status for error in left} == {503}
    assert len(ports.executions.answers) == 9 - len(left)


def test_a_decision_that_can_not_be_written_is_reported_as_unknown(ports: FakePorts) -> None:
    """A write that gets no answer may have been made, so it isn't reported as refused."""
    ids = several_requests(ports, 2)
    selected = bulk_deciding.select(ports, inbox_token(ports), ids)
    ports.effects.faulty = {"store.replace"}
    errors = decide_all(ports, selected)
    assert [error and error.status for error in errors] == [503, 503]
    assert all("can't say yet" in str(error) for error in errors)
    ports.effects.faulty = set()
    assert outcomes(ports, ids) == ["pending", "pending"]


def test_each_decision_is_logged_with_its_approval_alone(ports: FakePorts) -> None:
    ids = several_requests(ports, 2)
    token = inbox_token(ports)
    decide_all(ports, bulk_deciding.select(ports, token, ids), reason="Private words.")
    lines = [line for line in ports.logged if line["event"] == "decided"]
    assert lines == [{"event": "decided", "approvalId": one, "via": "list"} for one in ids]
    assert token.partition(".")[2] not in str(ports.logged)
    assert "Private" not in str(ports.logged)
