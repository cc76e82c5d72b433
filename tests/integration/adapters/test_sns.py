"""The Notifier against SNS: a topic for each approver, and what each answer becomes."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.sns import SnsMailer
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.link_tokens import MailSecrets
from chalicelib.domain.outbox_entries import Mail
from chalicelib.presentation import emails
from chalicelib.presentation.emails import Email
from tests.asking import an_approval
from tests.aws.clients import session
from tests.aws.closed_port import closed_port
from tests.fakes import START

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

PREFIX = "arn:aws:sns:us-east-1:123456789012:assent-test-approver-"
ADA = "ada@example.com"
EMAIL = Email("Approval needed: Größe", "Approval needed", "Please.\n")
OPERATIONS: dict[str, Callable[[SnsMailer], object]] = {
    "get_topic_attributes": lambda mailer: mailer.subscription(ADA),
    "subscribe": lambda mailer: mailer.invite(ADA),
    "publish": lambda mailer: mailer.send(ADA, EMAIL),
    "delete_topic": lambda mailer: mailer.forget(ADA),
}


@pytest.fixture
def client(credentials: None) -> "SNSClient":  # noqa: ARG001 (it must be there first)
    """Return a client that checks parameters against botocore's model and tries once."""
    return session().client("sns", config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture
def stub(client: "SNSClient") -> Iterator[Stubber]:
    """Give SNS's part, as the test writes it; every line of it is spoken."""
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def cloud(account: None) -> "SNSClient":  # noqa: ARG001 (it must be there first)
    """Return a client of SNS in moto."""
    return session().client("sns")


def test_the_topic_is_one_for_each_address_whatever_its_case(client: "SNSClient") -> None:
    """Who writes an address in capitals means the same person."""
    mailer = SnsMailer(client, PREFIX)
    assert mailer.topic_arn("Ada@Example.COM") == mailer.topic_arn(ADA)
    assert mailer.topic_arn("ada2@example.com") != mailer.topic_arn(ADA)
    assert mailer.topic_arn(ADA).startswith(PREFIX)


def test_the_topic_does_not_spell_the_address_out(client: "SNSClient") -> None:
    """Topic names appear in lists, alarms and logs."""
    assert "ada" not in SnsMailer(client, PREFIX).topic_arn(ADA).removeprefix(PREFIX)


@given(address=st.emails())
def test_every_topic_has_a_name_that_sns_takes(address: str) -> None:
    """Letters, digits, hyphens and underscores, at most 256 of them."""
    client: Any = None
    name = SnsMailer(client, PREFIX).topic_arn(address).rpartition(":")[2]
    assert len(name) <= 256
    assert name.replace("-", "").replace("_", "").isalnum()
    assert name.isascii()


@pytest.mark.parametrize(
    ("confirmed", "waiting", "said"),
    [("1", "0", "confirmed"), ("0", "1", "pending"), ("0", "0", "none"), ("1", "3", "confirmed")],
)
def test_a_subscription_is_what_sns_counts(
    client: "SNSClient", stub: Stubber, confirmed: str, waiting: str, said: str
) -> None:
    """One confirmed is enough for mail; an unsubscribed topic counts none of either."""
    stub.add_response(
        "get_topic_attributes",
        {
            "Attributes": {
                "SubscriptionsConfirmed": confirmed,
                "SubscriptionsPending": waiting,
                "SubscriptionsDeleted": "1",
            }
        },
        {"TopicArn": SnsMailer(client, PREFIX).topic_arn(ADA)},
    )
    assert SnsMailer(client, PREFIX).subscription(ADA) == said


@pytest.mark.parametrize("attributes", [{}, {"Owner": "123456789012"}])
def test_a_topic_that_counts_nothing_reaches_nobody(
    client: "SNSClient", stub: Stubber, attributes: dict[str, str]
) -> None:
    """What isn't said to be confirmed isn't."""
    stub.add_response("get_topic_attributes", {"Attributes": attributes})
    assert SnsMailer(client, PREFIX).subscription(ADA) == "none"


@pytest.mark.parametrize("code", ["NotFound", "NotFoundException"])
def test_a_topic_that_is_not_there_is_no_subscription(
    client: "SNSClient", stub: Stubber, code: str
) -> None:
    """The query protocol and the model have different names for it."""
    stub.add_client_error("get_topic_attributes", code, http_status_code=404)
    assert SnsMailer(client, PREFIX).subscription(ADA) == "none"


def test_an_invitation_subscribes_the_approver_to_their_topic(
    client: "SNSClient", stub: Stubber
) -> None:
    """Where there is a topic, that is all it takes."""
    stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, _subscribed(client))
    SnsMailer(client, PREFIX).invite(ADA)


