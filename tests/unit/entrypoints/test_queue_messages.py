"""Decisions and requests that come as messages: by queue, by topic, and decisions by function."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app as doors_module
from chalicelib.application.operating import change
from chalicelib.domain import errors, link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.commands import Cancel, Reassign
from chalicelib.entrypoints import answering, queue_messages
from tests.builders import asked, body, people
from tests.fakes import EXECUTION, TOKEN, FakeStore
from tests.unit.entrypoints.client import ADA, DoorPorts
from tests.unit.entrypoints.functions import deliver, invoke, notification

BOB = "bob@example.com"
Deliver = Callable[[object], object]


def by_queue(said: object) -> None:
    deliver("decision_from_queue", said)


def by_topic(said: object) -> None:
    deliver("decision_from_queue", notification(said))


def by_function(said: object) -> Any:
    return invoke("record_decision", said)


def by_requests(said: object) -> None:
    deliver("request_from_queue", said)


DOORS: dict[Deliver, str] = {by_queue: "queue", by_topic: "topic", by_function: "function"}
"""Each door, and its name in the record."""
every_door = pytest.mark.parametrize("door", DOORS)
each_queue = pytest.mark.parametrize("door", [by_queue, by_topic, by_requests])


def vote(ports: DoorPorts, decision: str = "approve", **more: object) -> dict[str, object]:
    """Return what a program sends to decide for Ada."""
    return {"token": ports.link(), "decision": decision} | more


def stored(ports: DoorPorts) -> Approval:
    """Return the one approval."""
    (found,) = ports.store._all()
    return found


# Decisions, by every door


@every_door
@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_a_decision_resumes_the_task_and_names_its_door(
    ports: DoorPorts, door: Deliver, decision: str
) -> None:
    """The same use case as the page's, with everything it writes."""
    via = DOORS[door]
    asked(ports)
    door(vote(ports, decision, reason="because"))
    (answer,) = ports.executions.answers
    assert answer.task_token == TOKEN
    assert (answer.error == "Rejected") == (decision == "reject")
    done = [(e.what, e.who, e.via) for e in stored(ports).events if e.via == via]
    word = {"approve": "approved", "reject": "rejected"}[decision]
    assert done[-2:] == [(word, ADA, via), ("resumed", "assent", via)]
    ((_, made),) = stored(ports).decisions
    assert (made.choice, made.reason) == (decision, "because")
    assert ports.dead_letters.letters == []


@every_door
def test_delivered_twice_it_decides_once(ports: DoorPorts, door: Deliver) -> None:
    """The second time nothing is written, and nothing is refused."""
    asked(ports)
    door(vote(ports))
    before = ports.world()
    door(vote(ports))
    assert ports.world() == before
    assert [line["status"] for line in ports.logged] == [200, 200]


@every_door
def test_the_same_as_others_decided_is_fine(ports: DoorPorts, door: Deliver) -> None:
    """Ada wanted what is done already; nothing is recorded for her."""
    asked(ports, approvers=[ADA, BOB])
    door({"token": ports.link(BOB), "decision": "approve"})
    before = ports.world()
    door(vote(ports))
    assert ports.world() == before
    assert len(stored(ports).decisions) == 1


def opposite(ports: DoorPorts) -> object:
    asked(ports)
    by_queue(vote(ports))
    return vote(ports, "reject", reason="no")


def unknown(ports: DoorPorts) -> object:
    asked(ports)
    return vote(ports) | {"token": f"{ports.link().partition('.')[0]}.{'a' * 32}"}


def expired(ports: DoorPorts) -> object:
    asked(ports, expiresIn=60)
    ports.later(seconds=61)
    return vote(ports)


def withdrawn(ports: DoorPorts) -> object:
    change(ports, asked(ports), Cancel(), by="mary@example.com", via="api")
    return vote(ports)


def reassigned(ports: DoorPorts) -> object:
    change(ports, asked(ports), Reassign(from_=ADA, to=BOB), by="mary@example.com", via="api")
    return vote(ports)


def without_reason(ports: DoorPorts) -> object:
    asked(ports)
    return vote(ports, "reject")


