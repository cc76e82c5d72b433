"""SNS: one topic for each approver, with the approver's e-mail subscription alone."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ..domain.errors import InvalidRequest, Refused
from .aws_errors import Expected, aws_errors
from .topic_policy import same_policy, topic_policy

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from ..application.ports import Subscription
    from ..presentation.mail_text import Email

_REFUSALS = (
    "AccessDenied",
    "AuthorizationError",
    "EndpointDisabled",
    "FilterPolicyLimitExceeded",
    "InvalidParameter",
    "InvalidSecurity",
    "InvalidState",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSInvalidState",
    "KMSNotFound",
    "KMSOptInRequired",
    "ParameterValueInvalid",
    "PlatformApplicationDisabled",
    "ReplayLimitExceeded",
    "SubscriptionLimitExceeded",
    "TagLimitExceeded",
    "TagPolicy",
    "TopicLimitExceeded",
    "ValidationException",
)
"""Errors that stay until somebody changes the request, the topic or the account."""

FOREIGN_SUBSCRIPTION = "ForeignSubscription"
"""Our own name for a refusal: somebody else is subscribed to the approver's topic."""

# SNS's hosts in each of AWS's partitions (the suffixes of botocore's partitions.json).
_LINK = re.compile(
    r"https://sns(-fips)?\.[a-z0-9-]+\.(amazonaws\.(com|com\.cn|eu)|api\.aws|"
    r"api\.amazonwebservices\.(com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|"
    r"csp\.hci\.ic\.gov)/"
)


