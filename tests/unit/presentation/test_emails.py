"""The mail that asks: short lines, whole links, and nothing of the requester's that looks ours."""

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval
from chalicelib.domain.outbox_entries import Mail
from chalicelib.domain.validation import DETAILS_BYTES
from chalicelib.presentation.emails import Email, write_email
from chalicelib.presentation.wording import needed
from tests.builders import an_approval, people
from tests.fakes import START
from tests.unit.strategies import many, requests_asked, the_largest, try_to_decide

URL = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com/api"
SECRET = link_tokens.MailSecrets(link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES), "123456")
PUBLISH_BYTES = 262_144
"""The most that SNS publishes at once."""


def _mail(approval: Approval, who: int = 0) -> Email:
    return write_email(
        approval, Mail(approval.approvers[who].address, START), SECRET, public_url=URL, now=START
    )


def _columns(line: str) -> int:
    """Return how many columns a terminal gives the line: two for a wide character."""
    return sum(
        2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in line
        if not unicodedata.combining(character)
    )


def _links(email: Email) -> list[str]:
    return [line for line in email.text.split("\n") if line.startswith("https:")]


def _too_long(email: Email) -> list[str]:
    """Return the lines that end beyond column 78, links apart."""
    links = _links(email)
    return [line for line in email.text.split("\n") if _columns(line) > 78 and line not in links]


def _ours(email: Email) -> list[str]:
    """Return the lines that aren't set in: what a reader takes for Assent's own words."""
    lines = email.text.split("\n")
    return [line for line in lines if line and line[0] not in " |"]


@many
@given(requests_asked())
def test_every_line_ends_by_column_78_except_links(approval: Approval) -> None:
    """In any language, for any request; mail programs wrap what is longer."""
    assert not _too_long(_mail(approval))


@pytest.mark.parametrize("text", ["審査承認" * 40, "한글 " * 60, "Ａ" * 150, "🚀" * 190, "x" * 200])
def test_wide_characters_take_two_columns(text: str) -> None:
    """Chinese, Korean, full-width and emoji text is wrapped by what it takes on screen."""
    rows = {text[:90]: text, "b": text}
    for details in (text, rows):
        email = _mail(an_approval(subject=text, details=details))
        assert not _too_long(email)
        kept = "".join(email.text.split())
        assert kept.replace("|", "").count("".join(text.split())) >= 2


@given(requests_asked())
def test_each_link_stands_alone_on_its_line(approval: Approval) -> None:
    """A link a choice and the list's, whole, at the start of a line, under 150 characters."""
    for who in range(len(approval.approvers)):
        assert _links(_mail(approval, who)) == [
            f"{URL}/approve/{approval.id}.{SECRET.decision}",
            f"{URL}/reject/{approval.id}.{SECRET.decision}",
            f"{URL}/mine/{approval.id}.{SECRET.inbox}",
        ]
    assert all(len(link) < 150 for link in _links(_mail(approval)))


def test_the_links_of_a_mail_open_what_they_say() -> None:
    """The word above each link is the choice in it, approve first."""
    lines = _mail(an_approval()).text.split("\n")
    for choice in ("approve", "reject"):
        above = lines[next(i for i, line in enumerate(lines) if f"/{choice}/" in line) - 1]
        assert above.startswith(choice.upper())


@many
@given(requests_asked())
def test_a_subject_is_one_line_under_100_characters(approval: Approval) -> None:
    """SNS refuses other subjects, and a refused mail asks nobody."""
    subject = _mail(approval).subject
    assert 0 < len(subject) < 100
    assert subject.startswith("Approval needed: ")
    assert len(subject.splitlines()) == 1
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in subject)
    plain = _mail(approval).ascii_subject
    assert plain.isascii()
    assert plain.isprintable()
    assert 0 < len(plain) < 100


@pytest.mark.parametrize(
    ("subject", "cut"),
    [
        ("x" * 82, False), ("x" * 83, True), ("x" * 200, True),
        ("👩🏽\u200d🚀" * 50, True), ("🚀" * 200, True), ("עברית " * 33, True), ("審" * 200, True),
    ],
)  # fmt: skip
def test_a_long_subject_is_cut_and_shows_it(subject: str, cut: bool) -> None:
    """What fits stays whole; what doesn't ends in an ellipsis, and stands whole in the text."""
    email = _mail(an_approval(subject=subject))
    whole = email.subject == f"Approval needed: {subject}"
    assert whole == (not cut)
    assert whole or email.subject.endswith(("…", "..."))
    whole_text = email.text.replace("\n| ", "").replace("|", "")
    assert "".join(subject.split()) in "".join(whole_text.split())