def without_code(ports: DoorPorts) -> object:
    asked(ports, codeRequired=True)
    return vote(ports)


def wrong_code(ports: DoorPorts) -> object:
    asked(ports, codeRequired=True)
    return vote(ports, code="not it")


Refused = Callable[[DoorPorts], object]
REFUSED: list[tuple[Refused, type[errors.AssentError], str | None]] = [
    (opposite, errors.AlreadyDecided, None),
    (unknown, errors.NotFound, None),
    (expired, errors.Expired, None),
    (withdrawn, errors.Cancelled, None),
    (reassigned, errors.Reassigned, None),
    (without_reason, errors.InvalidRequest, "reason"),
    (without_code, errors.InvalidRequest, "code"),
    (wrong_code, errors.WrongCode, None),
]


@pytest.mark.parametrize(("make", "error", "field"), REFUSED)
@pytest.mark.parametrize("door", [by_queue, by_topic])
def test_a_refused_decision_becomes_a_dead_letter_at_once(
    ports: DoorPorts, door: Deliver, make: Refused, error: type[errors.AssentError], field: str
) -> None:
    """It says which message, which approval and why; the log has one line; nothing is raised."""
    said = make(ports)
    answers, lines = list(ports.executions.answers), len(ports.logged)
    door(said)
    (letter,) = ports.dead_letters.letters
    via, message_id = ("queue", "sqs-0") if door is by_queue else ("topic", "sns-1")
    assert letter.pop("refused").items() >= {"code": error.code}.items()
    assert letter == {"messageId": message_id, "via": via, "approvalId": stored(ports).id}
    (line,) = ports.logged[lines:]
    assert (line["event"], line["messageId"], line["code"]) == (
        "decision_from_queue",
        message_id,
        error.code,
    )
    assert line.get("field") == field
    assert ports.executions.answers == answers


@pytest.mark.parametrize(("make", "error", "field"), REFUSED)
def test_a_refused_decision_by_function_is_raised_by_its_name(
    ports: DoorPorts, make: Refused, error: type[errors.AssentError], field: str
) -> None:
    """A caller in Step Functions catches it so; there is no dead letter, for the caller knows."""
    said = make(ports)
    with pytest.raises(error) as refused:
        by_function(said)
    assert refused.value.field == field
    assert ports.dead_letters.letters == []
    assert (ports.logged[-1]["code"], ports.logged[-1]["status"]) == (
        error.code,
        refused.value.status,
    )


def test_a_wrong_code_counts_once(ports: DoorPorts) -> None:
    """Because it isn't delivered again: five deliveries would lock the link."""
    by_queue(wrong_code(ports))
    assert stored(ports).approvers[0].wrong_codes == 1


def test_the_function_answers_what_came_of_it(ports: DoorPorts) -> None:
    """First that it waits on, then the outcome, and the caller's own decision."""
    asked(ports, approvers=[ADA, BOB], approvalsNeeded="all")
    approval_id = stored(ports).id
    assert by_function(vote(ports)) == {
        "approvalId": approval_id,
        "outcome": "pending",
        "decision": "approve",
    }
    last = {"token": ports.link(BOB), "decision": "approve"}
    assert by_function(last)["outcome"] == "approved"
    assert by_function(vote(ports))["outcome"] == "approved"


def test_the_answer_to_who_came_too_late_has_no_decision_of_theirs(ports: DoorPorts) -> None:
    """Others had decided it; Ada's own answer is not on record."""
    asked(ports, approvers=[ADA, BOB])
    by_function({"token": ports.link(BOB), "decision": "approve"})
    assert by_function(vote(ports)) == {
        "approvalId": stored(ports).id,
        "outcome": "approved",
        "decision": None,
    }


# What isn't a message at all


NONSENSE: list[object] = [
    "",
    "no JSON",
    '{"token": ',
    "null",
    "[]",
    '"text"',
    "12",
    "{}",
    "[" * 100_000,
    "\ud800",
    '{"token": "\\ud800", "decision": "approve"}',
    {"token": 5, "decision": "approve"},
    {"token": "x", "decision": "maybe"},
    {"token": "x", "decision": "approve", "colour": "red"},
    {"token": "x" * 300_000, "decision": "approve"},
    {"taskToken": 7, "executionArn": EXECUTION, "request": {}},
    {"Type": "Notification", "MessageId": 5, "Message": "{}"},
]


