"""The contract of the client: what holds of the API, and of the fake for other people's tests.

A subclass gives `target`: the fake in tests/unit/client, the sandbox's API in tests/sandbox.
"""

import uuid
from collections.abc import Callable
from typing import Any, Protocol

import pytest
from assent_client import (
    AlreadyDecided,
    Assent,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    NotSettled,
    Refused,
)

ADA, GRACE, LINUS = (f"{name}@example.com" for name in ("ada", "grace", "linus"))


class Target(Protocol):
    """An API, and people who decide by its pages."""

    @property
    def api(self) -> Assent:
        """The client."""

    def decide(self, subject: str, approver: str, choice: str, reason: str) -> None:
        """Press the button of that person's page."""

    def until(self, look: Callable[[], Any], good: Callable[[Any], object]) -> Any:
        """Return what `look` gives, once it is good."""


def ask(target: Target, **fields: Any) -> tuple[str, str, str]:
    """Ask Ada, or whom `fields` say; return the name, the approval's id and the subject."""
    name = uuid.uuid4().hex
    request = {"subject": f"Contract {name}", "approvers": [ADA]} | fields
    target.api.start(request, key=name)

    def approval() -> Any:
        try:
            return target.api.execution(name)["approval"]
        except NotFound:
            return None

    found = target.until(approval, lambda seen: seen is not None)
    return name, found["id"], request["subject"]


def ended(target: Target, name: str) -> Any:
    """Return the execution once it has ended."""
    return target.until(
        lambda: target.api.execution(name), lambda found: found["status"] != "RUNNING"
    )


