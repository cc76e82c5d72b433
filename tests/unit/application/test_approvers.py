"""Approvers: inviting, confirming, forgetting, and who decides while they are absent."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.application import approvers
from chalicelib.application.ports import Subscription
from chalicelib.domain.delegation import Delegation
from chalicelib.domain.errors import InvalidRequest, Refused
from tests.builders import request_approval
from tests.fakes import START, FakePorts
from tests.unit.steps import ADA, GRACE, events, pass_minutes, run_tick, subjects

TOKEN = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f794cc5f6a988666d92"


def confirmation_link(ports: FakePorts, **changed: str) -> str:
    """Return the link of SNS's invitation to Ada."""
    parts = {
        "scheme": "https",
        "host": "sns.us-east-1.amazonaws.com",
        "topic": ports.mailer.topic_arn(ADA),
        "token": TOKEN,
    } | changed
    query = "Action=ConfirmSubscription&TopicArn={topic}&Token={token}".format(**parts)
    return "{scheme}://{host}/?".format(**parts) + query


def test_the_link_of_the_invitation_confirms_the_approver(ports: FakePorts) -> None:
    """The mails that waited for it are then sent."""
    ports.mailer.subscriptions[ADA] = "pending"
    request_approval(ports)
    confirmed = approvers.confirm(ports, ADA, confirmation_link(ports))
    assert confirmed == {"approver": ADA, "subscription": "confirmed"}
    pass_minutes(ports, 20)
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
def test_any_other_link_is_refused_without_a_call(
    ports: FakePorts, changed: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        approvers.confirm(ports, ADA, confirmation_link(ports, **changed))
    assert refusal.value.field == "url"
    assert ports.effects.done == []


def test_a_link_that_sns_refuses_says_what_to_do(ports: FakePorts) -> None:
    """It was used already, or has expired."""
    ports.mailer.refuses = "InvalidParameter"
    with pytest.raises(InvalidRequest, match="invite the approver again"):
        approvers.confirm(ports, ADA, confirmation_link(ports))


@pytest.mark.parametrize(
    ("before", "invited"), [("none", [ADA]), ("pending", [ADA]), ("confirmed", [])]
)
def test_an_approver_is_invited_unless_they_have_confirmed(
    ports: FakePorts, before: Subscription, invited: list[str]
) -> None:
    """A pending invitation is sent again."""
    ports.mailer.subscriptions[ADA] = before
    status = approvers.invite(ports, ADA)
    assert status["subscription"] == ("confirmed" if before == "confirmed" else "pending")
    assert ports.mailer.invitations == invited


def test_an_address_that_sns_refuses_is_an_invalid_request(ports: FakePorts) -> None:
    ports.mailer.subscriptions[ADA] = "none"
    ports.mailer.refuses = "InvalidParameter"
    with pytest.raises(InvalidRequest) as refusal:
        approvers.invite(ports, ADA)
    assert refusal.value.field == "approver"


def test_a_refusal_that_is_not_about_the_address_is_named(ports: FakePorts) -> None:
    """Operators are told what SNS says, and not to try again."""
    ports.mailer.subscriptions[ADA] = "none"
    ports.mailer.refuses = "TopicLimitExceeded"
    with pytest.raises(Refused, match="TopicLimitExceeded") as refusal:
        approvers.invite(ports, ADA)
    assert refusal.value.status == 409
    assert ports.mailer.invitations == []


@pytest.mark.parametrize("address", ["nobody", "a@b", "a\x00@example.com", "a b@example.com"])
def test_no_use_case_takes_what_is_no_address(ports: FakePorts, address: str) -> None:
    """SNS isn't asked."""
    uses = [approvers.find_approver, approvers.invite, approvers.forget]
    for use in uses:
        with pytest.raises(InvalidRequest):
            use(ports, address)
    assert ports.effects.done == []


def test_an_approver_at_a_foreign_domain_can_only_be_forgotten(ports: FakePorts) -> None:
    """For domains that were allowed once."""
    address = "ada@elsewhere.org"
    for use in (approvers.find_approver, approvers.invite):
        with pytest.raises(InvalidRequest, match="may not be asked"):
            use(ports, address)
    approvers.forget(ports, address)
    assert ports.effects.done == ["mailer.forget", "store.drop_approver"]


OPERATOR = "arn:aws:sts::111122223333:assumed-role/operators/boss"
PERIOD = {"from": "2026-11-22T09:00:00Z", "until": "2026-11-29T09:00:00Z"}


def test_a_delegation_is_stored_for_later_requests(ports: FakePorts) -> None:
    """And the approver is invited, as by the same call without a delegation."""
    ports.mailer.subscriptions[ADA] = "none"
    request_approval(ports, "before")
    status = approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD, OPERATOR)
    assert status["absence"]["delegate"] == GRACE
    assert ports.mailer.invitations == [ADA, ADA]
    assert subjects(ports, GRACE) == []
    request_approval(ports, "after")
    assert len(subjects(ports, GRACE)) == 1


def test_an_approvers_status_shows_a_delegation_until_it_is_over(ports: FakePorts) -> None:
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD)
    assert approvers.find_approver(ports, ADA)["absence"]["delegate"] == GRACE
    ports.later(days=7)
    assert "absence" not in approvers.find_approver(ports, ADA)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"delegate": "grace@elsewhere.example"}, "delegate"),
        ({"delegate": "no address"}, "delegate"),
        ({"delegate": ADA}, "delegate"),
        ({"until": "2026-11-21T00:00:00Z"}, "until"),
        ({"why": "ill"}, "why"),
    ],
)
def test_a_bad_delegation_is_refused_by_field_and_not_stored(
    ports: FakePorts, fields: dict[str, Any], field: str
) -> None:
    """A delegate's domain is checked as an approver's."""
    with pytest.raises(InvalidRequest) as refusal:
        approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD | fields)
    assert refusal.value.field == field
    assert ports.effects.done == []


