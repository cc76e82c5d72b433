"""Any story at all, in memory; and those that are worth telling again."""

from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from hypothesis import settings

from chalicelib.application import deciding, operating
from chalicelib.domain import link_tokens
from chalicelib.domain.commands import Cancel, Extend, Reassign, Remind
from chalicelib.domain.events import EVENTS_KEPT
from chalicelib.domain.outbox import LINKS_KEPT
from tests.asking import asked
from tests.fakes import TOKEN, FakePorts
from tests.unit.state_machine.actions import CAST, MARY, tick
from tests.unit.state_machine.backends import FakeWorld, StagedPorts
from tests.unit.state_machine.state_machine import MOST_BYTES, TELLING, AnyStory

TestAnyStory = AnyStory.TestCase
TestAnyStory.settings = settings(
    max_examples=8 * settings().max_examples,
    phases=TELLING,
)


# Stories that are worth telling again


@pytest.fixture
def ports() -> StagedPorts:
    return StagedPorts(FakeWorld())


def before_effect(ports: StagedPorts, number: int, deed: Callable[[], object]) -> None:
    """Have that done just before the effect that comes after so many others."""
    ports.stage.meanwhile, ports.stage.meanwhile_at = deed, len(ports.stage.done) + number


def hours(ports: StagedPorts, number: int) -> None:
    for _ in range(number * 12):
        ports.later(minutes=5)
        tick(ports)


def subjects(ports: StagedPorts, address: str) -> list[str]:
    return [email.subject.partition(":")[0] for to, email in ports.mailer.sent if to == address]


def approves(ports: StagedPorts, address: str) -> Callable[[], object]:
    *_, token = (
        link for to, page, link in ports.mailer.links if (to, page) == (address, "approve")
    )
    return lambda: deciding.decide(ports, token, "approve", reason="", via="page")


def test_who_decides_while_the_receipt_is_mailed_takes_no_news_away(ports: StagedPorts) -> None:
    """The requester is told what came of it, though their receipt was under way just then."""
    asked(ports, requestedBy=MARY)
    before_effect(ports, 1, approves(ports, CAST[0]))  # after the claim, before the mail
    tick(ports)
    hours(ports, 1)
    assert subjects(ports, MARY) == ["Asked", "Approved"]


def test_who_was_being_mailed_when_it_closed_is_told(ports: StagedPorts) -> None:
    """They have been asked; nobody else would tell them that it is done."""
    ada, grace = CAST[:2]

    def ada_is_quick() -> None:
        approves(ports, ada)()

    before_effect(ports, 3, ada_is_quick)  # after Ada's mail was recorded, before Grace's is sent
    asked(ports, approvers=[ada, grace])
    hours(ports, 1)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_who_has_a_link_is_told_though_a_reminder_did_not_reach_them(ports: StagedPorts) -> None:
    """They may read the first mail any time: the news is owed to them."""
    ada, grace = CAST[:2]
    asked(ports, approvers=[ada, grace], remindEvery=300)
    ports.world.subscribe(grace, "pending")
    hours(ports, 1)
    approves(ports, ada)()
    ports.world.subscribe(grace, "confirmed")
    hours(ports, 2)
    assert subjects(ports, grace) == ["Approval needed", "Approved"]


def test_a_link_that_was_mailed_survives_hours_without_sns(ports: StagedPorts) -> None:
    """A reminder that can't be sent, however often, costs nobody the link that they have."""
    approval_id = asked(ports)
    first = approves(ports, CAST[0])
    operating.change(ports, approval_id, Remind(), by=MARY, via="api")
    ports.stage.faulty = {"mailer.send"}
    hours(ports, 6)
    first()
    assert len(ports.executions.answers) == 1


def test_who_comes_between_and_hears_a_fault_troubles_nobody_else(ports: StagedPorts) -> None:
    """Somebody gives more time while Ada's mail is written down, and hears no answer: one mail."""

    def extends_unheard() -> None:
        ports.stage.unheard = {"store.replace"}
        try:
            operating.change(ports, approval_id, Extend(expires_in=86_400), by=MARY, via="api")
        finally:
            ports.stage.unheard = set()

    approval_id = link_tokens.approval_id(TOKEN)
    before_effect(ports, 2, extends_unheard)  # after Ada's mail was sent, before it is recorded
    assert asked(ports) == approval_id
    hours(ports, 1)
    assert subjects(ports, CAST[0]) == ["Approval needed"]
    assert ports.stage.disturbances == 0


def test_no_verb_makes_the_record_grow_without_end(ports: StagedPorts) -> None:
    """Each of them 210 times: 200 events at the most, and the first and the last are kept."""
    approval_id = asked(ports, approvers=CAST, approvalsNeeded=2)
    for number in range(210):
        for operation in (Remind(), Extend(expires_in=86_400)):
            operating.change(ports, approval_id, operation, by=MARY, via="api")
        if number % 10 == 0:
            ports.later(minutes=2)
            tick(ports)
    operating.change(ports, approval_id, Cancel(), by=MARY, via="api")
    whats = [event.what for event in operating.find_approval(ports, approval_id).events]
    assert len(whats) <= EVENTS_KEPT
    assert (whats[0], whats[-2:]) == ("requested", ["cancelled", "resumed"])


def test_the_largest_approval_that_people_can_make_can_be_stored() -> None:
    """Everything in it at its longest, it stays under DynamoDB's limit, so it can be closed."""
    ports = FakePorts()
    domain = ".".join(["d" * 62] * 3)
    ports.approver_domains = (domain,)
    crowd = [f"{n:02}{'x' * 62}@{domain}" for n in range(50)]
    text = '"' * 1_999
    approval_id = asked(
        ports,
        subject='"' * 200,
        details='"' * 8_190,
        approvers=crowd[:1],
        requestedBy=crowd[0],
        allowSelfApproval=True,
        codeRequired=True,
        escalation={"after": 31_536_000, "approvers": crowd[1:]},
        expiresIn=31_536_000,
    )
    for one, other in pairwise(crowd):
        reassign = Reassign(from_=one, to=other, note=text)
        operating.change(ports, approval_id, reassign, by=one, via="api")
    for _ in range(EVENTS_KEPT):
        operating.change(ports, approval_id, Remind(), by=crowd[0], via="api")
    operating.change(ports, approval_id, Cancel(reason=text), by=crowd[0], via="api")
    approval = operating.find_approval(ports, approval_id)
    kept = tuple(link_tokens.digest(str(n)) for n in range(LINKS_KEPT))
    reminded = msgspec.structs.replace(
        approval,
        approvers=tuple(
            msgspec.structs.replace(person, link_hashes=kept, code_hashes=kept)
            for person in approval.approvers
        ),
    )
    size = len(msgspec.json.encode(reminded))
    assert size < MOST_BYTES - 4_096, f"{size} bytes; keys and indexes need some too"
