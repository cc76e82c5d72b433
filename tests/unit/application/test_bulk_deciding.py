"""My approvals: who may read the list, what stands in it, and several decided at once."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import bulk_deciding, deciding, operating, outbox_relay
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Reassign
from chalicelib.domain.errors import (
    AlreadyDecided,
    AssentError,
    Expired,
    InvalidRequest,
    NotFound,
    Reassigned,
    WrongCode,
)
from tests.builders import asked, people
from tests.fakes import Crash, FakePorts

ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"


@pytest.fixture
def ports() -> FakePorts:
    """Return ports in memory."""
    return FakePorts()


def several(ports: FakePorts, number: int, **fields: Any) -> list[str]:
    """Ask for so many, each due an hour later than the one before, and return their ids."""
    return [
        asked(ports, f"token-{n}", **{"expiresIn": 3_600 * (n + 1), **fields})
        for n in range(number)
    ]


def the_list(ports: FakePorts, address: str = ADA) -> str:
    """Return the list's token in the newest mail to that person."""
    return ports.token_mailed_to(address, "mine")


def listed(ports: FakePorts, token: str) -> list[str]:
    """Return the ids of what is listed."""
    return [approval.id for approval in bulk_deciding.inbox(ports, token).approvals]


def outcome(ports: FakePorts, approval_id: str) -> str:
    """Return what came of it."""
    return operating.find_approval(ports, approval_id).outcome


def decide(
    ports: FakePorts, ids: list[str], choice: Any = "approve", reason: str = "", who: str = ADA
) -> list[AssentError | None]:
    """Decide these by the list's link and return what was wrong with each."""
    chosen = bulk_deciding.select(ports, the_list(ports, who), ids)
    return [told.error for told in bulk_deciding.decide_all(ports, chosen, choice, reason)]


def test_every_mail_to_an_approver_ends_with_their_list(ports: FakePorts) -> None:
    """Asked, reminded, asked instead, told: the last link opens all that waits for its reader."""
    ids = several(ports, 2, approvers=[ADA, GRACE], requestedBy="margaret@example.com")
    operating.change(ports, ids[0], Reassign(from_=GRACE, to=LINUS), by="op", via="api")
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    ports.later(minutes=2)
    for approval_id in ids:
        outbox_relay.relay(ports, approval_id)
    assert {email.subject.partition(":")[0] for _, email in ports.mailer.sent} >= {
        "Approval needed",
        "Approved",
        "Asked",
    }
    for to, email in ports.mailer.sent:
        last = email.text.rstrip().rpartition("\n")[2]
        token = last.partition("/mine/")[2]
        if to == "margaret@example.com":
            assert "/mine/" not in email.text, "who isn't asked has no list"
        elif (to, token.partition(".")[0]) != (GRACE, ids[0]):  # That mail's links are dead.
            assert bulk_deciding._reader(ports, token) == to


def test_the_list_has_what_waits_for_its_reader_oldest_deadline_first(ports: FakePorts) -> None:
    """Of all requests, wherever the link came from; not what is theirs no more."""
    ids = several(ports, 4)
    asked(ports, "hers", approvers=[GRACE])
    token = the_list(ports)
    assert listed(ports, token) == ids
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    assert listed(ports, token) == ids[:-1]
    ports.later(minutes=61)
    assert listed(ports, token) == ids[1:-1]


def test_a_long_list_goes_on_on_the_next_page(ports: FakePorts) -> None:
    """Every request stands on one page."""
    ids = several(ports, bulk_deciding.PAGE_SIZE + 3)
    first = bulk_deciding.inbox(ports, the_list(ports))
    second = bulk_deciding.inbox(ports, the_list(ports), first.after)
    assert [a.id for a in (*first.approvals, *second.approvals)] == ids
    assert second.after == ""


def test_a_decision_link_opens_no_list_and_the_list_s_decides_nothing(ports: FakePorts) -> None:
    """Each secret is good for its own page: a decision link passed on gives one decision away."""
    asked(ports)
    with pytest.raises(NotFound):
        bulk_deciding.inbox(ports, ports.token_mailed_to(ADA))
    with pytest.raises(NotFound):
        deciding.decide(ports, the_list(ports), "approve", reason="", via="page")


