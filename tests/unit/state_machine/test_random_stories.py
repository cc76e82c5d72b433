"""Random stories on the fakes, and single stories that once failed."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from chalicelib.application import bulk_deciding, deciding, operating
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel, Extend, Reassign, Remind
from chalicelib.domain.errors import AlreadyDecided, InvalidRequest
from chalicelib.domain.events import EVENTS_KEPT
from chalicelib.domain.outbox import LINKS_KEPT
from chalicelib.domain.refusals import WRONG_CODES
from tests.builders import request_approval
from tests.fakes import TOKEN, FakePorts
from tests.unit.state_machine.actions import KINDS, tick
from tests.unit.state_machine.backends import FakeBackend, StoryPorts
from tests.unit.state_machine.model import MOST_BYTES
from tests.unit.state_machine.requests import APPROVERS, REQUESTER
from tests.unit.state_machine.state_machine import PHASES, RandomStories

TestRandomStories = RandomStories.TestCase
TestRandomStories.settings = settings(max_examples=6 * settings().max_examples, phases=PHASES)


class BusyStories(RandomStories):
    """Each request is followed by every kind of action, so that rare ones meet."""

    first_actions = KINDS


TestBusyStories = BusyStories.TestCase
TestBusyStories.settings = settings(max_examples=2 * settings().max_examples, phases=PHASES)


class PolicyStories(RandomStories):
    """Each request is under a policy, and its approvers mostly approve."""

    policies = st.just(True)
    first_actions = ("decide", "decide", "reassign by link", "decide", "decide")


TestPolicyStories = PolicyStories.TestCase
TestPolicyStories.settings = settings(max_examples=6 * settings().max_examples, phases=PHASES)


@pytest.fixture
def ports() -> StoryPorts:
    return StoryPorts(FakeBackend())


def interrupt(ports: StoryPorts, number: int, action: Callable[[], object]) -> None:
    """Have that action come just before the effect that follows so many others."""
    ports.faults.interruption = action
    ports.faults.interrupt_at = len(ports.faults.done) + number


def tick_for_hours(ports: StoryPorts, number: int) -> None:
    for _ in range(number * 12):
        ports.later(minutes=5)
        tick(ports)


def subjects(ports: StoryPorts, address: str) -> list[str]:
    """Return the first words of the subjects of all mails to that person."""
    return [email.subject.partition(":")[0] for to, email in ports.mailer.sent if to == address]


def approval_by(ports: StoryPorts, address: str) -> Callable[[], object]:
    """Return what approves by the newest link of that approver."""
    *_, token = (
        link for to, page, link in ports.mailer.links if (to, page) == (address, "approve")
    )
    return lambda: deciding.decide(ports, token, "approve", reason="", via="page")


def test_a_decision_during_the_receipt_does_not_cost_the_requester_the_outcome(
    ports: StoryPorts,
) -> None:
    """The approval closes while its receipt is being mailed: the requester gets both mails."""
    request_approval(ports, requestedBy=REQUESTER)
    interrupt(ports, 1, approval_by(ports, APPROVERS[0]))  # after the lease, before the mail
    tick(ports)
    tick_for_hours(ports, 1)
    assert subjects(ports, REQUESTER) == ["Asked", "Approved"]


def test_a_mail_under_way_to_a_replaced_approver_is_not_taken_for_the_next_one(
    ports: StoryPorts,
) -> None:
    """They are asked again meanwhile: the link in that mail is dead, so they get another."""
    ada, grace = APPROVERS[:2]
    approval_id = link_tokens.approval_id(TOKEN)

    def reassign_to_and_fro() -> None:
        for from_, to in ((ada, grace), (grace, ada)):
            command = Reassign(from_=from_, to=to)
            operating.change(ports, approval_id, command, by=REQUESTER, via="api")

    interrupt(ports, 1, reassign_to_and_fro)  # after the request was written, before it is mailed
    request_approval(ports)
    tick_for_hours(ports, 1)
    assert subjects(ports, ada) == ["Approval needed", "Approval needed"]
    approval_by(ports, ada)()
    assert len(ports.executions.answers) == 1


def test_an_approver_who_was_being_mailed_at_the_end_gets_the_outcome(ports: StoryPorts) -> None:
    """Otherwise they would find out only by opening a dead link."""
    ada, grace = APPROVERS[:2]

    def ada_approves() -> None:
        approval_by(ports, ada)()

    interrupt(ports, 3, ada_approves)  # after Ada's mail was recorded, before Grace's is sent
    request_approval(ports, approvers=[ada, grace])
    tick_for_hours(ports, 1)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_an_approver_whose_reminder_failed_gets_the_outcome(ports: StoryPorts) -> None:
    """They still have the link of the first mail."""
    ada, grace = APPROVERS[:2]
    request_approval(ports, approvers=[ada, grace], remindEvery=300)
    ports.backend.set_subscription(grace, "pending")
    tick_for_hours(ports, 1)
    approval_by(ports, ada)()
    ports.backend.set_subscription(grace, "confirmed")
    tick_for_hours(ports, 2)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_a_mailed_link_outlives_hours_without_sns(ports: StoryPorts) -> None:
    """A reminder that can't be sent, however often it is tried, revokes no link."""
    approval_id = request_approval(ports)
    approve = approval_by(ports, APPROVERS[0])
    operating.change(ports, approval_id, Remind(), by=REQUESTER, via="api")
    ports.faults.faulty = {"mailer.send"}
    tick_for_hours(ports, 6)
    approve()
    assert len(ports.executions.answers) == 1


