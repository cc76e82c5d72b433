"""The audit report, as an auditor reads it."""

from datetime import timedelta

from hypothesis import given
from msgspec.structs import replace
from wcwidth import wcswidth

from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox import mailed, resumed
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.transitions import decide, extend, reassign, remind
from chalicelib.presentation.audit_report import audit_report
from tests.builders import an_approval, cancelled
from tests.fakes import START, TOKEN
from tests.unit.strategies import approvals, many

ADA, GRACE, LINUS, MARY = (f"{name}@example.com" for name in ("ada", "grace", "linus", "mary"))
PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/operators/boss"


def test_the_audit_report_says_who_did_what_when_and_why() -> None:
    """Every decision with its reason, every event with its time and channel, and no secret."""
    approval = an_approval(approvers=[ADA, GRACE], requestedBy=LINUS, details={"Risk": "low"})
    approval = mailed(approval, Mail(ADA, START), START, "function")
    approval = reassign(approval, GRACE, MARY, by=GRACE, note="away", now=START, via="page")
    later = START + timedelta(minutes=3)
    approval = decide(approval, ADA, "reject", reason="not yet,\nsorry", now=later, via="page")
    approval = resumed(approval, "", later, "page")
    text = audit_report(approval)
    assert "Asked by:  linus@example.com" in text
    assert "Outcome:   was rejected on 22 Nov 2026, 09:03 UTC" in text
    assert "Resumed:   22 Nov 2026, 09:03 UTC" in text
    assert "  Risk: low" in text
    assert (
        "  ada@example.com rejected on 2026-11-22 09:03:00 UTC\n    | not yet,\n    | sorry" in text
    )
    assert "  grace@example.com was replaced by mary@example.com" in text
    assert "  mary@example.com has not decided (mail: waiting)" in text
    assert "2026-11-22 09:00:00 UTC  requested by linus@example.com via function" in text
    assert "2026-11-22 09:00:00 UTC  mailed to ada@example.com via function" in text
    assert "reassigned by grace@example.com via page - grace@example.com -> mary" in text
    assert TOKEN not in text
    assert not [h for a in approval.approvers for h in a.link_hashes if h in text]


def test_the_audit_report_says_who_sent_each_command_and_why() -> None:
    approval = an_approval(expiresIn=60)
    approval = remind(approval, LINUS, now=START, via="api", reason="The window opens at two")
    approval = extend(approval, LINUS, 600, now=START, via="api", reason="Ada is on a\ntrain")
    approval = reassign(
        approval, ADA, GRACE, by=LINUS, note="Please look at 3", now=START, via="api"
    )
    text = audit_report(cancelled(approval, reason="Not this week"))
    assert "reminded by linus@example.com via api - The window opens at two" in text
    assert "via api - until 2026-11-22T09:10:00Z - Ada is on a train" in text
    assert (
        "reassigned by linus@example.com via api - ada@example.com -> grace@example.com - " in text
    )
    assert "    was asked with this note of an operator:\n    | Please look at 3" in text
    assert "cancelled by operator@example.com via api - Not this week" in text


def test_the_audit_report_names_the_principal_beside_a_claimed_name() -> None:
    """Once, if the operator named nobody."""
    claimed = remind(an_approval(), LINUS, now=START, via="api", principal=PRINCIPAL)
    assert f"reminded by {LINUS} (signed by {PRINCIPAL}) via api" in audit_report(claimed)
    unnamed = remind(an_approval(), PRINCIPAL, now=START, via="api", principal=PRINCIPAL)
    assert f"reminded by {PRINCIPAL} via api" in audit_report(unnamed)


def test_the_audit_report_of_an_open_approval_says_that_it_is_open() -> None:
    """Without details there is no heading for them."""
    text = audit_report(an_approval())
    assert "Outcome:   is still open" in text
    assert "Resumed:   not yet" in text
    assert "Details" not in text


@many
@given(approvals())
def test_what_people_wrote_is_whole_in_the_report_and_forges_no_line(approval: Approval) -> None:
    """Subject, details and reasons, in lines of 80 columns; a reason's lines are quoted."""
    text = audit_report(approval)
    text.encode()
    letters = "".join(text.replace("|", "").split())
    details = approval.request.details
    written = [approval.request.subject, *(d.reason for _, d in approval.decisions)]
    written += [details] if isinstance(details, str) else [*details]
    for one in written:
        assert "".join(one.replace("|", "").split()) in letters
    plain = replace(approval, request=replace(approval.request, subject="x", details=""))
    ours = [line for line in audit_report(plain).split("\n") if line[:1] not in (" ", "")]
    assert set(ours[1:]) <= {*text.split("\n")}
    quoted = [line for line in text.split("\n") if line.startswith("    |")]
    assert not [line for line in quoted if wcswidth(line) > 80 and "://" not in line]
