"""SnsMailer in moto: topics, subscriptions, and the longest mail."""

from typing import TYPE_CHECKING

import pytest

from chalicelib.adapters.sns import SnsMailer
from chalicelib.domain.errors import Refused
from chalicelib.domain.link_tokens import MailSecrets
from chalicelib.domain.outbox_entries import Mail
from chalicelib.presentation import emails
from chalicelib.presentation.mail_text import Email
from tests.aws.clients import session
from tests.builders import an_approval
from tests.fakes import START

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

PREFIX = "arn:aws:sns:us-east-1:123456789012:assent-test-approver-"
ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def sns(account: None) -> "SNSClient":  # noqa: ARG001 (it must be there first)
    """Return a client of SNS in moto."""
    return session().client("sns")


def test_each_approver_has_one_topic_and_one_subscription(sns: "SNSClient") -> None:
    """No mail for one can reach the other, and a repeated invitation adds nothing."""
    mailer = SnsMailer(sns, PREFIX)
    for address in (ADA, GRACE, ADA):
        mailer.invite(address)
    assert len(sns.list_topics()["Topics"]) == 2
    for address in (ADA, GRACE):
        arn = mailer.topic_arn(address)
        (found,) = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        assert (found["Protocol"], found["Endpoint"]) == ("email", address)


def test_sns_accepts_the_longest_mail(sns: "SNSClient") -> None:
    """A subject of 200 characters is cut to SNS's 99; the longest details go whole."""
    longest = an_approval(subject="S" * 200, details="d\n" * 5_000)
    email = emails.write_email(
        longest,
        Mail(ADA, START),
        MailSecrets("s" * 32, "123456"),
        public_url="https://assent.example.com/api",
        now=START,
    )
    mailer = SnsMailer(sns, PREFIX)
    mailer.invite(ADA)
    mailer.send(ADA, email)


def test_a_mail_to_a_missing_topic_is_refused(sns: "SNSClient") -> None:
    """An operator may have deleted it after its subscription was read."""
    with pytest.raises(Refused, match="NotFound"):
        SnsMailer(sns, PREFIX).send(ADA, Email("Hello", "Hello", "Please.\n"))


def test_forgetting_deletes_the_topic(sns: "SNSClient") -> None:
    """By any spelling of the address."""
    mailer = SnsMailer(sns, PREFIX)
    mailer.invite(ADA)
    mailer.forget("ADA@example.com")
    assert sns.list_topics()["Topics"] == []
    assert mailer.subscription(ADA) == "none"