def test_a_delegation_that_closes_a_circle_is_refused(ports: FakePorts) -> None:
    """The stored delegations are looked up."""
    approvers.delegate(ports, GRACE, {"delegate": ADA} | PERIOD)
    with pytest.raises(InvalidRequest, match="leads back"):
        approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD)


def test_a_delegation_has_an_author_a_time_and_a_reason(ports: FakePorts) -> None:
    """The IAM principal that signed, and beside it whom the operator named."""
    sent = {"delegate": GRACE, "reason": "On leave\u200b"} | PERIOD
    absence = approvers.delegate(ports, ADA, sent, OPERATOR)["absence"]
    assert absence == {
        "delegate": GRACE, **PERIOD, "reason": "On leave", "principal": OPERATOR,
        "at": "2026-11-22T09:00:00Z",
    }  # fmt: skip
    absence = approvers.delegate(ports, ADA, sent | {"by": "mary@x.org"}, OPERATOR)["absence"]
    assert (absence["by"], absence["principal"]) == ("mary@x.org", OPERATOR)


@pytest.mark.parametrize("fields", [{"by": "nobody"}, {"reason": "x" * 2_001}])
def test_a_bad_author_or_reason_of_a_delegation_is_refused(
    ports: FakePorts, fields: dict[str, str]
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD | fields, OPERATOR)
    assert [refusal.value.field] == list(fields)
    assert ports.effects.done == []


def test_both_people_are_told_of_a_delegation_and_of_its_end(ports: FakePorts) -> None:
    """Once, by the next tick, with who wrote it and why; the mails hold no link."""
    sent = {"delegate": GRACE, "reason": "On leave", "by": "mary@x.org"} | PERIOD
    approvers.delegate(ports, ADA, sent, OPERATOR)
    assert ports.mailer.sent == []
    pass_minutes(ports, 30)
    assert [to for to, _ in ports.mailer.sent] == [ADA, GRACE]
    for _, email in ports.mailer.sent:
        assert email.subject == "Delegation"
        assert "an operator (as mary@x.org)" in email.text
        assert "| On leave\n" in email.text
    approvers.end_delegation(ports, ADA, by=OPERATOR, principal=OPERATOR)
    pass_minutes(ports, 30)
    assert [to for to, _ in ports.mailer.sent] == [ADA, GRACE, ADA, GRACE]
    assert "sent to you again, and not to grace@example.com" in ports.mailer.sent[2][1].text
    assert "are not sent to you any more." in ports.mailer.sent[3][1].text
    assert not any("http" in email.text for _, email in ports.mailer.sent)


def test_nobody_is_invited_to_be_told(ports: FakePorts) -> None:
    """Somebody whose topic isn't confirmed isn't told."""
    ports.mailer.subscriptions |= {ADA: "confirmed", GRACE: "pending"}
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD, OPERATOR)
    pass_minutes(ports, 30)
    assert (ports.mailer.invitations, [to for to, _ in ports.mailer.sent]) == ([], [ADA])


def test_people_are_told_when_sns_is_back(ports: FakePorts) -> None:
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD, OPERATOR)
    ports.effects.faulty = {"mailer.send"}
    run_tick(ports)
    ports.effects.faulty = set()
    pass_minutes(ports, 10)
    assert [to for to, _ in ports.mailer.sent] == [ADA, GRACE]


def test_a_refusal_of_sns_ends_telling_that_person(ports: FakePorts) -> None:
    """It is logged; nothing waits for it."""
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD, OPERATOR)
    ports.mailer.refuses = "EndpointDisabled"
    run_tick(ports)
    ports.mailer.refuses = ""
    pass_minutes(ports, 30)
    assert ports.mailer.sent == []
    assert [line["why"] for line in ports.logged if line["event"] == "delivery_failed"]


def test_an_ended_delegation_holds_no_more(ports: FakePorts) -> None:
    """Ending it again, or one that never was, changes nothing."""
    approvers.end_delegation(ports, ADA, by=OPERATOR, principal=OPERATOR)
    assert ports.effects.done == []
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD, OPERATOR)
    approvers.end_delegation(ports, ADA, by=OPERATOR, principal=OPERATOR)
    before = list(ports.effects.done)
    approvers.end_delegation(ports, ADA, by=OPERATOR, principal=OPERATOR)
    assert ports.effects.done == before
    assert "absence" not in approvers.find_approver(ports, ADA)
    request_approval(ports)
    assert "Approval needed" in subjects(ports, ADA)[0]


@pytest.mark.parametrize("named", [{}, {"by": "mary@x.org"}])
def test_an_approval_records_who_wrote_the_delegation(
    ports: FakePorts, named: dict[str, str]
) -> None:
    """The absent approver didn't: the operator who signed did, and named somebody perhaps."""
    approvers.delegate(ports, ADA, {"delegate": GRACE} | PERIOD | named, OPERATOR)
    (event,) = events(ports, request_approval(ports), "delegated")
    assert (event.who, event.principal) == (named.get("by", OPERATOR), OPERATOR)
    assert event.note == f"{ADA} -> {GRACE}"


def test_the_delegation_of_an_earlier_version_has_no_author(ports: FakePorts) -> None:
    ports.store.put_delegation(ADA, Delegation(GRACE, START, START + timedelta(days=7)))
    (event,) = events(ports, request_approval(ports), "delegated")
    assert (event.who, event.principal) == ("assent", "")
    absence = approvers.find_approver(ports, ADA)["absence"]
    assert absence == {"delegate": GRACE} | PERIOD