class ClientContract:
    """The tests; each asks anew."""

    def test_an_approval_resumes_its_execution(self, target: Target) -> None:
        name, approval_id, subject = ask(target, details={"Risk": "low"}, requestedBy=GRACE)
        asked = target.api.approval(approval_id)
        assert (asked["outcome"], asked["details"]) == ("pending", {"Risk": "low"})
        assert asked["approvers"][0]["decision"] is None
        target.decide(subject, ADA, "approve", "all green")
        run = ended(target, name)
        assert (run["status"], run["outcome"]) == ("SUCCEEDED", "approved")
        assert run["output"]["decisions"][0]["reason"] == "all green"
        assert run["output"]["approvalId"] == approval_id
        assert target.api.approval(approval_id)["closedAt"] is not None
        assert "approved" in target.api.report(approval_id)

    def test_a_rejection_fails_it_or_is_returned(self, target: Target) -> None:
        failed, _, first = ask(target)
        returned, _, second = ask(target, onReject="return")
        for subject in (first, second):
            target.decide(subject, ADA, "reject", "not today")
        run = ended(target, failed)
        assert (run["status"], run["error"]) == ("FAILED", "Rejected")
        assert ended(target, returned)["output"]["outcome"] == "rejected"

    def test_a_quorum_counts_each_person_once(self, target: Target) -> None:
        name, approval_id, subject = ask(
            target, approvers=[ADA, GRACE, LINUS], approvalsNeeded=2, rejectionsNeeded=2
        )
        target.decide(subject, ADA, "approve", "")
        target.decide(subject, ADA, "approve", "")
        with pytest.raises(AlreadyDecided):
            target.decide(subject, ADA, "reject", "no")
        target.decide(subject, GRACE, "reject", "no")
        assert target.api.approval(approval_id)["outcome"] == "pending"
        target.decide(subject, LINUS, "approve", "")
        assert ended(target, name)["outcome"] == "approved"

    def test_a_quorum_that_is_out_of_reach_is_rejected(self, target: Target) -> None:
        name, _, subject = ask(target, approvers=[ADA, GRACE], approvalsNeeded="all")
        with pytest.raises(InvalidRequest, match="reason"):
            target.decide(subject, GRACE, "reject", "")
        target.decide(subject, GRACE, "reject", "no")
        assert ended(target, name)["outcome"] == "rejected"

    def test_the_same_key_is_the_same_execution(self, target: Target) -> None:
        name, approval_id, subject = ask(target)
        request = {"subject": subject, "approvers": [ADA]}
        assert target.api.start(request, key=name)["execution"] == name
        assert target.api.execution(name)["approval"]["id"] == approval_id  # type: ignore[index]
        with pytest.raises(IdempotencyConflict):
            target.api.start(request | {"subject": "another"}, key=name)

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"subject": " "}, "subject"),
            ({"subject": "x" * 201}, "subject"),
            ({"approvers": []}, "approvers"),
            ({"approvers": ["nobody"]}, "approvers[0]"),
            ({"approvers": [ADA, "ADA@example.com"]}, "approvers[1]"),
            ({"requestedBy": ADA}, "approvers[0]"),
            ({"approvalsNeeded": 2}, "approvalsNeeded"),
            ({"approvalsNeeded": 0}, "approvalsNeeded"),
            ({"rejectionsNeeded": 2}, "rejectionsNeeded"),
            ({"expiresIn": 59}, "expiresIn"),
            ({"remindEvery": 299}, "remindEvery"),
            ({"unheardOf": 1}, "unheardOf"),
            ({"codeRequired": "yes"}, "codeRequired"),
        ],
    )
    def test_a_bad_request_is_refused_by_field(
        self, target: Target, fields: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refused:
            target.api.start({"subject": "x", "approvers": [ADA]} | fields)
        assert (refused.value.status, refused.value.field) == (400, field)
        assert refused.value.message.startswith(f"{field}: ")

    def test_lists_find_what_waits_by_person(self, target: Target) -> None:
        """And no more once it is decided."""
        asker = f"{uuid.uuid4().hex}@example.com"
        name, approval_id, subject = ask(target, requestedBy=asker, expiresIn=3_600)
        api = target.api
        for which in ({"approver": ADA}, {"requestedBy": asker}, {"due": "soon"}, {}):
            target.until(
                lambda which=which: [one["id"] for one in api.approvals(**which)],  # type: ignore[misc]
                lambda ids: approval_id in ids,
            )
        (row,) = api.approvals(requestedBy=asker)
        assert (row["waitsFor"], row["approvals"], row["approvalsNeeded"]) == ([ADA], 0, 1)
        assert row["approvers"][0]["answer"] == "has not decided"
        target.decide(subject, ADA, "approve", "")
        ended(target, name)
        (row,) = api.approvals(requestedBy=asker)
        assert (row["outcome"], row["waitsFor"]) == ("approved", [])
        assert approval_id not in [one["id"] for one in api.approvals(approver=ADA)]
        with pytest.raises(InvalidRequest):
            api.approvals_page(due="soon", approver=ADA)

    def test_pages_of_a_list_hold_each_approval_once(self, target: Target) -> None:
        asker = f"{uuid.uuid4().hex}@example.com"
        made = {ask(target, requestedBy=asker)[1] for _ in range(3)}
        first = target.api.approvals_page(requestedBy=asker, limit=2)
        assert first["next"] is not None
        rest = target.api.approvals_page(requestedBy=asker, limit=2, after=first["next"])
        listed = [one["id"] for page in (first, rest) for one in page["approvals"]]
        assert (sorted(listed), rest["next"]) == (sorted(made), None)

    def test_a_cancelled_request_fails_its_execution(self, target: Target) -> None:
        """Cancelling again changes nothing; nobody can decide any more."""
        name, approval_id, subject = ask(target)
        cancelled = target.api.cancel(approval_id, "postponed", by=GRACE)
        assert cancelled["outcome"] == "cancelled"
        assert target.api.cancel(approval_id)["closedAt"] == cancelled["closedAt"]
        event = next(one for one in cancelled["events"] if one["what"] == "cancelled")
        assert (event["who"], event["by"], event["note"]) == (GRACE, GRACE, "postponed")
        run = ended(target, name)
        assert (run["status"], run["error"]) == ("FAILED", "Cancelled")
        with pytest.raises(Refused):
            target.decide(subject, ADA, "approve", "")
        with pytest.raises(AlreadyDecided):
            target.api.remind(approval_id)

    def test_a_deadline_moves_to_a_later_time_only(self, target: Target) -> None:
        _, approval_id, _ = ask(target, expiresIn=3_600)
        before = target.api.approval(approval_id)["expiresAt"]
        assert target.api.extend(approval_id, 86_400, "Ada is away")["expiresAt"] > before
        with pytest.raises(InvalidRequest) as refused:
            target.api.extend(approval_id, 3_600)
        assert refused.value.field == "expiresIn"

    def test_somebody_else_is_asked_instead(self, target: Target) -> None:
        """Sent again it changes nothing; who isn't asked can't be replaced."""
        _, approval_id, _ = ask(target, requestedBy=GRACE)
        api = target.api
        moved = api.reassign(approval_id, ADA, LINUS, "Ada is ill")
        assert moved["approvers"][0]["replacedBy"] == LINUS
        assert moved["approvers"][1]["note"] == "Ada is ill"
        assert api.reassign(approval_id, ADA, LINUS)["approvers"] == moved["approvers"]
        for from_, to, field in (
            ("nobody@example.com", ADA, "from"),
            (LINUS, GRACE, "to"),
            (LINUS, LINUS, "to"),
            (LINUS, "nobody", "to"),
        ):
            with pytest.raises(InvalidRequest) as refused:
                api.reassign(approval_id, from_, to)
            assert refused.value.field == field

    def test_what_is_pending_is_not_erased(self, target: Target) -> None:
        _, approval_id, _ = ask(target)
        with pytest.raises((NotSettled, Refused)):
            target.api.erase(approval_id)
        assert target.api.approval(approval_id)["outcome"] == "pending"

    def test_what_is_not_there_is_not_found(self, target: Target) -> None:
        for look in (target.api.approval, target.api.cancel, target.api.execution):
            with pytest.raises(NotFound):
                look("a" * 26)

    def test_people_are_invited_listed_and_removed(self, target: Target) -> None:
        person = f"{uuid.uuid4().hex}@example.com"
        api = target.api
        api.remove(person)
        assert api.approver(person)["subscription"] == "none"
        invited = ("pending", "confirmed")  # the sandbox's mailbox confirms by itself
        assert api.invite(person)["subscription"] in invited
        (row,) = [one for one in api.approvers() if one["approver"] == person]
        assert row["subscription"] in invited
        assert row["waiting"] == 0
        away = api.delegate(person, GRACE, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
        assert away["absence"]["delegate"] == GRACE
        api.end_delegation(person)
        assert "absence" not in api.approver(person)
        with pytest.raises(InvalidRequest):
            api.confirm(person, "https://example.com")
        api.remove(person)
        assert person not in [one["approver"] for one in api.approvers()]
        with pytest.raises(InvalidRequest):
            api.invite("nobody")

    def test_the_stage_says_that_it_runs(self, target: Target) -> None:
        assert target.api.health()["status"] == "ok"

    def test_a_link_to_the_console_is_offered(self, target: Target) -> None:
        """A new one each time, for a session that may operate or may only read."""
        links = [target.api.console_session(read_only=one)["url"] for one in (False, False, True)]
        assert all("/console/sessions/" in link for link in links)
        assert len(set(links)) == 3
