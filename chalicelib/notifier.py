"""ADAPTER: SNS; one topic for each approver, with that approver's e-mail subscription alone."""

import hashlib
from typing import TYPE_CHECKING, Literal

from .aws import Expected, faults

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

    from .emails import Email

Subscription = Literal["none", "pending", "confirmed"]


class Notifier:
    """The approvers' topics of one stage. Raises Unavailable if SNS doesn't do what is asked."""

    def __init__(self, client: "SNSClient", topic_arn_prefix: str) -> None:
        self._client = client
        self._prefix = topic_arn_prefix

    def topic_arn(self, address: str) -> str:
        """Return the approver's topic, made from a hash of the address in lower case."""
        return self._prefix + hashlib.sha256(address.lower().encode()).hexdigest()[:32]

    def subscription(self, address: str) -> Subscription:
        """Return whether mail can reach the approver: only if `confirmed`."""
        try:
            with faults("SNS", "NotFound", "NotFoundException"):
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
            # Only a topic that is missing is made: one with other attributes would be refused.
            name = self.topic_arn(address).rpartition(":")[2]
            with faults("SNS"):
                self._client.create_topic(Name=name, Attributes={"DisplayName": "Assent"})
            return self._subscribe(address)

    def confirm(self, address: str, token: str) -> bool:
        """Confirm the subscription so that the mail's Unsubscribe link asks for IAM credentials.

        Returns False if SNS refuses the token (used up, or older than its invitation lives).
        """
        refusals = (
            "InvalidParameter",
            "NotFound",
            "AuthorizationError",
            "SubscriptionLimitExceeded",
        )
        try:
            with faults("SNS", *refusals):
                self._client.confirm_subscription(
                    TopicArn=self.topic_arn(address),
                    Token=token,
                    AuthenticateOnUnsubscribe="true",
                )
        except Expected:
            return False
        return True

    def send(self, address: str, email: "Email") -> bool:
        """Have SNS mail this to the approver; return False if it certainly won't."""
        arn = self.topic_arn(address)
        for subject in dict.fromkeys((email.subject, email.ascii_subject)):
            try:
                with faults("SNS", "NotFound", "InvalidParameter", "AuthorizationError"):
                    self._client.publish(TopicArn=arn, Subject=subject, Message=email.text)
            except Expected as e:
                if e.args != ("InvalidParameter",):
                    return False  # No other subject would help.
            else:
                return True
        return False

    def _subscribe(self, address: str, *expected: str) -> bool:
        try:
            with faults("SNS", "InvalidParameter", *expected):
                self._client.subscribe(
                    TopicArn=self.topic_arn(address), Protocol="email", Endpoint=address
                )
        except Expected as e:
            if e.args == ("InvalidParameter",):
                return False
            raise
        return True

    def forget(self, address: str) -> None:
        """Delete the approver's topic and with it the subscription; fine if there is none."""
        with faults("SNS"):
            self._client.delete_topic(TopicArn=self.topic_arn(address))