def test_an_outcome_mail_outlives_three_hours_without_sns(ports: StoryPorts) -> None:
    """A notification is given up after about four hours of tries."""
    request_approval(ports, requestedBy=REQUESTER)
    tick(ports)
    ports.faults.faulty = {"mailer.send"}
    approval_by(ports, APPROVERS[0])()
    tick_for_hours(ports, 3)
    ports.faults.faulty = set()
    tick_for_hours(ports, 1)
    assert subjects(ports, REQUESTER) == ["Asked", "Approved"]


def test_a_lost_answer_of_an_interrupting_command_does_not_repeat_a_mail(
    ports: StoryPorts,
) -> None:
    """Someone extends the deadline between a mail and its record, and hears no answer: one mail."""

    def extend() -> None:
        ports.faults.lost_answers = {"store.replace"}
        try:
            operating.change(
                ports, approval_id, Extend(expires_in=864_000), by=REQUESTER, via="api"
            )
        finally:
            ports.faults.lost_answers = set()

    approval_id = link_tokens.approval_id(TOKEN)
    interrupt(ports, 2, extend)  # after Ada's mail was sent, before it is recorded
    assert request_approval(ports) == approval_id
    tick_for_hours(ports, 1)
    assert subjects(ports, APPROVERS[0]) == ["Approval needed"]
    assert ports.faults.possible_duplicates == 0


@pytest.mark.parametrize("by", ["command", "link"])
def test_a_repeated_cancel_does_not_answer_the_task_again(ports: StoryPorts, by: str) -> None:
    """The second comes while the first is about to answer, and leaves the answer to it."""
    approval_id = request_approval(ports, requestedBy=REQUESTER)
    tick(ports)
    (token,) = (link for _, page, link in ports.mailer.links if page == "cancel")

    def cancel() -> None:
        if by == "link":
            deciding.cancel(ports, token, "", "page")
        else:
            operating.change(ports, approval_id, Cancel(), by=REQUESTER, via="api")

    interrupt(ports, 1, cancel)  # after the write, before the answer
    cancel()
    assert (len(ports.executions.answers), ports.executions.refused) == (1, [])
    events = operating.find_approval(ports, approval_id).events
    assert [event.note for event in events if event.what == "resumed"] == [""]


def test_an_outcome_by_others_is_not_a_bulk_decision_of_the_reader(ports: StoryPorts) -> None:
    """Grace approves while Ada confirms her inbox: the result says that Ada approved nothing."""
    ada, grace = APPROVERS[:2]
    request_approval(ports, approvers=[ada, grace])
    (token,) = (link for to, page, link in ports.mailer.links if (to, page) == (ada, "inbox"))
    inbox = bulk_deciding.inbox(ports, token)
    approval_by(ports, grace)()
    (result,) = bulk_deciding.decide_all(ports, inbox, "approve", "")
    assert isinstance(result.error, AlreadyDecided)
    assert [approver.address for approver, _ in result.approval.decisions] == [grace]


def test_no_command_makes_the_audit_trail_grow_without_bound(ports: StoryPorts) -> None:
    """210 of each: 180 events at most, and the first and the last are kept."""
    approval_id = request_approval(ports, approvers=APPROVERS, approvalsNeeded=2)
    for number in range(210):
        for command in (Remind(), Extend(expires_in=604_801 + number)):
            operating.change(ports, approval_id, command, by=REQUESTER, via="api")
        if number % 10 == 0:
            ports.later(minutes=2)
            tick(ports)
    operating.change(ports, approval_id, Cancel(), by=REQUESTER, via="api")
    kinds = [event.what for event in operating.find_approval(ports, approval_id).events]
    assert len(kinds) <= EVENTS_KEPT
    assert (kinds[0], kinds[-2:]) == ("requested", ["cancelled", "resumed"])


def test_the_largest_approval_that_people_can_make_can_be_stored() -> None:
    """With everything at its longest it stays under DynamoDB's limit, so it can be closed."""
    ports = FakePorts()
    domain = ".".join(["d" * 62] * 3)
    ports.approver_domains = (domain,)
    crowd = [f"{n:02}{'x' * 62}@{domain}" for n in range(50)]
    text = '"' * 1_999
    principal = f"arn:aws-us-gov:sts::111122223333:assumed-role/{'r' * 64}/{'s' * 64}"
    approval_id = request_approval(
        ports,
        subject='"' * 200,
        details='"' * 8_190,
        approvers=crowd[:1],
        requestedBy=crowd[0],
        allowSelfApproval=True,
        codeRequired=True,
        escalation={"after": 31_535_999, "approvers": crowd[1:]},
        expiresIn=31_536_000,
    )

    def reassign_to_all() -> None:
        for one, other in pairwise(crowd):
            reassign = Reassign(from_=one, to=other, note=text)
            operating.change(ports, approval_id, reassign, by=one, via="api", principal=principal)

    with pytest.raises(InvalidRequest, match="ask again"):
        reassign_to_all()
    for _ in range(EVENTS_KEPT):
        operating.change(ports, approval_id, Remind(), by=crowd[0], via="api", principal=principal)
    operating.change(
        ports, approval_id, Cancel(reason=text), by=crowd[0], via="api", principal=principal
    )
    approval = operating.find_approval(ports, approval_id)
    kept = tuple(link_tokens.digest(str(n)) for n in range(LINKS_KEPT))
    reminded = msgspec.structs.replace(
        approval,
        approvers=tuple(
            msgspec.structs.replace(
                person,
                link_hashes=kept,
                code_hashes=kept if person.replaced_by is None else (),
                wrong_codes_by_link=dict.fromkeys(kept, WRONG_CODES)
                if person.replaced_by is None
                else {},
            )
            for person in approval.approvers
        ),
    )
    size = len(msgspec.json.encode(reminded))
    assert size < MOST_BYTES - 4_096, f"{size} bytes; keys and indexes need some too"
