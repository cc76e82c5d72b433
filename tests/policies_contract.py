"""The contract of policies: what holds of the API, and of the fake for other people's tests.

A subclass gives `target`, as for tests/client_contract.py; here it also has a client of a policy
author, and presses the button for approving alone.
"""

import json
import uuid
from hashlib import sha256
from typing import Any, Protocol

import pytest
from assent_client import Assent, InvalidRequest, NotFound, Undecidable, VersionConflict

from tests.client_contract import ADA, GRACE, LINUS, Target

BOSS, CTO = "boss@example.com", "cto@example.com"
POLICY: dict[str, Any] = {
    "groups": [
        {"name": "security", "approvers": [GRACE, ADA]},
        {"name": "operations", "approvers": [GRACE, LINUS, BOSS], "approvalsNeeded": 2},
    ],
    "expiresIn": 86_400,
    "breakGlass": [CTO],
}


class PolicyTarget(Target, Protocol):
    """A target whose people may also approve alone."""

    @property
    def author(self) -> Assent:
        """A client that may write policies."""

    def break_glass(self, subject: str, approver: str, reason: str) -> None:
        """Approve alone, on that person's page."""


def written(target: PolicyTarget, **fields: Any) -> str:
    """Write a policy of a new name, and return the name."""
    name = f"contract-{uuid.uuid4().hex}"
    target.author.put_policy(name, POLICY | fields)
    return name


def ask_under(target: PolicyTarget, policy: str, **fields: Any) -> tuple[str, str]:
    """Ask under a policy; return the approval's id and the subject."""
    subject = f"Contract {uuid.uuid4().hex}"
    target.api.start({"subject": subject, "policy": policy} | fields)
    (row,) = target.until(
        lambda: [one for one in target.api.approvals(policy=policy) if one["subject"] == subject],
        lambda rows: len(rows) == 1,
    )
    return row["id"], subject


def outcome(target: PolicyTarget, approval_id: str) -> tuple[str, dict[str, int]]:
    """Return the outcome, and how many approvals count in each group."""
    found = target.api.approval(approval_id)
    return found["outcome"], {one["name"]: one["approvals"] for one in found["groups"]}


