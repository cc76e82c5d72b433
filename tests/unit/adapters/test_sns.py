"""SnsMailer against a stub: a topic for each approver, and what each answer of SNS becomes."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.session import get_session
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.sns import SnsMailer, confirmation_token
from chalicelib.adapters.topic_policy import topic_policy
from chalicelib.domain.errors import InvalidRequest, Refused, Unavailable
from chalicelib.presentation.mail_text import Email
from tests.aws.stubs import strict_client, stubbed

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

PREFIX = "arn:aws:sns:us-east-1:123456789012:assent-test-approver-"
ADA = "ada@example.com"
EMAIL = Email("Approval needed: Größe", "Approval needed", "Please.\n")
TOKEN = "ab" * 32
OPERATIONS: dict[str, Callable[[SnsMailer], object]] = {
    "get_topic_attributes": lambda mailer: mailer.subscription(ADA),
    "subscribe": lambda mailer: mailer.invite(ADA),
    "publish": lambda mailer: mailer.send(ADA, EMAIL),
    "confirm_subscription": lambda mailer: mailer.confirm(ADA, link(mailer)),
    "delete_topic": lambda mailer: mailer.forget(ADA),
}


@pytest.fixture
def client() -> "SNSClient":
    """Return a client without AWS."""
    client: SNSClient = strict_client("sns")
    return client


@pytest.fixture
def stub(client: "SNSClient") -> Iterator[Stubber]:
    """Give the stub that answers for SNS."""
    with stubbed(client) as stub:
        yield stub


@pytest.fixture
def mailer(client: "SNSClient") -> SnsMailer:
    """Return the adapter."""
    return SnsMailer(client, PREFIX)


def link(mailer: SnsMailer, **changed: str) -> str:
    """Return the link of SNS's invitation to Ada."""
    parts = {
        "base": "https://sns.us-east-1.amazonaws.com",
        "topic": mailer.topic_arn(ADA),
        "token": TOKEN,
    } | changed
    query = "Action=ConfirmSubscription&TopicArn={topic}&Token={token}".format(**parts)
    return f"{parts['base']}/?{query}"


def test_an_address_has_one_topic_in_any_case(mailer: SnsMailer) -> None:
    """Capital letters in an address mean the same person."""
    assert mailer.topic_arn("Ada@Example.COM") == mailer.topic_arn(ADA)
    assert mailer.topic_arn("ada2@example.com") != mailer.topic_arn(ADA)
    assert mailer.topic_arn(ADA).startswith(PREFIX)


def test_a_topic_does_not_show_the_address(mailer: SnsMailer) -> None:
    """Topic names appear in lists, alarms and logs."""
    assert "ada" not in mailer.topic_arn(ADA).removeprefix(PREFIX)


@given(address=st.emails())
def test_every_topic_has_a_name_that_sns_accepts(address: str) -> None:
    """Letters, digits, hyphens and underscores, at most 256 of them."""
    client: Any = None
    name = SnsMailer(client, PREFIX).topic_arn(address).rpartition(":")[2]
    assert len(name) <= 256
    assert name.replace("-", "").replace("_", "").isalnum()
    assert name.isascii()


def has_topic(stub: Stubber, mailer: SnsMailer) -> None:
    """Have SNS answer that the approver's topic has our policy."""
    arn = mailer.topic_arn(ADA)
    stub.add_response(
        "get_topic_attributes", {"Attributes": {"Policy": topic_policy(arn)}}, {"TopicArn": arn}
    )


def subscribed(
    stub: Stubber, mailer: SnsMailer, *found: tuple[str, str, str], more: str = "", after: str = ""
) -> None:
    """Have SNS list these subscriptions to the approver's topic: protocol, endpoint, ARN."""
    answer: dict[str, Any] = {
        "Subscriptions": [
            {"Protocol": protocol, "Endpoint": endpoint, "SubscriptionArn": arn}
            for protocol, endpoint, arn in found
        ]
    }
    asked = {"TopicArn": mailer.topic_arn(ADA)} | ({"NextToken": after} if after else {})
    stub.add_response(
        "list_subscriptions_by_topic", answer | ({"NextToken": more} if more else {}), asked
    )