def test_the_list_of_one_who_was_replaced_is_dead(ports: FakePorts) -> None:
    """Whoever had to go decides nothing by any link of that mail; their other mails are good."""
    first = asked(ports, "one")
    token = the_list(ports)
    asked(ports, "two")
    operating.change(ports, first, Reassign(from_=ADA, to=GRACE), by="op", via="api")
    with pytest.raises(Reassigned, match=r"grace@example\.com was asked"):
        bulk_deciding.inbox(ports, token)
    assert len(listed(ports, the_list(ports))) == 1


def test_an_old_mail_opens_no_list(ports: FakePorts) -> None:
    """A week after its own request has ended, closed or expired; until then it does."""
    asked(ports, "long", expiresIn=10_000_000)
    kept = the_list(ports)
    asked(ports, "short", expiresIn=3_600)
    token = the_list(ports)
    ports.later(hours=1, days=7)
    assert len(listed(ports, token)) == 1
    ports.later(seconds=1)
    with pytest.raises(Expired, match="too old"):
        bulk_deciding.inbox(ports, token)
    assert len(listed(ports, kept)) == 1


@pytest.mark.parametrize("token", ["", "x", f"{'a' * 26}.{'a' * 32}"])
def test_a_link_that_is_nobody_s_opens_no_list(ports: FakePorts, token: str) -> None:
    """The same answer as for every bad link."""
    asked(ports)
    with pytest.raises(NotFound, match="leads nowhere"):
        bulk_deciding.inbox(ports, token)


def test_several_are_decided_at_once(ports: FakePorts) -> None:
    """Each is recorded for itself, by the list, with the reason; each task is resumed once."""
    ids = several(ports, 3)
    assert decide(ports, ids[:2], reason="Looked through all.") == [None, None]
    assert [outcome(ports, one) for one in ids] == ["approved", "approved", "pending"]
    assert sorted(a.task_token for a in ports.executions.answers) == ["token-0", "token-1"]
    found = operating.find_approval(ports, ids[0])
    ((approver, decision),) = found.decisions
    assert (approver.address, decision.reason) == (ADA, "Looked through all.")
    assert [e.via for e in found.events if e.what in ("approved", "resumed")] == ["list", "list"]
    assert listed(ports, the_list(ports)) == ids[2:]


def test_those_that_cannot_be_taken_are_in_nobody_s_way(ports: FakePorts) -> None:
    """Decided, passed on, past its time, wanting its code: each is told, the rest is done."""
    kinds = ("decided", "passed-on", "short", "coded", "fine")
    fields: dict[str, dict[str, Any]] = {
        "short": {"expiresIn": 60},
        "coded": {"codeRequired": True},
    }
    ids = [asked(ports, kind, **fields.get(kind, {})) for kind in kinds]
    decide(ports, ids[:1], "reject", "No")
    operating.change(ports, ids[1], Reassign(from_=ADA, to=GRACE), by="op", via="api")
    ports.later(seconds=61)
    chosen = bulk_deciding.select(ports, the_list(ports), ids)
    told = bulk_deciding.decide_all(ports, chosen, "approve", "")
    wrong = [type(one.error) for one in told]
    assert wrong == [AlreadyDecided, Reassigned, Expired, WrongCode, type(None)]
    assert bulk_deciding.decide_all(ports, chosen, "reject", "No")[4].error is not None
    assert outcome(ports, ids[4]) == "approved"
    assert [a.task_token for a in ports.executions.answers] == ["decided", "fine"]


def test_a_reason_that_one_of_them_needs_is_asked_for_before_any_is_decided(
    ports: FakePorts,
) -> None:
    """Nothing is written, mailed or resumed by what can't be done whole."""
    ids = [asked(ports, "one", reasonRequired="never"), asked(ports, "two")]
    with pytest.raises(InvalidRequest, match="please say why"):
        decide(ports, ids, "reject")
    with pytest.raises(InvalidRequest, match="reason"):
        decide(ports, ids, "reject", "x" * 2_001)
    assert [outcome(ports, one) for one in ids] == ["pending", "pending"]
    assert not ports.executions.answers


