"""Groups in words: what each needs, who counts, what waits, in mails, answers and the report."""

import pytest

from chalicelib.domain.approval import Approval
from chalicelib.domain.link_tokens import MailSecrets
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.shown import shown_hash
from chalicelib.presentation.audit_report import audit_report
from chalicelib.presentation.emails import write_email
from chalicelib.presentation.groups import counted_for
from chalicelib.presentation.standing import answer_state, asked_as
from chalicelib.presentation.wording import needed, progress, quorum, still_needed
from tests.fakes import START
from tests.policies import approval_under, approved, group, policy_version
from tests.policy_states import BOTH, CTO, OPS, SAM, alone, undecidable, under_policy
from tests.unit.presentation.every_page import SECRET


def test_the_quorum_names_each_group() -> None:
    approval = under_policy()
    assert needed(approval) == (
        "approval by 1 of 2 in security and 2 of 4 in operations; 1 rejection ends it"
    )
    assert quorum(approval) == (
        "Policy production-release, version 1, needs 1 of 2 in security and 2 of 4 in operations; "
        "1 rejection ends it."
    )
    assert progress(approval) == "nobody has decided"
    half = approved(approval, "both", "ops1")
    assert progress(half) == "security 1 of 1, operations 1 of 2"
    assert still_needed(half) == (
        "Still needed: 1 approval for operations, from sam@example.com, ops2@example.com or "
        "ops3@example.com."
    )


def test_each_approver_is_told_for_which_groups_they_decide() -> None:
    """And once they have, for which one it counts."""
    half = approved(under_policy(), "both", "ops1")
    said = {who: asked_as(half.approver(who), half) for who in (BOTH, OPS, CTO)}
    assert said == {BOTH: "for security or operations", OPS: "for operations", CTO: ""}
    answers = {
        who: answer_state(half.approver(who), half, counted_for(half))
        for who in (BOTH, OPS, SAM, CTO)
    }
    assert answers == {
        BOTH: "approved for security on 22 Nov 2026, 09:00 UTC",
        OPS: "approved for operations on 22 Nov 2026, 09:00 UTC",
        SAM: "has not decided",
        CTO: "may approve alone",
    }
    assert answer_state(alone().approver(CTO), alone(), counted_for(alone())) == (
        "approved alone (break-glass) on 22 Nov 2026, 11:00 UTC"
    )


@pytest.mark.parametrize("mails", ["request", "reminder"])
def test_a_mail_says_for_which_group_its_reader_decides(mails: str) -> None:
    about = "reminder" if mails == "reminder" else "request"
    text = _text(Mail(OPS, START, about=about))  # type: ignore[arg-type]
    assert "You decide as ops1@example.com for operations." in text
    assert "version 1, needs 1 of 2 in security and 2 of 4 in operations" in text


def _text(mail: Mail, approval: Approval | None = None) -> str:
    approval = approval or under_policy()
    url, secrets = "https://assent.example.com/api", MailSecrets(SECRET, "123456")
    return write_email(approval, mail, secrets, public_url=url, now=START).text


def test_the_mail_for_emergencies_asks_nothing_and_has_one_link() -> None:
    text = _text(Mail(CTO, START))
    assert text.startswith("You don't need to do anything. mary@example.com asks others")
    assert text.count("https://") == 1
    assert "/approve/" in text


def test_the_requester_is_told_why_nobody_can_approve() -> None:
    text = _text(Mail("mary@example.com", START, about="receipt"), undecidable())
    assert (
        "Group security needs 1 approval, and nobody can give one; SNS refuses sam@example.com, "
        "both@example.com." in text
    )


def test_the_audit_report_has_policy_groups_and_what_was_shown() -> None:
    report = audit_report(approved(under_policy(), "sam", "ops1", "both"))
    assert "Policy:    production-release, version 1\n" in report
    assert f"Shown:     SHA-256 {shown_hash(under_policy().request)}\n" in report
    assert (
        "Groups\n  security: 1 of 1 (sam@example.com)\n"
        "  operations: 2 of 2 (both@example.com, ops1@example.com)\n" in report
    )
    assert "sam@example.com approved for security on 2026-11-22 09:00:00 UTC" in report
    assert "cto@example.com is in no group (mail: sent)" in report


def test_the_audit_report_marks_who_approved_alone() -> None:
    report = audit_report(alone())
    assert "cto@example.com approved alone (break-glass) on 2026-11-22 11:00:00 UTC" in report
    assert "approved by cto@example.com via page - break-glass" in report
    assert "security: 0 of 1\n" in report


def test_whose_approval_moves_another_is_waited_for() -> None:
    """A person in two groups counts for one; another's approval there frees them for the other."""
    policy = policy_version(
        group("security", "ada", "grace"), group("operations", "grace", "linus")
    )
    approval = approved(approval_under(policy), "grace")
    assert still_needed(approval) == (
        "Still needed: 1 approval for operations, from ada@example.com or linus@example.com."
    )
    assert approved(approval, "ada").outcome == "approved"