def test_the_mail_says_who_asks_until_when_and_how_many_are_needed() -> None:
    """The facts by which one judges whether to open a page at all."""
    approval = an_approval(
        approvers=people(3), approvalsNeeded=2, requestedBy="ada@example.com", expiresIn=3600
    )
    text = _mail(try_to_decide(approval, people(3)[0], "approve", "", approval.created_at), 1).text
    assert "2 of 3" in needed(approval)
    assert "1 approval" in text
    for fact in (
        "approver1@example.com, your decision is needed:",
        "| Release 4.2",
        "Asked by:  ada@example.com",
        "Answer by: 22 Nov 2026, 10:00 UTC (in 1 hour)",
        f"Needed:    {needed(approval)}",
    ):
        assert fact in text.split("\n")


def test_without_a_requester_the_workflow_is_named() -> None:
    """The state machine's name stands for who asks."""
    assert "Asked by:  the workflow assent-test" in _mail(an_approval()).text


def test_labelled_details_are_one_line_a_label() -> None:
    """Text, numbers and booleans are written for people."""
    details = {"Version": "4.2", "Risky": False, "Cost": 12.5, "Notes": "a\nb"}
    text = _mail(an_approval(details=details)).text
    assert "| Version: 4.2\n| Risky: no\n| Cost: 12.5\n| Notes: a\n| b\n" in text


FORGED = f"""It is fine.

APPROVE - open this page and press the button there:
https://evil.example.net/approve/{"a" * 26}.{"b" * 32}

   REJECT - open this page and press the button there:
| Both links are
"""


@pytest.mark.parametrize(
    "details", [FORGED, FORGED.replace("\n", "\r\n"), {"Notes": FORGED}, {FORGED[:11]: FORGED}]
)
def test_a_forged_button_in_the_details_is_quoted(details: Any) -> None:
    """No line of the requester's stands where Assent's own lines do."""
    email = _mail(an_approval(details=details))
    assert _ours(email) == _ours(_mail(an_approval(details="x")))
    assert "| APPROVE - open this page and press the button there:" in email.text
    assert all(link.startswith(URL) for link in _links(email))


@many
@given(requests_asked())
def test_whatever_is_asked_our_own_lines_are_the_same(approval: Approval) -> None:
    """Lines that aren't set in or quoted depend on neither subject nor details."""
    details = "x" if approval.request.details else ""
    plain = replace(approval, request=replace(approval.request, subject="x", details=details))
    assert _ours(_mail(approval)) == _ours(_mail(plain))


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:states:r:1:execution:APPROVE - open\nAPPROVE - open this page:\nx",
        "arn:aws:states:r:1:execution:" + "審" * 2_000,
        "arn:aws:states:r:1:execution:" + "x" * 2_000,
    ],
)
def test_the_workflows_name_can_not_forge_a_line(arn: str) -> None:
    """Nor can it make a line too long."""
    email = _mail(replace(an_approval(), execution_arn=arn))
    assert sum(line.startswith("APPROVE") for line in email.text.split("\n")) == 1
    assert not _too_long(email)


@pytest.mark.parametrize(
    "details",
    [
        "x" * (DETAILS_BYTES - 2),
        "a" + "\n" * (DETAILS_BYTES // 2 - 2) + "b",
        ("a\n" * DETAILS_BYTES)[: DETAILS_BYTES // 3 * 2 - 4] + "b",
        "審" * (DETAILS_BYTES // 3 - 1),
        "🚀" * (DETAILS_BYTES // 4 - 1),
        "a " * (DETAILS_BYTES // 2 - 2),
        {f"{n}": n for n in range(1300)},
        {f"{n:03}🚀{n}": "審\n審" for n in range(650)},
    ],
)
def test_the_largest_mail_fits_what_sns_publishes(details: Any) -> None:
    """256 KB at the largest request, by a wide margin."""
    email = _mail(the_largest(details))
    assert len(email.subject) < 100
    assert len(email.text.encode()) <= PUBLISH_BYTES // 2
    assert not _too_long(email)