@each_queue
@pytest.mark.parametrize("said", NONSENSE, ids=lambda said: repr(said)[:40])
def test_nonsense_becomes_a_dead_letter_and_changes_nothing(
    ports: DoorPorts, door: Deliver, said: object
) -> None:
    """Whatever it is; by the code of what is wrong with it, and never raised."""
    asked(ports)
    before = [ports.store._items.copy(), list(ports.executions.answers)]
    door(said)
    (letter,) = ports.dead_letters.letters
    assert letter["refused"]["code"] in ("InvalidRequest", "NotFound")
    assert len(letter["refused"]["message"]) < 400
    assert [ports.store._items, ports.executions.answers] == before
    (line,) = ports.logged
    assert line["code"] == letter["refused"]["code"]


def test_a_choice_that_is_none_is_answered_with_those_there_are(ports: DoorPorts) -> None:
    """The reader of the dead letter can mend the sender."""
    by_queue({"token": "x", "decision": "maybe"})
    (letter,) = ports.dead_letters.letters
    assert letter["refused"] == {
        "code": "InvalidRequest",
        "message": "decision: must be one of approve, reject",
        "field": "decision",
    }


def test_a_bad_one_before_a_good_one_is_not_in_its_way(ports: DoorPorts) -> None:
    """Even if both were to come at once, which batch_size=1 rules out."""
    asked(ports)
    deliver("decision_from_queue", "nonsense", vote(ports), {"token": "x", "decision": "reject"})
    assert stored(ports).outcome == "approved"
    assert [letter["messageId"] for letter in ports.dead_letters.letters] == ["sqs-0", "sqs-2"]


@pytest.mark.parametrize("name", ["decision_from_queue", "request_from_queue"])
def test_each_message_is_delivered_alone(name: str) -> None:
    """What one raises sends back none but itself."""
    (source,) = [source for source in doors_module.app.event_sources if source.name == name]
    assert getattr(source, "batch_size", None) == 1


# Requests


def question(**fields: Any) -> dict[str, Any]:
    """Return the body that a state machine sends to the queue of requests."""
    return {"taskToken": TOKEN, "executionArn": EXECUTION, "request": body()} | fields


def test_a_request_is_asked_as_the_function_asks(ports: DoorPorts) -> None:
    """Stored and mailed; the record names the queue."""
    by_requests(question())
    assert stored(ports).id == link_tokens.approval_id(TOKEN)
    assert [to for to, _ in ports.mailer.sent] == [ADA]
    assert {event.via for event in stored(ports).events} == {"queue"}
    assert ports.logged[-1]["approvalId"] == stored(ports).id


def test_a_request_delivered_twice_asks_once(ports: DoorPorts) -> None:
    """The same task token is the same approval, even long after."""
    by_requests(question())
    by_queue(vote(ports))
    before = ports.world()[1:]
    by_requests(question())
    assert ports.world()[1:] == before
    assert len(ports.mailer.sent) == 1


def test_a_bad_request_fails_its_task_and_needs_no_dead_letter(ports: DoorPorts) -> None:
    """Who asked is told, by the name that state machines catch."""
    by_requests(question(request=body(approvers=["ada@elsewhere.org"])))
    (answer,) = ports.executions.answers
    assert (answer.task_token, answer.error) == (TOKEN, "InvalidRequest")
    assert ports.dead_letters.letters == []


def test_a_bad_request_without_a_task_token_becomes_a_dead_letter(ports: DoorPorts) -> None:
    """There is nobody to tell."""
    said = question()
    del said["taskToken"]
    by_requests(said)
    (letter,) = ports.dead_letters.letters
    assert letter["refused"]["field"] == "taskToken"
    assert letter["messageId"] == "sqs-0"


# Faults


