"""SNS: one topic for each approver, with the approver's e-mail subscription alone."""

import hashlib
import re
from typing import TYPE_CHECKING

from ..domain.errors import InvalidRequest
from .aws_errors import Expected, aws_errors

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from ..application.ports import Subscription
    from ..presentation.emails import Email

_CONFIRM_REFUSALS = (
    "InvalidParameter",
    "NotFound",
    "AuthorizationError",
    "SubscriptionLimitExceeded",
)


class SnsMailer:
    """The approvers' topics of one stage. Raises Unavailable if SNS doesn't answer."""

    def __init__(self, client: "SNSClient", topic_arn_prefix: str) -> None:
        self._client = client
        self._prefix = topic_arn_prefix

    def subscription(self, address: str) -> "Subscription":
        """Return the state of the approver's subscription."""
        try:
            with aws_errors("SNS", "NotFound", "NotFoundException"):
                topic = self._client.get_topic_attributes(TopicArn=self.topic_arn(address))
        except Expected:
            return "none"
        counts = topic["Attributes"]
        if int(counts.get("SubscriptionsConfirmed", "0")) > 0:
            return "confirmed"
        return "pending" if int(counts.get("SubscriptionsPending", "0")) > 0 else "none"

    def invite(self, address: str) -> bool:
        """Have SNS mail its invitation to the approver; return False if it refuses the address."""
        try:
            return self._subscribe(address, "NotFound")
        except Expected:
            # CreateTopic would refuse an existing topic that has other attributes.
            name = self.topic_arn(address).rpartition(":")[2]
            with aws_errors("SNS"):
                self._client.create_topic(Name=name, Attributes={"DisplayName": "Assent"})
            return self._subscribe(address)

    def confirm(self, address: str, url: str) -> bool:
        """Confirm the subscription with the link of its invitation.

        Returns False if SNS refuses the link's token (used, or expired). Raises InvalidRequest if
        the URL isn't a confirmation link of this approver's topic. `AuthenticateOnUnsubscribe`
        makes the Unsubscribe link of later mails ask for IAM credentials.
        """
        token = confirmation_token(url, self.topic_arn(address))
        try:
            with aws_errors("SNS", *_CONFIRM_REFUSALS):
                self._client.confirm_subscription(
                    TopicArn=self.topic_arn(address),
                    Token=token,
                    AuthenticateOnUnsubscribe="true",
                )
        except Expected:
            return False
        return True

    def send(self, address: str, email: "Email") -> bool:
        """Mail the approver; return False if SNS certainly didn't take it."""
        arn = self.topic_arn(address)
        for subject in dict.fromkeys((email.subject, email.ascii_subject)):
            try:
                with aws_errors("SNS", "NotFound", "InvalidParameter", "AuthorizationError"):
                    self._client.publish(TopicArn=arn, Subject=subject, Message=email.text)
            except Expected as e:
                if e.code != "InvalidParameter":
                    return False  # Another subject wouldn't help.
            else:
                return True
        return False

    def forget(self, address: str) -> None:
        """Delete the approver's topic and its subscription, if there are any."""
        with aws_errors("SNS"):
            self._client.delete_topic(TopicArn=self.topic_arn(address))

    def topic_arn(self, address: str) -> str:
        """Return the approver's topic, named after a hash of the address in lower case."""
        return self._prefix + hashlib.sha256(address.lower().encode()).hexdigest()[:32]

    def _subscribe(self, address: str, *expected: str) -> bool:
        try:
            with aws_errors("SNS", "InvalidParameter", *expected):
                self._client.subscribe(
                    TopicArn=self.topic_arn(address), Protocol="email", Endpoint=address
                )
        except Expected as e:
            if e.code == "InvalidParameter":
                return False
            raise
        return True


def confirmation_token(url: str, topic_arn: str) -> str:
    """Return the token in the link of SNS's invitation to that topic, or raise InvalidRequest.

    The link is `https://sns.<region>.amazonaws.com/...?TopicArn=...&Token=...`. Brackets, blanks
    and full stops around it, which people copy along, are ignored.
    """
    url = url.strip("<>(). \t\r\n")
    if not re.match(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/", url):
        raise InvalidRequest("url: is not the address of a confirmation link of SNS", field="url")
    query = dict(re.findall(r"[?&](TopicArn|Token)=([^&#]*)", url))
    if query.get("TopicArn", "").replace("%3A", ":") != topic_arn:
        raise InvalidRequest("url: confirms somebody else's subscription", field="url")
    token: str = query.get("Token", "")
    if not re.fullmatch(r"[0-9a-f]{16,1024}", token):
        raise InvalidRequest("url: has no token; copy the address of the link, whole", field="url")
    return token