def test_what_one_was_not_asked_about_cannot_be_chosen(ports: FakePorts) -> None:
    """Nor what isn't there, nothing at all, or more than a page shows."""
    mine, hers = asked(ports, "one"), asked(ports, "two", approvers=[GRACE])
    unknown = link_tokens.approval_id("never")
    for ids in ([mine, hers], [mine, unknown], [mine, "x"], [], [mine, *people(25)]):
        with pytest.raises(InvalidRequest) as raised:
            bulk_deciding.select(ports, the_list(ports), ids)
        assert raised.value.field == "chosen"
    assert outcome(ports, hers) == "pending"


def test_the_same_again_changes_nothing(ports: FakePorts) -> None:
    """A form sent twice, or an id named twice, decides once, and reads as done."""
    ids = several(ports, 2)
    token = the_list(ports)
    chosen = bulk_deciding.select(ports, token, [*ids, ids[0]])
    assert [told.error for told in bulk_deciding.decide_all(ports, chosen, "approve", "")] == [
        None,
        None,
    ]
    again = bulk_deciding.decide_all(ports, chosen, "approve", "")
    assert [told.error for told in again] == [None, None]
    other = bulk_deciding.decide_all(ports, chosen, "reject", "No")
    assert [type(told.error) for told in other] == [AlreadyDecided] * 2
    assert len(ports.executions.answers) == 2


def test_dying_half_way_keeps_what_was_decided_and_the_tick_resumes_it(ports: FakePorts) -> None:
    """At every effect: no task is answered twice, none that was decided stays unanswered."""
    for crash_at in range(6):
        ports = FakePorts()
        ids = several(ports, 2)
        chosen = bulk_deciding.select(ports, the_list(ports), ids)
        ports.effects.crash_at = len(ports.effects.done) + crash_at
        with pytest.raises(Crash):
            bulk_deciding.decide_all(ports, chosen, "approve", "")
        bulk_deciding.decide_all(ports, chosen, "approve", "")
        ports.later(minutes=2)
        for approval_id in ids:
            outbox_relay.relay(ports, approval_id)
        assert [outcome(ports, one) for one in ids] == ["approved", "approved"]
        answered = sorted(a.task_token for a in ports.executions.answers)
        assert answered == ["token-0", "token-1"], f"crashed at {crash_at}"


class Slow(FakePorts):
    """Ports on which each look at the clock takes three seconds."""

    def now(self) -> Any:
        self.later(seconds=3)
        return super().now()


def test_what_there_is_no_time_for_is_left_and_said_so() -> None:
    """The page answers before API Gateway gives up; what is left can be chosen again."""
    ports = Slow()
    ids = several(ports, 6)
    chosen = bulk_deciding.select(ports, the_list(ports), ids)
    wrong = [told.error for told in bulk_deciding.decide_all(ports, chosen, "approve", "")]
    assert ports.time - chosen.began <= timedelta(seconds=28), "Lambda gives up"
    left = [error for error in wrong if error is not None]
    assert 0 < len(left) < 6
    assert {error.status for error in left} == {503}
    assert len(ports.executions.answers) == 6 - len(left)


def test_a_fault_of_aws_is_that_one_s_alone(ports: FakePorts) -> None:
    """What can't be written is told; nothing of it was recorded."""
    ids = several(ports, 2)
    chosen = bulk_deciding.select(ports, the_list(ports), ids)
    ports.effects.faulty = {"store.replace"}
    wrong = [told.error for told in bulk_deciding.decide_all(ports, chosen, "approve", "")]
    assert [error and error.message for error in wrong] == [bulk_deciding._UNKNOWN] * 2
    ports.effects.faulty = set()
    assert [outcome(ports, one) for one in ids] == ["pending", "pending"]


def test_the_log_names_each_that_was_decided_and_no_secret(ports: FakePorts) -> None:
    """One line each, with its id."""
    ids = several(ports, 2)
    token = the_list(ports)
    decide(ports, ids, reason="Private words.")
    lines = [line for line in ports.logged if line["event"] == "decided"]
    assert [line["approvalId"] for line in lines] == ids
    assert token.partition(".")[2] not in str(ports.logged)
    assert "Private" not in str(ports.logged)