def test_an_invitation_makes_a_topic_that_is_missing(client: "SNSClient", stub: Stubber) -> None:
    """One topic, one e-mail subscription; the mail comes from a name that says who."""
    arn = SnsMailer(client, PREFIX).topic_arn(ADA)
    topic = {"Name": arn.rpartition(":")[2], "Attributes": {"DisplayName": "Assent"}}
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_response("create_topic", {"TopicArn": arn}, topic)
    stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, _subscribed(client))
    SnsMailer(client, PREFIX).invite(ADA)


def _subscribed(client: "SNSClient") -> dict[str, str]:
    arn = SnsMailer(client, PREFIX).topic_arn(ADA)
    return {"TopicArn": arn, "Protocol": "email", "Endpoint": ADA}


@pytest.mark.parametrize("code", ["NotFound", "Throttled"])
def test_a_topic_that_is_not_there_yet_after_it_was_made_is_unavailable(
    client: "SNSClient", stub: Stubber, code: str
) -> None:
    """SNS may need a moment; the next try finds it. No other error leaves the adapter."""
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_response("create_topic", {"TopicArn": SnsMailer(client, PREFIX).topic_arn(ADA)})
    stub.add_client_error("subscribe", code, http_status_code=404)
    with pytest.raises(Unavailable):
        SnsMailer(client, PREFIX).invite(ADA)


def test_an_invitation_repeated_leaves_one_topic_and_one_subscription(cloud: "SNSClient") -> None:
    """Whoever invites doesn't need to know whether somebody else did."""
    mailer = SnsMailer(cloud, PREFIX)
    mailer.invite(ADA)
    mailer.invite(ADA)
    (topic,) = cloud.list_topics()["Topics"]
    assert topic["TopicArn"] == mailer.topic_arn(ADA)
    (subscribed,) = cloud.list_subscriptions_by_topic(TopicArn=topic["TopicArn"])["Subscriptions"]
    assert (subscribed["Protocol"], subscribed["Endpoint"]) == ("email", ADA)


def test_two_approvers_have_two_topics(cloud: "SNSClient") -> None:
    """No mail for one can reach the other."""
    mailer = SnsMailer(cloud, PREFIX)
    mailer.invite(ADA)
    mailer.invite("bob@example.com")
    assert len(cloud.list_topics()["Topics"]) == 2
    for address in (ADA, "bob@example.com"):
        arn = mailer.topic_arn(address)
        (found,) = cloud.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert found["Endpoint"] == address


def test_a_mail_is_published_as_it_is(client: "SNSClient", stub: Stubber) -> None:
    """Subject and text unchanged, to that approver's topic."""
    arn = SnsMailer(client, PREFIX).topic_arn(ADA)
    mail = {"TopicArn": arn, "Subject": EMAIL.subject, "Message": EMAIL.text}
    stub.add_response("publish", {"MessageId": "1"}, mail)
    assert SnsMailer(client, PREFIX).send(ADA, EMAIL) is True


def test_the_longest_mail_is_one_that_sns_takes(cloud: "SNSClient") -> None:
    """A subject of 200 characters is cut to SNS's 99, the longest details go whole."""
    longest = an_approval(subject="S" * 200, details="d\n" * 5_000)
    mail = Mail(ADA, START)
    email = emails.write_email(
        longest,
        mail,
        MailSecrets("s" * 32, "123456"),
        public_url="https://assent.example.com/api",
        now=START,
    )
    mailer = SnsMailer(cloud, PREFIX)
    mailer.invite(ADA)
    assert mailer.send(ADA, email) is True


@pytest.mark.parametrize("code", ["NotFound", "InvalidParameter", "AuthorizationError"])
def test_a_mail_that_sns_certainly_refuses_answers_false(
    client: "SNSClient", stub: Stubber, code: str
) -> None:
    """A subject may be to blame for one of them, and is tried in ASCII; for the others not."""
    for _ in range(2 if code == "InvalidParameter" else 1):
        stub.add_client_error("publish", code, http_status_code=400)
    assert SnsMailer(client, PREFIX).send(ADA, EMAIL) is False


