"""The account that an auditor reads."""

from datetime import timedelta

from chalicelib.domain.outbox import mailed, resumed
from chalicelib.domain.transitions import decide, reassign
from chalicelib.presentation.audit_report import audit_report
from tests.builders import an_approval
from tests.fakes import START, TOKEN

ADA, GRACE, LINUS = "ada@example.com", "grace@example.com", "linus@example.com"


def test_the_account_tells_who_did_what_when_and_why() -> None:
    """Every decision with its reason, every event with its time and door; nothing secret."""
    approval = an_approval(approvers=[ADA, GRACE], requestedBy=LINUS, details={"Risk": "low"})
    approval = mailed(approval, approval.outbox[0], START, "function")  # type: ignore[arg-type]
    approval = reassign(
        approval, GRACE, "mary@example.com", by=GRACE, note="away", now=START, via="page"
    )
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
    assert "  mary@example.com has not answered (mail: waiting)" in text
    assert "2026-11-22 09:00:00 UTC  requested by linus@example.com via function" in text
    assert "reassigned by grace@example.com via page - grace@example.com -> mary" in text
    assert TOKEN not in text
    assert not [h for a in approval.approvers for h in a.link_hashes if h in text]


def test_an_open_approval_says_that_it_is() -> None:
    """Without details there is no empty heading for them."""
    text = audit_report(an_approval())
    assert "Outcome:   is still open" in text
    assert "Details" not in text