class SnsMailer:
    """The approvers' topics of one stage.

    Raises Unavailable if SNS doesn't answer, and Refused for an error that trying again won't end.
    """

    def __init__(self, client: "SNSClient", topic_arn_prefix: str, *, name: str = "") -> None:
        self._client = client
        self._prefix = topic_arn_prefix
        self._sender = f"Assent, {name}" if name and name.isascii() else ""
        """The sender's name in mails; empty to leave a topic's own, which is "Assent" at first."""

    def subscription(self, address: str) -> "Subscription":
        """Return the state of the approver's subscription.

        A topic with another policy, as earlier versions or somebody else made it, gets ours first;
        one with another display name gets the stage's.
        Raises Refused if anything but the approver's address is subscribed: it would get the
        approver's links.
        """
        arn = self.topic_arn(address)
        try:
            with _sns_errors("NotFound", "NotFoundException"):
                # The policy comes first: after it, nobody can subscribe behind the list.
                self._mend(arn)
                return self._subscribed(arn, address)
        except Expected:
            return "none"

    def invite(self, address: str) -> None:
        """Have SNS mail its invitation to the approver."""
        try:
            self._subscribe(address, "NotFound")
        except Expected:
            # CreateTopic would refuse an existing topic that has other attributes.
            arn = self.topic_arn(address)
            attributes = {"DisplayName": "Assent", "Policy": topic_policy(arn)}
            with _sns_errors():
                self._client.create_topic(Name=arn.rpartition(":")[2], Attributes=attributes)
            self._subscribe(address)

    def confirm(self, address: str, url: str) -> bool:
        """Confirm the subscription with the link of its invitation.

        Returns False if SNS refuses the link's token (used, or expired). Raises InvalidRequest if
        the URL isn't a confirmation link of this approver's topic. `AuthenticateOnUnsubscribe`
        makes the Unsubscribe link of later mails ask for IAM credentials.
        """
        token = confirmation_token(url, self.topic_arn(address))
        try:
            with _sns_errors("InvalidParameter", "NotFound"):
                self._client.confirm_subscription(
                    TopicArn=self.topic_arn(address),
                    Token=token,
                    AuthenticateOnUnsubscribe="true",
                )
        except Expected as e:
            return e.repeated  # An earlier try, whose answer was lost, may have used the token.
        return True

    def send(self, address: str, email: "Email") -> None:
        """Mail the approver; Refused means that SNS certainly didn't take it."""
        arn, refusal = self.topic_arn(address), ""
        for subject in dict.fromkeys((email.subject, email.ascii_subject)):
            try:
                with _sns_errors("InvalidParameter", "NotFound"):
                    self._client.publish(TopicArn=arn, Subject=subject, Message=email.text)
            except Expected as e:
                refusal = e.code
                if refusal == "NotFound":
                    break  # Another subject wouldn't help.
            else:
                return
        raise Refused("SNS", refusal)

    def forget(self, address: str) -> None:
        """Delete the approver's topic and its subscription, if there are any."""
        with _sns_errors():
            self._client.delete_topic(TopicArn=self.topic_arn(address))

    def topic_arn(self, address: str) -> str:
        """Return the approver's topic, named after a hash of the address in lower case."""
        return self._prefix + hashlib.sha256(address.lower().encode()).hexdigest()[:32]

    def _mend(self, arn: str) -> None:
        topic = self._client.get_topic_attributes(TopicArn=arn)["Attributes"]
        policy = topic_policy(arn)
        if not same_policy(topic.get("Policy", "{}"), policy):
            self._client.set_topic_attributes(
                TopicArn=arn, AttributeName="Policy", AttributeValue=policy
            )
        if self._sender not in ("", topic.get("DisplayName")):
            with suppress(Expected), aws_errors("SNS", "InvalidParameter"):
                # Mail goes out under the old name if SNS doesn't take this one.
                self._client.set_topic_attributes(
                    TopicArn=arn, AttributeName="DisplayName", AttributeValue=self._sender
                )

    def _subscribed(self, arn: str, address: str) -> "Subscription":
        arns: set[str] = set()
        lists = self._client.get_paginator("list_subscriptions_by_topic")
        for page in lists.paginate(TopicArn=arn):
            for found in page["Subscriptions"]:
                if found["SubscriptionArn"] == "Deleted":
                    continue  # It gets no mail any more, and SNS lists it for a while.
                if (found["Protocol"], found["Endpoint"].lower()) != ("email", address.lower()):
                    raise Refused("Assent", FOREIGN_SUBSCRIPTION)
                arns.add(found["SubscriptionArn"])
        if arns - {"PendingConfirmation"}:
            return "confirmed"
        return "pending" if arns else "none"

    def _subscribe(self, address: str, *expected: str) -> None:
        with _sns_errors(*expected):
            self._client.subscribe(
                TopicArn=self.topic_arn(address), Protocol="email", Endpoint=address
            )


@contextmanager
def _sns_errors(*expected: str) -> Iterator[None]:
    """Do what `aws_errors` does, and raise Refused for one of _REFUSALS that isn't expected."""
    try:
        with aws_errors("SNS", *expected, *_REFUSALS):
            yield
    except Expected as e:
        if e.code in expected:
            raise
        raise Refused("SNS", e.code) from None


def confirmation_token(url: str, topic_arn: str) -> str:
    """Return the token in the link of SNS's invitation to that topic, or raise InvalidRequest.

    The link is `https://sns.<region>.<AWS's domain>/...?TopicArn=...&Token=...`. Brackets, blanks
    and full stops around it, which people copy along, are ignored. It isn't opened: the token goes
    to SNS by `ConfirmSubscription`, for this topic alone.
    """
    url = url.strip("<>(). \t\r\n")
    if not _LINK.match(url):
        raise InvalidRequest("url: is not the address of a confirmation link of SNS", field="url")
    query = dict(re.findall(r"[?&](?:amp;)?(TopicArn|Token)=([^&#\s]*)", url))
    if unquote(query.get("TopicArn", "")) != topic_arn:
        raise InvalidRequest("url: confirms somebody else's subscription", field="url")
    token = unquote(query.get("Token", ""))
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{1,2048}", token):
        raise InvalidRequest("url: has no token; copy the address of the link, whole", field="url")
    return token
