"""DeadLetters against SQS: what is kept, and that nothing else comes out of a refusal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from botocore.config import Config

from chalicelib.adapters.sqs import SqsDeadLetters
from chalicelib.application import ports
from chalicelib.domain.errors import Unavailable
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.fakes import FakeDeadLetters

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Kept = Callable[[], list[Any]]
LETTER: ports.DeadLetterJson = {
    "refused": {"code": "NotFound", "message": "…"},
    "messageId": "1",
    "via": "queue",
}


@pytest.fixture
def sqs(account: None) -> "SQSClient":  # noqa: ARG001 (it must be there first)
    """Return SQS, in moto."""
    return session().client("sqs")


@pytest.fixture(params=["fake", "SQS"])
def letters(request: pytest.FixtureRequest, sqs: "SQSClient") -> tuple[ports.DeadLetters, Kept]:
    """Return the adapter or its fake, and how to look into the queue."""
    if request.param == "fake":
        fake = FakeDeadLetters()
        return fake, lambda: fake.letters
    url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]

    def kept() -> list[Any]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return [msgspec.json.decode(message["Body"]) for message in found]

    return SqsDeadLetters(sqs, url), kept


@pytest.mark.parametrize("letter", [LETTER, {"refused": {"message": "ä\u2028\x00" * 1_000}}])
def test_a_letter_is_kept_as_json(
    letters: tuple[ports.DeadLetters, Kept], letter: ports.DeadLetterJson
) -> None:
    """Whoever looks into the queue reads what was put."""
    dead, kept = letters
    dead.put(letter)
    assert kept() == [letter]


def test_two_letters_are_two_messages(letters: tuple[ports.DeadLetters, Kept]) -> None:
    """Also if they say the same."""
    dead, kept = letters
    dead.put(LETTER)
    dead.put(LETTER)
    assert kept() == [LETTER, LETTER]


def test_a_queue_that_is_gone_is_unavailable(sqs: "SQSClient") -> None:
    """The message that was refused then comes again."""
    with pytest.raises(Unavailable, match="SQS answered"):
        SqsDeadLetters(sqs, "https://sqs.us-east-1.amazonaws.com/123456789012/none").put(LETTER)


@pytest.mark.usefixtures("credentials")
def test_sqs_that_is_not_there_is_unavailable() -> None:
    """A refused connection is no place for a letter."""
    with closed_port() as url:
        config = Config(retries={"total_max_attempts": 1})
        client = session().client("sqs", endpoint_url=url, config=config)
        with pytest.raises(Unavailable, match="EndpointConnectionError"):
            SqsDeadLetters(client, f"{url}/1/dead-letters").put(LETTER)