@pytest.mark.parametrize(
    ("found", "state"),
    [
        ([], "none"),
        ([("email", ADA, "PendingConfirmation")], "pending"),
        ([("email", ADA, f"{PREFIX}x:1")], "confirmed"),
        ([("email", "Ada@Example.COM", f"{PREFIX}x:1")], "confirmed"),
        ([("email", ADA, "PendingConfirmation"), ("email", ADA, f"{PREFIX}x:1")], "confirmed"),
        ([("email", ADA, "Deleted")], "none"),
        ([("email", ADA, "Deleted"), ("email", ADA, "PendingConfirmation")], "pending"),
    ],
)
def test_the_state_of_a_subscription_is_read_from_the_topics_list(
    mailer: SnsMailer, stub: Stubber, found: list[tuple[str, str, str]], state: str
) -> None:
    """One confirmed subscription is enough for mail, in any spelling of the address."""
    has_topic(stub, mailer)
    subscribed(stub, mailer, *found)
    assert mailer.subscription(ADA) == state


FOREIGN = [
    ("sqs", "arn:aws:sqs:us-east-1:123456789012:attacker", f"{PREFIX}x:2"),
    ("email", "attacker@example.com", f"{PREFIX}x:2"),
    ("email", "attacker@example.com", "PendingConfirmation"),
    ("email", f"x{ADA}", f"{PREFIX}x:2"),
    ("email-json", ADA, f"{PREFIX}x:2"),
    ("https", ADA, f"{PREFIX}x:2"),
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("own", [True, False])
def test_a_topic_with_a_foreign_subscription_is_refused_by_name(
    mailer: SnsMailer, stub: Stubber, foreign: tuple[str, str, str], own: bool
) -> None:
    """It would get the approver's links, pending ones as soon as they are confirmed."""
    has_topic(stub, mailer)
    subscribed(stub, mailer, *([("email", ADA, f"{PREFIX}x:1")] if own else []), foreign)
    with pytest.raises(Refused, match="Assent refuses this") as refusal:
        mailer.subscription(ADA)
    assert refusal.value.name == "ForeignSubscription"
    assert foreign[1] not in refusal.value.message


def test_a_foreign_subscription_on_a_later_page_is_found(mailer: SnsMailer, stub: Stubber) -> None:
    """SNS lists 100 at a time."""
    has_topic(stub, mailer)
    subscribed(stub, mailer, *[("email", ADA, f"{PREFIX}x:{n}") for n in range(100)], more="2")
    subscribed(stub, mailer, FOREIGN[0], after="2")
    with pytest.raises(Refused, match="ForeignSubscription"):
        mailer.subscription(ADA)


def test_a_foreign_subscription_that_was_deleted_does_no_harm(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """SNS lists it for a while and delivers nothing to it."""
    has_topic(stub, mailer)
    gone = ("email", "attacker@example.com", "Deleted")
    subscribed(stub, mailer, gone, ("email", ADA, f"{PREFIX}x:1"))
    assert mailer.subscription(ADA) == "confirmed"


FORGED = json.dumps(
    json.loads(topic_policy(f"{PREFIX}x"))
    | {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:*", "Resource": "*"}]}
)
"""A policy with our id that allows everything."""


@pytest.mark.parametrize("attributes", [{}, {"Policy": "{}"}, {"Policy": FORGED}])
def test_a_topics_policy_is_mended_before_its_subscriptions_are_read(
    mailer: SnsMailer, stub: Stubber, attributes: dict[str, str]
) -> None:
    """In the other order somebody could subscribe in between. The stub holds the order."""
    arn = mailer.topic_arn(ADA)
    mended = {"AttributeName": "Policy", "AttributeValue": topic_policy(arn)}
    stub.add_response("get_topic_attributes", {"Attributes": attributes})
    stub.add_response("set_topic_attributes", {}, {"TopicArn": arn} | mended)
    subscribed(stub, mailer, ("email", ADA, f"{arn}:1"))
    assert mailer.subscription(ADA) == "confirmed"


@pytest.mark.parametrize("refused", [False, True])
def test_a_topic_gets_the_stages_name_when_it_is_next_used(
    client: "SNSClient", stub: Stubber, refused: bool
) -> None:
    """Once; if SNS doesn't take the name, mail goes out under the old one."""
    mailer = SnsMailer(client, PREFIX, name="Example Ltd, production")
    arn = mailer.topic_arn(ADA)
    ours = {"Policy": topic_policy(arn), "DisplayName": "Assent"}
    stub.add_response("get_topic_attributes", {"Attributes": ours}, {"TopicArn": arn})
    if refused:
        stub.add_client_error("set_topic_attributes", "InvalidParameter")
    else:
        named = {
            "AttributeName": "DisplayName",
            "AttributeValue": "Assent, Example Ltd, production",
        }
        stub.add_response("set_topic_attributes", {}, {"TopicArn": arn} | named)
    stub.add_response("list_subscriptions_by_topic", {"Subscriptions": []})
    assert mailer.subscription(ADA) == "none"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("", "Somebody's own"), ("Müller", "Assent"), ("Example", "Assent, Example")],
)
def test_a_topics_name_stays_without_a_name_in_ascii(
    client: "SNSClient", stub: Stubber, name: str, shown: str
) -> None:
    """And one that is right already is set by no call."""
    mailer = SnsMailer(client, PREFIX, name=name)
    arn = mailer.topic_arn(ADA)
    ours = {"Policy": topic_policy(arn), "DisplayName": shown}
    stub.add_response("get_topic_attributes", {"Attributes": ours}, {"TopicArn": arn})
    stub.add_response("list_subscriptions_by_topic", {"Subscriptions": []})
    assert mailer.subscription(ADA) == "none"


def test_a_topic_that_is_deleted_meanwhile_has_no_subscription(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """The next mail makes it anew."""
    has_topic(stub, mailer)
    stub.add_client_error("list_subscriptions_by_topic", "NotFound", http_status_code=404)
    assert mailer.subscription(ADA) == "none"


@pytest.mark.parametrize(
    ("code", "error"), [("AuthorizationError", Refused), ("Throttled", Unavailable)]
)
def test_a_topic_whose_subscriptions_can_not_be_read_is_not_used(
    mailer: SnsMailer, stub: Stubber, code: str, error: type[Exception]
) -> None:
    """An unknown list is never taken for an approver's own."""
    has_topic(stub, mailer)
    stub.add_client_error("list_subscriptions_by_topic", code)
    with pytest.raises(error, match=code):
        mailer.subscription(ADA)


@pytest.mark.parametrize("code", ["NotFound", "NotFoundException"])
def test_a_missing_topic_has_no_subscription(mailer: SnsMailer, stub: Stubber, code: str) -> None:
    """The query protocol and the model have different names for it."""
    stub.add_client_error("get_topic_attributes", code, http_status_code=404)
    assert mailer.subscription(ADA) == "none"


@pytest.mark.parametrize(
    ("code", "error"), [("AuthorizationError", Refused), ("Throttled", Unavailable)]
)
def test_a_topic_whose_policy_can_not_be_mended_is_not_used(
    mailer: SnsMailer, stub: Stubber, code: str, error: type[Exception]
) -> None:
    """Somebody else may be subscribed to the next mail: the operator is told why none is sent."""
    stub.add_response("get_topic_attributes", {"Attributes": {}})
    stub.add_client_error("set_topic_attributes", code)
    with pytest.raises(error, match=code):
        mailer.subscription(ADA)


def test_an_invitation_subscribes_the_address_to_its_topic(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """An existing topic needs no second call."""
    stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, _expected(mailer))
    mailer.invite(ADA)


def test_an_invitation_creates_a_missing_topic(mailer: SnsMailer, stub: Stubber) -> None:
    """Its display name says from whom the mails are."""
    arn = mailer.topic_arn(ADA)
    attributes = {"DisplayName": "Assent", "Policy": topic_policy(arn)}
    topic = {"Name": arn.rpartition(":")[2], "Attributes": attributes}
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_response("create_topic", {"TopicArn": arn}, topic)
    stub.add_response("subscribe", {"SubscriptionArn": "pending confirmation"}, _expected(mailer))
    mailer.invite(ADA)


def _expected(mailer: SnsMailer) -> dict[str, str]:
    return {"TopicArn": mailer.topic_arn(ADA), "Protocol": "email", "Endpoint": ADA}


@pytest.mark.parametrize("code", ["NotFound", "Throttled"])
def test_a_new_topic_that_sns_does_not_find_yet_is_unavailable(
    mailer: SnsMailer, stub: Stubber, code: str
) -> None:
    """SNS may need a moment; the next try finds it. No error of botocore leaves the adapter."""
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_response("create_topic", {"TopicArn": mailer.topic_arn(ADA)})
    stub.add_client_error("subscribe", code, http_status_code=404)
    with pytest.raises(Unavailable):
        mailer.invite(ADA)


def test_an_invitation_whose_topic_cannot_be_created_is_refused_by_name(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """The account is full: an operator has to know that, and trying again doesn't help."""
    stub.add_client_error("subscribe", "NotFound", http_status_code=404)
    stub.add_client_error("create_topic", "TopicLimitExceeded", http_status_code=403)
    with pytest.raises(Refused, match="TopicLimitExceeded") as refusal:
        mailer.invite(ADA)
    assert refusal.value.name == "TopicLimitExceeded"


def test_an_address_that_sns_refuses_is_not_invited(mailer: SnsMailer, stub: Stubber) -> None:
    """A refusal, not a fault that would be retried."""
    stub.add_client_error("subscribe", "InvalidParameter", http_status_code=400)
    with pytest.raises(Refused, match="InvalidParameter"):
        mailer.invite(ADA)


HANDLED = {"NotFound"}
TRANSIENT = {"InternalError", "ConcurrentAccess", "KMSThrottling", "StaleTag"}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_error_in_the_model_is_a_refusal_unless_it_passes_by_itself(
    mailer: SnsMailer, client: "SNSClient", operation: str
) -> None:
    """A new error of SNS is seen by this test, and told apart by a person."""
    model = client.meta.service_model
    name = client.meta.method_to_api_mapping[operation]
    shapes: Any = model.operation_model(name).error_shapes
    codes = {shape.error_code for shape in shapes}
    assert codes >= {"AuthorizationError", "InvalidParameter", "InternalError"}
    for code in codes - HANDLED:
        with stubbed(client) as stub:
            stub.add_client_error(operation, code)
            if (operation, code) == ("publish", "InvalidParameter"):
                stub.add_client_error(operation, code)  # The subject in ASCII is tried too.
            if (operation, code) == ("confirm_subscription", "InvalidParameter"):
                assert mailer.confirm(ADA, link(mailer)) is False
                continue
            with pytest.raises(Unavailable if code in TRANSIENT else Refused, match=code):
                OPERATIONS[operation](mailer)


def test_a_mail_is_published_unchanged(mailer: SnsMailer, stub: Stubber) -> None:
    """Subject and text go as they are to that approver's topic."""
    mail = {"TopicArn": mailer.topic_arn(ADA), "Subject": EMAIL.subject, "Message": EMAIL.text}
    stub.add_response("publish", {"MessageId": "1"}, mail)
    mailer.send(ADA, EMAIL)


@pytest.mark.parametrize("code", ["NotFound", "InvalidParameter", "AuthorizationError"])
def test_a_mail_that_sns_certainly_refused_is_refused_by_name(
    mailer: SnsMailer, stub: Stubber, code: str
) -> None:
    """InvalidParameter may be the subject's fault, so the subject in ASCII is tried too."""
    for _ in range(2 if code == "InvalidParameter" else 1):
        stub.add_client_error("publish", code, http_status_code=400)
    with pytest.raises(Refused, match=code):
        mailer.send(ADA, EMAIL)


def test_a_refused_subject_is_replaced_by_one_in_ascii(mailer: SnsMailer, stub: Stubber) -> None:
    """The mail matters more than its subject."""
    plain = {
        "TopicArn": mailer.topic_arn(ADA),
        "Subject": EMAIL.ascii_subject,
        "Message": EMAIL.text,
    }
    stub.add_client_error("publish", "InvalidParameter", http_status_code=400)
    stub.add_response("publish", {"MessageId": "1"}, plain)
    mailer.send(ADA, EMAIL)


def test_forgetting_an_unknown_approver_is_no_error(mailer: SnsMailer, stub: Stubber) -> None:
    """DeleteTopic answers an unknown topic without an error (its documentation says so)."""
    stub.add_response("delete_topic", {}, {"TopicArn": mailer.topic_arn(ADA)})
    mailer.forget(ADA)


def test_a_confirmation_makes_the_unsubscribe_link_ask_for_credentials(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """So a mail scanner that follows that link unsubscribes nobody."""
    topic = mailer.topic_arn(ADA)
    expected = {"TopicArn": topic, "Token": TOKEN, "AuthenticateOnUnsubscribe": "true"}
    stub.add_response("confirm_subscription", {"SubscriptionArn": f"{topic}:1"}, expected)
    assert mailer.confirm(ADA, link(mailer)) is True


@pytest.mark.parametrize("code", ["InvalidParameter", "NotFound"])
def test_a_confirmation_that_sns_refuses_answers_false(
    mailer: SnsMailer, stub: Stubber, code: str
) -> None:
    """The token is used, expired or of another topic."""
    stub.add_client_error("confirm_subscription", code, http_status_code=400)
    assert mailer.confirm(ADA, link(mailer)) is False


def test_a_confirmation_that_botocore_repeated_may_have_succeeded(
    mailer: SnsMailer, stub: Stubber
) -> None:
    """Its first try may have used the token up; the status that is read next tells."""
    stub.add_client_error(
        "confirm_subscription", "InvalidParameter", response_meta={"RetryAttempts": 1}
    )
    assert mailer.confirm(ADA, link(mailer)) is True


@pytest.mark.parametrize(
    "base",
    [
        "https://sns.eu-central-1.amazonaws.com",
        "https://sns.cn-north-1.amazonaws.com.cn",
        "https://sns.eusc-de-east-1.amazonaws.eu",
        "https://sns.us-isob-east-1.sc2s.sgov.gov",
        " https://sns.us-east-1.api.aws",
    ],
)
def test_the_token_is_read_from_the_link_of_any_region(mailer: SnsMailer, base: str) -> None:
    """Also if the ARN in it is percent-encoded, or the link was copied from the mail's source."""
    arn = mailer.topic_arn(ADA)
    for topic in (arn, arn.replace(":", "%3A"), arn.replace(":", "%3a")):
        copied = link(mailer, base=base, topic=topic)
        assert confirmation_token(copied, arn) == TOKEN
        assert confirmation_token(copied.replace("&", "&amp;") + "\n", arn) == TOKEN
    assert confirmation_token(link(mailer, base=base, token="A-z_0.9%3D"), arn) == "A-z_0.9="


def test_every_partition_of_botocore_has_a_host_that_is_taken(mailer: SnsMailer) -> None:
    """A new partition is seen by this test, not by its first approver."""
    arn = mailer.topic_arn(ADA)
    partitions = get_session().get_component("data_loader").load_data("partitions")["partitions"]
    for suffix in {one["outputs"]["dnsSuffix"] for one in partitions}:
        assert confirmation_token(link(mailer, base=f"https://sns.r-1.{suffix}"), arn) == TOKEN


@pytest.mark.parametrize("copied", [" {}\n", "<{}>", "({}).", "{}."])
def test_the_token_is_read_from_a_link_as_people_copy_it(mailer: SnsMailer, copied: str) -> None:
    """With a bracket, blank or full stop that isn't part of it."""
    assert confirmation_token(copied.format(link(mailer)), mailer.topic_arn(ADA)) == TOKEN


@pytest.mark.parametrize(
    "changed",
    [
        {"base": "http://sns.us-east-1.amazonaws.com"},
        {"base": "https://sns.us-east-1.amazonaws.com.evil.example"},
        {"base": "https://evil.example"},
        {"topic": f"{PREFIX}another"},
        {"token": ""},
        {"token": "<script>"},
    ],
)
def test_any_other_link_confirms_nothing(
    mailer: SnsMailer, stub: Stubber, changed: dict[str, str]
) -> None:
    """The error names the field, and SNS isn't called: the stub has no answer."""
    assert stub is not None
    with pytest.raises(InvalidRequest) as raised:
        mailer.confirm(ADA, link(mailer, **changed))
    assert raised.value.field == "url"


@pytest.mark.parametrize(("code", "status"), [("Throttled", 429), ("InternalError", 500)])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_fault_of_sns_is_unavailable(
    mailer: SnsMailer, stub: Stubber, operation: str, code: str, status: int
) -> None:
    """The message names service and code; it holds neither the address nor the mail's links."""
    stub.add_client_error(operation, code, f"about {ADA}", http_status_code=status)
    with pytest.raises(Unavailable, match=f"SNS answered {code}") as raised:
        OPERATIONS[operation](mailer)
    assert ADA not in raised.value.message