class PoliciesContract:
    """The tests; each writes a policy of its own."""

    def test_each_writing_is_a_version_and_the_same_again_is_none(
        self, target: PolicyTarget
    ) -> None:
        """A dry run writes nothing, and a deleted policy goes on counting."""
        name, author = written(target), target.author
        first = author.policy(name)
        assert (first["version"], first["policy"]["rejectionsNeeded"]) == (1, 1)
        assert first["policy"]["groups"][0]["approvalsNeeded"] == 1
        assert author.put_policy(name, POLICY)["version"] == 1
        assert author.put_policy(name, first["policy"])["version"] == 1
        changed = POLICY | {"description": " Releases. "}
        assert author.put_policy(name, changed, dry_run=True)["version"] == 2
        assert author.policy(name)["version"] == 1
        second = author.put_policy(name, changed, replaces=1)
        assert (second["version"], second["policy"]["description"]) == (2, "Releases.")
        assert author.policy(name, version=1)["policy"] == first["policy"]
        (row,) = [one for one in author.policies() if one["name"] == name]
        assert (row["version"], row["waiting"]) == (2, 0)
        author.delete_policy(name, replaces=2)
        assert name not in [one["name"] for one in author.policies()]
        assert author.policy(name, version=3)["deleted"]
        for gone in (author.policy, author.delete_policy):
            with pytest.raises(NotFound):
                gone(name)
        assert author.put_policy(name, POLICY, replaces=0)["version"] == 4

    def test_of_two_writers_the_second_is_told(self, target: PolicyTarget) -> None:
        name, other = written(target), POLICY | {"description": "Other."}
        target.author.put_policy(name, other, replaces=1)
        for replaces in (0, 1, 3):
            with pytest.raises(VersionConflict):
                target.author.put_policy(name, POLICY, replaces=replaces)
        with pytest.raises(VersionConflict):
            target.author.delete_policy(name, replaces=1)
        assert target.author.put_policy(name, other, replaces=1)["version"] == 2

    @pytest.mark.parametrize(
        ("fields", "kind", "field"),
        [
            ({"groups": []}, InvalidRequest, "groups"),
            ({"quorum": 1}, InvalidRequest, "quorum"),
            ({"breakGlass": ["nobody"]}, InvalidRequest, "breakGlass[0]"),
            (
                {"groups": [{"name": name, "approvers": [ADA]} for name in ("a", "b")]},
                Undecidable,
                "groups",
            ),
        ],
    )
    def test_a_bad_policy_is_refused_by_field(
        self, target: PolicyTarget, fields: Any, kind: type[InvalidRequest], field: str
    ) -> None:
        with pytest.raises(InvalidRequest) as refused:
            target.author.put_policy("contract-bad", POLICY | fields)
        assert (type(refused.value), refused.value.field) == (kind, field)
        with pytest.raises(InvalidRequest) as refused:
            target.author.put_policy("Bad name", POLICY)
        assert refused.value.field == "policy"

    def test_a_request_under_a_policy_asks_its_groups(self, target: PolicyTarget) -> None:
        """Without its requester; it keeps the version that it was asked under."""
        policy = written(target)
        approval_id, _ = ask_under(target, policy, requestedBy=LINUS, expiresIn=3_600)
        found = target.api.approval(approval_id)
        assert found["policy"] == {"name": policy, "version": 1}
        assert found["approvalsNeeded"] == 3
        assert {one["approver"]: one["groups"] for one in found["approvers"]} == {
            ADA: ["security"],
            GRACE: ["security", "operations"],
            BOSS: ["operations"],
            CTO: [],
        }
        assert [one["waitsFor"] for one in found["groups"]] == [[GRACE, ADA], [GRACE, BOSS]]
        (row,) = target.api.approvals(policy=policy)
        assert row["waitsFor"] == [GRACE, ADA, BOSS]
        (listed,) = [one for one in target.author.policies() if one["name"] == policy]
        assert listed["waiting"] == 1
        target.author.delete_policy(policy)
        assert target.api.approval(approval_id)["outcome"] == "pending"

    def test_an_approval_counts_in_one_group(self, target: PolicyTarget) -> None:
        """In which one is chosen so that the most groups are filled."""
        approval_id, subject = ask_under(target, written(target))
        target.decide(subject, GRACE, "approve", "")
        assert outcome(target, approval_id) == ("pending", {"security": 1, "operations": 0})
        waits = [one["waitsFor"] for one in target.api.approval(approval_id)["groups"]]
        assert waits == [[], [ADA, LINUS, BOSS]], "Ada's approval frees Grace's for operations"
        target.decide(subject, BOSS, "approve", "")
        assert outcome(target, approval_id) == ("pending", {"security": 1, "operations": 1})
        target.decide(subject, ADA, "approve", "")
        assert outcome(target, approval_id) == ("approved", {"security": 1, "operations": 2})
        found = target.api.approval(approval_id)
        grace = next(one for one in found["approvers"] if one["approver"] == GRACE)
        assert grace["decision"] is not None
        assert grace["decision"]["group"] == "operations"

    def test_a_group_that_cannot_reach_its_count_rejects(self, target: PolicyTarget) -> None:
        approval_id, subject = ask_under(target, written(target, rejectionsNeeded=3))
        target.decide(subject, GRACE, "reject", "no")
        assert outcome(target, approval_id)[0] == "pending"
        target.decide(subject, BOSS, "reject", "no")
        assert outcome(target, approval_id)[0] == "rejected"

    def test_a_person_may_approve_alone_with_a_reason(self, target: PolicyTarget) -> None:
        """An approver in no group may do nothing else."""
        approval_id, subject = ask_under(target, written(target))
        with pytest.raises(InvalidRequest, match="breakGlass"):
            target.decide(subject, CTO, "approve", "")
        with pytest.raises(InvalidRequest, match="breakGlass"):
            target.break_glass(subject, ADA, "urgent")
        with pytest.raises(InvalidRequest, match="reason"):
            target.break_glass(subject, CTO, "")
        target.break_glass(subject, CTO, "urgent")
        assert outcome(target, approval_id)[0] == "approved"
        found = target.api.approval(approval_id)
        assert found["breakGlass"]
        assert "break-glass" in [one["note"] for one in found["events"]]

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"policy": "contract-unheard-of"}, "policy"),
            ({"approvers": [ADA]}, "approvers"),
            ({"approvalsNeeded": 1}, "approvalsNeeded"),
            ({"escalation": {"after": 60, "approvers": [ADA]}}, "escalation"),
            ({"expiresIn": 86_401}, "expiresIn"),
            ({"reasonRequired": "never"}, "reasonRequired"),
            ({"allowSelfApproval": True}, "allowSelfApproval"),
        ],
    )
    def test_a_request_may_not_loosen_its_policy(
        self, target: PolicyTarget, fields: dict[str, Any], field: str
    ) -> None:
        request = {"subject": "x", "policy": written(target)} | fields
        with pytest.raises(InvalidRequest) as refused:
            target.api.start(request)
        assert refused.value.field == field

    def test_all_are_all_though_one_of_them_asks(self, target: PolicyTarget) -> None:
        """A requester lowers no count by being one of the group."""
        both = {"name": "security", "approvers": [ADA, GRACE], "approvalsNeeded": "all"}
        request = {"subject": "x", "policy": written(target, groups=[both]), "requestedBy": ADA}
        with pytest.raises(Undecidable):
            target.api.start(request)

    def test_an_operator_puts_in_named_people_alone(self, target: PolicyTarget) -> None:
        escalation = {"after": 3_600, "approvers": [CTO], "group": "operations"}
        policy = written(target, breakGlass=[], escalation=escalation)
        approval_id, _ = ask_under(target, policy)
        for from_, to in ((LINUS, "eve@example.com"), (GRACE, CTO), (ADA, CTO)):
            with pytest.raises(InvalidRequest) as refused:
                target.api.reassign(approval_id, from_, to)
            assert refused.value.field == "to"
        moved = target.api.reassign(approval_id, LINUS, CTO)
        assert {one["approver"]: one["groups"] for one in moved["approvers"]}[CTO] == ["operations"]

    def test_a_deadline_is_not_moved_beyond_the_longest_wait(self, target: PolicyTarget) -> None:
        approval_id, _ = ask_under(target, written(target), expiresIn=3_600)
        with pytest.raises(InvalidRequest) as refused:
            target.api.extend(approval_id, 100_000)
        assert refused.value.field == "expiresIn"
        target.api.extend(approval_id, 7_200)

    def test_a_start_is_found_again_though_the_policy_is_gone(self, target: PolicyTarget) -> None:
        policy = written(target)
        request, key = {"subject": "x", "policy": policy}, uuid.uuid4().hex
        started = target.api.start(request, key)
        target.author.delete_policy(policy)
        assert target.api.start(request, key)["executionArn"] == started["executionArn"]

    def test_a_request_that_nobody_could_approve_is_refused(self, target: PolicyTarget) -> None:
        """Its requester is needed to reach a count."""
        groups = [{"name": "owners", "approvers": [ADA, GRACE], "approvalsNeeded": 2}]
        policy = written(target, groups=groups, requesters=["*@example.com"])
        request = {"subject": "x", "policy": policy}
        with pytest.raises(Undecidable) as refused:
            target.api.start(request | {"requestedBy": GRACE})
        assert refused.value.field == "policy"
        with pytest.raises(InvalidRequest) as stranger:
            target.api.start(request | {"requestedBy": "eve@example.org"})
        assert stranger.value.field == "requestedBy"

    def test_a_check_says_whether_mail_reaches_its_people(self, target: PolicyTarget) -> None:
        found = target.author.policy(written(target), check=True)
        assert [one["approver"] for one in found["people"]] == [GRACE, ADA, LINUS, BOSS, CTO]
        assert found["problems"] == []


class ResultsContract:
    """What an execution gets, where one runs."""

    def test_the_result_has_groups_and_what_was_shown(self, target: PolicyTarget) -> None:
        policy = written(target)
        approval_id, subject = ask_under(target, policy, details={"Version": "4.2.0"})
        target.break_glass(subject, CTO, "urgent")
        name = target.api.approval(approval_id)["executionArn"].rpartition(":")[2]
        found = target.until(
            lambda: target.api.execution(name), lambda one: one["status"] == "SUCCEEDED"
        )
        result = found["output"]
        assert result["policy"] == {"name": policy, "version": 1}
        assert [one["approvals"] for one in result["groups"]] == [0, 0]
        assert result["breakGlass"] is True
        text = {"details": {"Version": "4.2.0"}, "policy": result["policy"], "subject": subject}
        plain = json.dumps(text, sort_keys=True, separators=(",", ":"))
        assert result["shown"] == sha256(plain.encode()).hexdigest()
