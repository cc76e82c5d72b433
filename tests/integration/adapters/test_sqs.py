"""SqsDeadLetters and its fake in moto: what an operator finds in the queue."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from chalicelib.adapters.sqs import SqsDeadLetters
from chalicelib.application.ports import DeadLetterJson, DeadLetters
from chalicelib.domain.errors import Unavailable
from tests.aws.clients import session
from tests.fakes import FakeDeadLetters

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Read = Callable[[], list[Any]]
LETTER: DeadLetterJson = {
    "refused": {"code": "NotFound", "message": "…"},
    "messageId": "1",
    "via": "queue",
}


@pytest.fixture
def sqs(account: None) -> "SQSClient":  # noqa: ARG001 (it must be there first)
    """Return a client of SQS in moto."""
    return session().client("sqs")


@pytest.fixture(params=["fake", "SQS"])
def letters(request: pytest.FixtureRequest, sqs: "SQSClient") -> tuple[DeadLetters, Read]:
    """Return the adapter or its fake, and a function that reads the queue."""
    if request.param == "fake":
        fake = FakeDeadLetters()
        return fake, lambda: fake.letters
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]

    def read() -> list[Any]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [msgspec.json.decode(message["Body"]) for message in found]

    return SqsDeadLetters(sqs, url), read


@pytest.mark.parametrize("letter", [LETTER, {"refused": {"message": "ä\u2028\x00" * 1_000}}])
def test_a_letter_is_put_as_json(letters: tuple[DeadLetters, Read], letter: DeadLetterJson) -> None:
    """An operator reads in the queue what was put."""
    dead_letters, read = letters
    dead_letters.put(letter)
    assert read() == [letter]


def test_two_letters_are_two_messages(letters: tuple[DeadLetters, Read]) -> None:
    """Also if they are equal."""
    dead_letters, read = letters
    dead_letters.put(LETTER)
    dead_letters.put(LETTER)
    assert read() == [LETTER, LETTER]


def test_a_missing_queue_is_unavailable(sqs: "SQSClient") -> None:
    """The refused message is then redelivered, and not lost."""
    with pytest.raises(Unavailable, match="SQS answered"):
        SqsDeadLetters(sqs, "https://sqs.us-east-1.amazonaws.com/123456789012/none").put(LETTER)