def test_a_subject_that_sns_refuses_is_replaced_by_a_plain_one(
    client: "SNSClient", stub: Stubber
) -> None:
    """The mail matters more than its subject."""
    plain = {
        "TopicArn": SnsMailer(client, PREFIX).topic_arn(ADA),
        "Subject": EMAIL.ascii_subject,
        "Message": EMAIL.text,
    }
    stub.add_client_error("publish", "InvalidParameter", http_status_code=400)
    stub.add_response("publish", {"MessageId": "1"}, plain)
    assert SnsMailer(client, PREFIX).send(ADA, EMAIL) is True


def test_a_mail_to_nobodys_topic_answers_false(cloud: "SNSClient") -> None:
    """Deleted by hand since it was looked at: no fault, and no mail."""
    assert SnsMailer(cloud, PREFIX).send(ADA, EMAIL) is False


def test_forgetting_deletes_the_topic_and_is_fine_without_one(cloud: "SNSClient") -> None:
    """Afterwards there is none, however many there were."""
    mailer = SnsMailer(cloud, PREFIX)
    mailer.invite(ADA)
    mailer.forget("ADA@example.com")
    assert cloud.list_topics()["Topics"] == []
    assert mailer.subscription(ADA) == "none"


def test_forgetting_who_was_never_invited_is_fine(client: "SNSClient", stub: Stubber) -> None:
    """DeleteTopic answers an unknown topic without an error (its documentation says so)."""
    arn = SnsMailer(client, PREFIX).topic_arn(ADA)
    stub.add_response("delete_topic", {}, {"TopicArn": arn})
    SnsMailer(client, PREFIX).forget(ADA)


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        (operation, code, status)
        for operation in OPERATIONS
        for code, status in (
            ("Throttled", 429),
            ("InternalError", 500),
            ("AuthorizationError", 403),
        )
        # For a mail, that is a certain refusal.
        if (operation, code) != ("publish", "AuthorizationError")
    ],
)
def test_a_fault_of_sns_is_unavailable(
    client: "SNSClient", stub: Stubber, operation: str, code: str, status: int
) -> None:
    """The service and the code are named; the address and the links in the mail are not."""
    stub.add_client_error(operation, code, f"about {ADA}", http_status_code=status)
    with pytest.raises(Unavailable, match=f"SNS answered {code}") as raised:
        OPERATIONS[operation](SnsMailer(client, PREFIX))
    assert ADA not in raised.value.message


def test_an_invitation_whose_topic_cannot_be_made_is_unavailable(
    client: "SNSClient", stub: Stubber
) -> None:
    """For want of a topic nobody was invited."""
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_client_error("create_topic", "TopicLimitExceeded", http_status_code=403)
    with pytest.raises(Unavailable):
        SnsMailer(client, PREFIX).invite(ADA)


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_sns_that_is_not_there_is_unavailable(operation: str) -> None:
    """A refused connection is never "no subscription" nor "certainly not sent"."""
    with closed_port() as url:
        client = session().client(
            "sns", endpoint_url=url, config=Config(retries={"total_max_attempts": 1})
        )
        with pytest.raises(Unavailable, match="EndpointConnectionError"):
            OPERATIONS[operation](SnsMailer(client, PREFIX))


CONFIRMING = {"Token": "ab" * 32, "AuthenticateOnUnsubscribe": "true"}


def test_a_confirmation_makes_the_unsubscribe_link_harmless(
    client: "SNSClient", stub: Stubber
) -> None:
    """SNS then wants IAM credentials of whoever follows it."""
    topic = SnsMailer(client, PREFIX).topic_arn(ADA)
    confirmed = {"SubscriptionArn": f"{topic}:1"}
    stub.add_response("confirm_subscription", confirmed, {"TopicArn": topic} | CONFIRMING)
    assert SnsMailer(client, PREFIX).confirm(ADA, "ab" * 32) is True


@pytest.mark.parametrize("code", ["InvalidParameter", "NotFound", "AuthorizationError"])
def test_a_confirmation_that_sns_refuses_answers_false(
    client: "SNSClient", stub: Stubber, code: str
) -> None:
    """Used up, too old, or somebody else's."""
    stub.add_client_error("confirm_subscription", code, http_status_code=400)
    assert SnsMailer(client, PREFIX).confirm(ADA, "ab" * 32) is False


def test_an_address_that_sns_refuses_is_not_invited(client: "SNSClient", stub: Stubber) -> None:
    """The answer is no fault to be tried again."""
    stub.add_client_error("subscribe", "InvalidParameter", http_status_code=400)
    assert SnsMailer(client, PREFIX).invite(ADA) is False