@pytest.mark.parametrize("away", ["store.replace", "store.get"])
@every_door
def test_a_decision_that_cannot_be_written_comes_again(
    ports: DoorPorts, door: Deliver, away: str
) -> None:
    """Raised, not refused: SQS delivers it again, and then it counts."""
    asked(ports)
    said = vote(ports)
    working = ports.store
    if away == "store.get":
        ports.store = Away(ports.effects)
    ports.effects.faulty = {away}
    with pytest.raises(errors.Unavailable):
        door(said)
    assert ports.dead_letters.letters == []
    assert (ports.logged[-1]["code"], ports.logged[-1]["status"]) == ("Unavailable", 503)
    ports.store, ports.effects.faulty = working, set()
    door(said)
    assert stored(ports).outcome == "approved"


def test_a_request_that_cannot_be_written_comes_again(ports: DoorPorts) -> None:
    """Its execution waits meanwhile."""
    ports.effects.faulty = {"store.create"}
    with pytest.raises(errors.Unavailable):
        by_requests(question())
    ports.effects.faulty = set()
    by_requests(question())
    assert len(ports.mailer.sent) == 1


def test_a_refusal_that_cannot_be_kept_comes_again(ports: DoorPorts) -> None:
    """It isn't lost while SQS is away."""
    ports.effects.faulty = {"dead_letters.put"}
    with pytest.raises(errors.Unavailable):
        by_queue("nonsense")
    ports.effects.faulty = set()
    by_queue("nonsense")
    assert len(ports.dead_letters.letters) == 1


class Away(FakeStore):
    """A store that DynamoDB doesn't answer."""

    def get(self, approval_id: str) -> Approval | None:  # noqa: ARG002 (as FakeStore's)
        raise errors.Unavailable("DynamoDB answered ThrottlingException; please try again")


class Talkative(FakeStore):
    """A store with a bug, whose error tells all it knows."""

    secret = ""

    def get(self, approval_id: str) -> Approval | None:
        raise RuntimeError(f"about {approval_id}: {TOKEN} {self.secret}")


@every_door
def test_a_bug_is_raised_and_logged_without_its_words(ports: DoorPorts, door: Deliver) -> None:
    """Its kind and place are enough; its message may hold anything."""
    asked(ports)
    said = vote(ports)
    ports.store = Talkative(ports.effects)
    ports.store.secret = ports.link()
    with pytest.raises(errors.AssentError) as raised:
        door(said)
    assert raised.value.__suppress_context__
    (line,) = ports.logged
    assert (line["status"], line["error"]) == (500, "RuntimeError")
    assert "in get" in str(line["trace"])
    for secret in (TOKEN, ports.store.secret.split(".")[1]):
        assert secret not in json.dumps(line) + str(raised.value)


# Secrets


@given(data=st.data())
def test_no_log_and_no_dead_letter_holds_a_token_a_code_or_a_reason(data: st.DataObject) -> None:
    """Wherever in the message they stand, and whatever else is wrong with it."""
    ports = DoorPorts()
    asked(ports, codeRequired=True, approvers=people(2))
    token, code, reason = ports.link(people(2)[0]), "271828", "a private reason"
    names = st.sampled_from([token, "token", "decision", "code", "reason", "colour"])
    words = st.sampled_from([token, code, reason, "approve", "reject"])
    said = data.draw(
        st.dictionaries(names, words | st.lists(words, max_size=2), max_size=4).map(json.dumps)
        | st.lists(words, min_size=1, max_size=3).map(" ".join)
    )
    for record in (said, json.dumps(notification(said))):
        for kind in ("decision", "request"):
            message = queue_messages.open_message({"messageId": "sqs-1", "body": record})
            came = queue_messages.take(ports, kind, message)
            assert isinstance(came, errors.AssentError)
            lines = json.dumps(
                [answering.error_facts(came), ports.dead_letters.letters, ports.logged]
            )
            for secret in (token.split(".")[1], code, reason):
                assert secret not in lines


@pytest.mark.parametrize("said", [None, [], "text", {}, {"token": 5}, {"token": "x"}])
def test_nonsense_to_the_function_is_refused_by_name(ports: DoorPorts, said: object) -> None:
    """Its caller is told which field, and nothing happens."""
    with pytest.raises(errors.InvalidRequest):
        by_function(said)
    assert ports.effects.done == []
