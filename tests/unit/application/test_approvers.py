"""Mail that doesn't arrive: whoever isn't subscribed is invited, ever more rarely."""

import pytest

from chalicelib.application import approvers, operating
from chalicelib.domain import errors
from chalicelib.presentation import serializers
from tests.builders import asked
from tests.fakes import FakePorts
from tests.unit.application.test_operating import minutes

ADA = "ada@example.com"
TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"


@pytest.fixture
def ports() -> FakePorts:
    return FakePorts()


def link(ports: FakePorts, **changed: str) -> str:
    """Return a confirmation link as SNS mails it."""
    parts = {
        "scheme": "https",
        "host": "sns.us-east-1.amazonaws.com",
        "topic": ports.mailer.topic_arn(ADA),
        "token": TOKEN,
    } | changed
    query = "Action=ConfirmSubscription&TopicArn={topic}&Token={token}".format(**parts)
    return "{scheme}://{host}/?".format(**parts) + query


def test_somebody_who_unsubscribes_again_and_again_is_invited_ever_more_rarely(
    ports: FakePorts,
) -> None:
    """At once, then after one hour, two, four."""
    ports.mailer.subscriptions[ADA] = "none"
    approval_id = asked(ports)
    hours = []
    for minute in range(60 * 16):
        ports.mailer.subscriptions[ADA] = "none"
        before = len(ports.mailer.invitations)
        minutes(ports, 1)
        hours += [minute // 60] * (len(ports.mailer.invitations) - before)
    assert hours == [1, 3, 7, 15]
    events = [e.what for e in operating.find_approval(ports, approval_id).events]
    assert events.count("invited") == 5
    (shown,) = serializers.operator_view(operating.find_approval(ports, approval_id))["approvers"]
    assert (shown["mail"], shown["why"]) == ("waiting", "unconfirmed")


def test_the_link_of_the_invitation_confirms(ports: FakePorts) -> None:
    """Then mail can arrive."""
    ports.mailer.subscriptions[ADA] = "pending"
    asked(ports)
    confirmed = approvers.confirm(ports, ADA, link(ports))
    assert confirmed == {"approver": ADA, "subscription": "confirmed"}
    minutes(ports, 20)
    assert len(ports.mailer.sent) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"scheme": "http"},
        {"host": "sns.us-east-1.amazonaws.com.evil.example"},
        {"host": "evil.example"},
        {"topic": "arn:aws:sns:us-east-1:000000000000:another"},
        {"token": ""},
        {"token": "<script>"},
    ],
)
def test_no_other_link_is_taken(ports: FakePorts, changed: dict[str, str]) -> None:
    """The refusal names the field; SNS isn't even asked."""
    with pytest.raises(errors.InvalidRequest) as refused:
        approvers.confirm(ports, ADA, link(ports, **changed))
    assert refused.value.field == "url"
    assert ports.effects.done == []


def test_a_link_that_is_used_up_says_so(ports: FakePorts) -> None:
    """With what to do."""
    ports.mailer.refuses = True
    with pytest.raises(errors.InvalidRequest, match="invite them again"):
        approvers.confirm(ports, ADA, link(ports))
