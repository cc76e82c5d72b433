"""SNS: topics, subscriptions and messages, by botocore's model and by moto."""

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ClientError

from .witness import answer, argument, operation, plain

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


@pytest.fixture
def sns(account: boto3.Session) -> "SNSClient":
    """Return a client of SNS in moto."""
    return account.client("sns")


def _publish(sns: "SNSClient", message: str = "m", subject: str = "s") -> str:
    """Publish to a topic; return "published" or the error's code."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    try:
        sns.publish(TopicArn=topic, Message=message, Subject=subject)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return "published"


def test_creating_a_topic_again_finds_it(sns: "SNSClient") -> None:
    """CreateTopic is idempotent by name."""
    assert sns.create_topic(Name="t") | {"ResponseMetadata": None} == sns.create_topic(Name="t") | {
        "ResponseMetadata": None
    }
    assert len(sns.list_topics()["Topics"]) == 1
    assert "This action is idempotent" in plain(operation("sns", "CreateTopic").documentation)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "é", "x" * 257])
def test_a_topic_name_is_1_to_256_letters_digits_hyphens_underscores(
    sns: "SNSClient", name: str
) -> None:
    """An e-mail address can't be a topic's name; its hash can."""
    assert sns.create_topic(Name="assent-dev-approver-0_9" + "x" * 233)
    with pytest.raises(ClientError, match="InvalidParameter"):
        sns.create_topic(Name=name)
    text = plain(argument("sns", "CreateTopic", "Name").documentation)
    assert "between 1 and 256 characters" in text


def test_an_account_has_100000_topics() -> None:
    """With a topic for each approver, this is the limit of approvers."""
    text = plain(operation("sns", "CreateTopic").documentation)
    assert "at most 100,000 standard topics" in text


def test_subscribing_again_makes_no_second_subscription(sns: "SNSClient") -> None:
    """The same topic, protocol and address have one subscription."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    first = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    again = sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    assert first["SubscriptionArn"] == again["SubscriptionArn"]
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 1


def test_an_email_subscription_waits_for_its_owner() -> None:
    """It is pending until they confirm; the invitation's link is valid for two days."""
    text = plain(operation("sns", "Subscribe").documentation)
    assert "email" in text
    assert "must run the ConfirmSubscription action" in text
    assert "valid for two days" in text
    pending = plain(answer("sns", "Subscribe")["SubscriptionArn"].documentation)
    assert '"pending confirmation"' in pending


def test_a_topic_lists_who_is_subscribed_100_at_a_time(sns: "SNSClient") -> None:
    """With protocol and endpoint, so that one call says whether mail reaches the approver alone."""
    text = plain(operation("sns", "ListSubscriptionsByTopic").documentation)
    assert "up to 100" in text
    assert "NextToken" in text
    assert "throttled at 30 transactions per second" in text
    topic = sns.create_topic(Name="t")["TopicArn"]
    addresses = {f"{n}@example.com" for n in range(101)}
    for address in addresses:
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
    pages = list(sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
    assert [len(page["Subscriptions"]) for page in pages] == [100, 1]
    found = [one for page in pages for one in page["Subscriptions"]]
    assert {(one["Protocol"], one["Endpoint"]) for one in found} == {
        ("email", address) for address in addresses
    }


def test_moto_lists_an_email_subscription_as_confirmed_at_once(sns: "SNSClient") -> None:
    """AWS lists it as `PendingConfirmation` until its reader has confirmed."""
    topic = sns.create_topic(Name="t")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")
    (found,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert found["SubscriptionArn"].startswith(topic)


def test_the_model_allows_a_subject_of_utf8_below_100_characters() -> None:
    """No line breaks, no control characters, fewer than 100 characters; any language."""
    text = plain(argument("sns", "Publish", "Subject").documentation)
    assert "UTF-8 text with no line breaks or control characters" in text
    assert "less than 100 characters long" in text


@pytest.mark.parametrize(
    ("length", "result"), [(99, "published"), (100, "published"), (101, "InvalidParameter")]
)
def test_moto_takes_one_character_more_than_the_model(
    sns: "SNSClient", length: int, result: str
) -> None:
    """Both accept 99."""
    assert _publish(sns, subject="s" * length) == result


def test_a_message_has_up_to_262144_bytes(sns: "SNSClient") -> None:
    """The limit is in bytes; moto counts characters, so only ASCII can show it here."""
    assert _publish(sns, "x" * 262_144) == "published"
    assert _publish(sns, "x" * 262_145) == "InvalidParameter"
    text = plain(argument("sns", "Publish", "Message").documentation)
    assert "262,144 bytes, not 262,144 characters" in text


def test_an_unsubscribe_link_can_be_made_to_need_a_signature() -> None:
    """By AuthenticateOnUnsubscribe of ConfirmSubscription."""
    text = plain(argument("sns", "ConfirmSubscription", "AuthenticateOnUnsubscribe").documentation)
    assert "Disallows unauthenticated unsubscribes" in text


def test_a_topic_takes_its_policy_when_it_is_made_and_later() -> None:
    """And returns it with its counts, so that looking at it costs no further call."""
    for text in (
        argument("sns", "CreateTopic", "Attributes").documentation,
        argument("sns", "SetTopicAttributes", "AttributeName").documentation,
        answer("sns", "GetTopicAttributes")["Attributes"].documentation,
    ):
        assert "Policy" in plain(text).split()


def test_moto_returns_a_policy_in_its_own_spelling(sns: "SNSClient") -> None:
    """From its creation, and after it was replaced; its id is as it was given."""
    first, second = (json.dumps({"Statement": [], "Id": name}) for name in ("first", "second"))
    topic = sns.create_topic(Name="t", Attributes={"Policy": first})["TopicArn"]
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert found != first
    assert json.loads(found) == json.loads(first)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=second)
    found = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]
    assert json.loads(found) == json.loads(second)
