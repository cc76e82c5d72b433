"""The mail that asks for a decision: its links and facts, and text that can't forge its lines."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from wcwidth import iter_graphemes

from chalicelib.domain import link_tokens
from chalicelib.domain.approval import Approval, Approver, Choice
from chalicelib.domain.outbox_entries import Mail, MailKind
from chalicelib.domain.texts import check_reason
from chalicelib.domain.transitions import cancel, extend, reassign
from chalicelib.domain.validation import DETAILS_BYTES
from chalicelib.presentation.emails import write_email
from chalicelib.presentation.excerpt import height
from chalicelib.presentation.layout import LINE_BYTES
from chalicelib.presentation.mail_text import Email
from tests.builders import an_approval, approval_of, decided, people
from tests.fakes import START
from tests.unit.strategies import largest_approval, many, pasted, pending_approvals, try_to_decide

URL = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com/api"
SECRET = link_tokens.MailSecrets(link_tokens.secret(b"\x07" * link_tokens.SECRET_BYTES), "123456")
PUBLISH_BYTES = 262_144
"""The longest message that SNS takes (botocore's model of `Publish`)."""
SHORTENED = "Long reasons are shortened here."


def _mail(approval: Approval, who: int = 0) -> Email:
    return write_email(
        approval, Mail(approval.approvers[who].address, START), SECRET, public_url=URL, now=START
    )


def _links(email: Email) -> list[str]:
    return [line for line in email.text.split("\n") if line.startswith("https:")]


def _too_long(email: Email) -> list[str]:
    """Return the lines that are longer than mail servers are sure to take."""
    return [line for line in email.text.split("\n") if len(line.encode()) > LINE_BYTES]


def _ours(email: Email) -> list[str]:
    """Return the lines that aren't indented or quoted: a reader takes them for Assent's words."""
    lines = email.text.split("\n")
    return [line for line in lines if line and line[0] not in " |"]


@many
@given(pending_approvals())
def test_no_line_is_longer_than_mail_servers_take(approval: Approval) -> None:
    """In any language, for any request."""
    assert not _too_long(_mail(approval))


@pytest.mark.parametrize("text", ["審査承認" * 40, "한글 " * 60, "Ａ" * 150, "🚀" * 190, "x" * 200])
def test_a_paragraph_is_one_line_which_the_mail_program_wraps(text: str) -> None:
    """A phone's lines are shorter than any at which Assent could break it."""
    lines = _mail(an_approval(subject=text[:200], details={"a": text})).text.split("\n")
    assert f"| {text[:200].strip()}" in lines
    assert f"| a: {text.strip()}" in lines


@given(pending_approvals())
def test_each_link_stands_alone_on_its_line(approval: Approval) -> None:
    """Both choices and the inbox, each whole and under 150 characters."""
    for who in range(len(approval.approvers)):
        assert _links(_mail(approval, who)) == [
            f"{URL}/approve/{approval.id}.{SECRET.decision}",
            f"{URL}/reject/{approval.id}.{SECRET.decision}",
            f"{URL}/inbox/{approval.id}.{SECRET.inbox}",
        ]
    assert all(len(link) < 150 for link in _links(_mail(approval)))


def test_the_word_above_a_link_is_the_choice_in_it() -> None:
    lines = _mail(an_approval()).text.split("\n")
    for choice in ("approve", "reject"):
        above = lines[next(i for i, line in enumerate(lines) if f"/{choice}/" in line) - 1]
        assert above.startswith(choice.upper())


@many
@given(pending_approvals())
def test_a_subject_is_one_line_under_100_characters(approval: Approval) -> None:
    """SNS refuses any other; the ASCII subject is for receivers that refuse UTF-8."""
    subject = _mail(approval).subject
    assert 0 < len(subject) < 100
    assert subject.startswith("Approval needed: ")
    assert len(subject.splitlines()) == 1
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in subject)
    ascii_subject = _mail(approval).ascii_subject
    assert ascii_subject.isascii()
    assert ascii_subject.isprintable()
    assert 0 < len(ascii_subject) < 100


@pytest.mark.parametrize(
    ("subject", "cut"),
    [
        ("x" * 82, False), ("x" * 83, True), ("x" * 200, True),
        ("👩🏽\u200d🚀" * 50, True), ("🚀" * 200, True), ("עברית " * 33, True), ("審" * 200, True),
    ],
)  # fmt: skip
def test_a_long_subject_line_is_cut_and_ends_in_an_ellipsis(subject: str, cut: bool) -> None:
    """The text has the whole subject."""
    email = _mail(an_approval(subject=subject))
    whole = email.subject == f"Approval needed: {subject}"
    assert whole == (not cut)
    assert whole or email.subject.endswith(("…", "..."))
    whole_text = email.text.replace("\n| ", "").replace("|", "")
    assert "".join(subject.split()) in "".join(whole_text.split())


def test_the_mail_says_who_asks_the_deadline_the_quorum_and_the_progress() -> None:
    approval = an_approval(
        approvers=people(3), approvalsNeeded=2, requestedBy="ada@example.com", expiresIn=3600
    )
    text = _mail(try_to_decide(approval, people(3)[0], "approve", "", approval.created_at), 1).text
    for fact in (
        "ada@example.com asks you to decide by Sun 22 Nov, 10:00 UTC (in 1 hour):",
        "| Release 4.2",
        "2 of 3 approvers must approve; 1 rejection ends it. So far: 1 approval, no rejection.",
        f"You decide as {people(2)[1]}.",
    ):
        assert any(line.startswith(fact) for line in text.split("\n")), fact


def test_one_approver_is_told_of_no_quorum() -> None:
    text = _mail(an_approval()).text
    assert "must approve" not in text
    assert "So far" not in text


@given(pending_approvals())
def test_the_first_line_says_who_asks_by_when(approval: Approval) -> None:
    """It is what a phone shows beside the mail's subject; the question follows at once."""
    first, _, question, *_ = _mail(approval).text.split("\n")
    assert re.fullmatch(r".+ asks you to decide( for .+, who is away,)? by .+:", first)
    assert question.startswith("| ")


def test_the_mail_says_what_to_do_about_the_link_to_unsubscribe() -> None:
    """AWS adds it below; the requester's mail has the same, and no link decides there."""
    approval = replace(
        an_approval(requestedBy="mary@example.com"), requester=Approver("mary@x.com")
    )
    receipt = write_email(
        approval,
        Mail("mary@x.com", START, about="receipt"),
        SECRET,
        public_url=URL,
        now=START,
    )
    for text in (_mail(approval).text, receipt.text):
        assert "Please leave it alone: it ends these mails. If it was pressed, ask" in text
    assert "decide in your name" not in receipt.text
    assert "only its buttons do. They act in your name" in receipt.text


def test_the_stages_name_stands_behind_the_subject() -> None:
    """The subject in ASCII, for receivers that refuse the other, goes without it."""
    approval = an_approval(subject="x" * 200)
    mail = Mail(approval.approvers[0].address, START)
    named = write_email(
        approval, mail, SECRET, public_url=URL, now=START, name="Müller, production"
    )
    assert re.fullmatch(r"Approval needed: x+\.\.\. \[Müller, production\]", named.subject)
    assert len(named.subject) == 99
    assert named.ascii_subject == "Approval needed"
    assert named.text == _mail(approval).text


def test_labelled_details_have_one_line_for_each_label() -> None:
    """Numbers and booleans are written for people."""
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
    """No line of the requester looks like one of Assent."""
    email = _mail(an_approval(details=details))
    assert _ours(email) == _ours(_mail(an_approval(details="x")))
    assert "| APPROVE - open this page and press the button there:" in email.text
    assert all(link.startswith(URL) for link in _links(email))


@many
@given(pending_approvals())
def test_our_own_lines_depend_on_neither_subject_nor_details(approval: Approval) -> None:
    """Those that aren't indented or quoted."""
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
def test_the_name_of_the_state_machine_can_not_forge_a_line(arn: str) -> None:
    """And makes none too long."""
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
    """For the largest requests, by a wide margin."""
    email = _mail(largest_approval(details))
    assert len(email.subject) < 100
    assert len(email.text.encode()) <= PUBLISH_BYTES // 2
    assert not _too_long(email)


FIFTY_REASONS = [
    "\t".join("x" * 1_000), "\n".join("é" * 1_000), "\n".join("審" * 800), "\n".join("🚀" * 667),
    "\n".join("x" * 1_000), "กำ" * 666, "x" * 2_000, "http://x " * 222,
]  # fmt: skip


@pytest.mark.parametrize("reason", FIFTY_REASONS, ids=range(len(FIFTY_REASONS)))
def test_the_mail_about_fifty_long_reasons_fits_what_sns_publishes(reason: str) -> None:
    """Shortened if need be, which it says; the mail names every approver."""
    approval = largest_approval("x")
    for who in range(50):
        approval = decided(approval, who, "approve", check_reason(reason))
    mail = Mail(approval.approvers[7].address, START, about="outcome")
    text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
    assert len(text.encode()) <= PUBLISH_BYTES - 1_000
    assert text.count(" approved on ") == 51
    assert (SHORTENED in text) == ("…" in text)
    assert "open a page that has them whole." in text or SHORTENED not in text


def test_the_reasons_that_make_the_longest_mail_are_shortened_evenly() -> None:
    """And a short one beside them isn't."""
    approval = largest_approval("x")
    for who in range(50):
        reason = "\n".join("é" * 1_000) if who else "Tests are green"
        approval = decided(approval, who, "approve", reason)
    mail = Mail(approval.approvers[0].address, START, about="outcome")
    text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
    assert SHORTENED in text
    assert "| Tests are green\n" in text
    assert text.count("…") == 49


@many
@given(pasted, st.sampled_from(["approve", "reject"]))
def test_any_reason_and_note_arrive_whole(text: str, choice: Choice) -> None:
    """As their writer saw them, between the characters as readers see them."""
    reason = check_reason(text)
    approval = decided(approval_of(1, reasonRequired="never"), 0, choice, reason)
    noted = replace(approval, approvers=(replace(approval.approvers[0], note=reason),))
    for about in ("outcome", "request"):
        mail = Mail(people(1)[0], START, about=about)
        email = write_email(noted, mail, SECRET, public_url=URL, now=START)
        quoted = [line[1:] for line in email.text.split("\n") if line.startswith("|")][1:]
        assert "".join("".join(quoted).split()) == "".join(reason.split())
        assert not _too_long(email)


@many
@given(st.text(st.sampled_from("a審🇩🇪\u0301กำ👩🏽\u200d🚀 "), min_size=80, max_size=190))
def test_a_subject_line_is_cut_between_characters(subject: str) -> None:
    """No half flag and no accent without its letter; SNS may count UTF-16 units."""
    line = _mail(an_approval(subject=f"x{subject}x")).subject
    assert len(line.encode("utf-16-le")) < 200
    kept = line.removeprefix("Approval needed: ").removesuffix("...")
    whole = list(iter_graphemes(f"x{subject}x"))
    assert list(iter_graphemes(kept)) == whole[: len(list(iter_graphemes(kept)))]


def test_long_details_are_cut_and_the_mail_says_so() -> None:
    """The links stay in sight; the page has all of the details."""
    text = _mail(an_approval(details="\n".join(f"line {n}" for n in range(60)))).text
    assert "| line 11\n\n(48 more lines of details on the page.)" in text
    assert "line 12" not in text


def test_a_long_paragraph_counts_as_the_lines_that_a_phone_makes_of_it() -> None:
    text = _mail(an_approval(details="word " * 300)).text
    quoted = text.partition("wrote them:\n\n")[2].partition("\n\n")[0]
    assert 10 * 40 < len(quoted) <= 12 * 40 + 2
    assert "(26 more lines of details on the page.)" in text


@many
@given(pending_approvals())
def test_at_most_fourteen_lines_of_details_stand_before_the_links(approval: Approval) -> None:
    """Twelve, or two more if these are the last."""
    before = _mail(approval).text.partition("APPROVE - ")[0]
    details = before.partition("Details, as the requester wrote them:\n\n")[2]
    quoted = "\n".join(line[2:] for line in details.split("\n") if line.startswith("|"))
    assert height(quoted) <= 14


def test_a_mail_has_a_code_exactly_if_the_request_requires_one() -> None:
    coded = _mail(an_approval(codeRequired=True)).text
    assert "CODE - the page asks for it:\n123456\n" in coded
    assert "CODE" not in _mail(an_approval()).text


ASKS = "ada@example.com asks you to decide by Sun 29 Nov, 09:00 UTC (in 7 days):"


@pytest.mark.parametrize(
    ("about", "subject", "opening"),
    [
        ("request", "Approval needed", ASKS),
        ("reminder", "Reminder, approval needed", f"Reminder: {ASKS}"),
        (
            "escalation",
            "Approval needed",
            f"Nobody has decided within 2 hours, so you are asked too: {ASKS}",
        ),
    ],
)
def test_the_first_sentence_says_why_the_mail_was_sent(
    about: MailKind, subject: str, opening: str
) -> None:
    escalation = {"after": 7_200, "approvers": ["boss@example.com"]}
    approval = approval_of(1, requestedBy="ada@example.com", escalation=escalation)
    mail = Mail(people(1)[0], START, about=about)
    email = write_email(approval, mail, SECRET, public_url=URL, now=START)
    assert email.subject == f"{subject}: Release 4.2"
    assert email.text.split("\n\n")[0] == opening


def test_an_escalation_after_a_decision_does_not_say_that_nobody_decided() -> None:
    escalation = {"after": 5_400, "approvers": ["boss@example.com"]}
    approval = decided(approval_of(2, approvalsNeeded=2, escalation=escalation), 0, "approve")
    mail = Mail(people(2)[1], START, about="escalation")
    text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
    assert text.startswith("It was not decided within 1 hour, so you are asked too: the workflow")


@pytest.mark.parametrize(
    ("about", "opening"),
    [
        ("request", "The workflow assent-test asks you to decide"),
        ("reassignment", "You are asked instead of linus@x.com: the workflow assent-test asks you"),
    ],
)
def test_a_delegate_reads_for_whom_they_decide(about: MailKind, opening: str) -> None:
    approval = an_approval()
    delegate = replace(approval.approvers[0], stands_in_for="grace@x.com", instead_of="linus@x.com")
    mail = Mail(delegate.address, START, about=about)
    asked = replace(approval, approvers=(delegate,))
    text = write_email(asked, mail, SECRET, public_url=URL, now=START).text
    assert text.startswith(opening)
    assert " decide for grace@x.com, who is away, by " in text.split("\n", 1)[0]


def test_a_mail_that_waited_since_an_older_version_is_still_written() -> None:
    """Its approver doesn't say in whose place they were asked."""
    one, two = people(2)
    approval = reassign(approval_of(1), one, two, by=one, note="", now=START, via="page")
    older = approval.with_approver(replace(approval.approver(two), instead_of=None))
    mail = Mail(two, START, about="reassignment")
    text = write_email(older, mail, SECRET, public_url=URL, now=START).text
    assert text.startswith("The workflow assent-test asks you to decide by ")


@pytest.mark.parametrize(
    ("about", "subject", "opening", "page"),
    [
        (
            "reminder",
            "More time, approval needed",
            "There is more time: the workflow assent-test asks you to decide",
            "/approve/",
        ),
        (
            "receipt",
            "More time",
            f"There is more time for what you asked: {people(1)[0]} may decide",
            "/cancel/",
        ),
    ],
)
def test_a_mail_about_a_new_deadline_tells_it_first(
    about: MailKind, subject: str, opening: str, page: str
) -> None:
    """With the new deadline and the reader's own link."""
    approval = extend(approval_of(1), "boss@x.com", 999_999, now=START, via="api")
    mail = Mail(people(1)[0], START, about=about, extended=True)
    email = write_email(approval, mail, SECRET, public_url=URL, now=START)
    assert email.subject == f"{subject}: Release 4.2"
    assert email.text.startswith(f"{opening} by Thu 3 Dec, 22:46 UTC (in 11 days):\n")
    assert page in email.text
    assert not _too_long(email)


def test_the_mail_after_a_reassignment_names_the_approver_before_and_quotes_the_note() -> None:
    """The note is quoted, as everything that people write."""
    one, two = people(2)
    note = "I am\naway"
    approval = reassign(approval_of(1), one, two, by=one, note=note, now=START, via="page")
    mail = Mail(two, START, about="reassignment")
    text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
    assert text.startswith(f"You are asked instead of {one}: the workflow")
    assert f"{one} wrote to you:\n\n| I am\n| away\n" in text


def test_a_reminder_of_a_request_that_was_asked_again_names_the_newer_one() -> None:
    """The newer request has a mail of its own; only one of the two may still be waited for."""
    approval = approval_of(1)
    mail = Mail(people(1)[0], START, about="reminder")
    for marked, said in ((approval, False), (replace(approval, asked_again_at=START), True)):
        email = write_email(marked, mail, SECRET, public_url=URL, now=START)
        text = " ".join(email.text.split())
        again = "The workflow asked again on 22 Nov 2026, 09:00 UTC. Please answer the"
        assert (again in text) is said
        assert not _too_long(email)


@pytest.mark.parametrize("claimed", [people(2)[0], "operator@example.com"])
def test_the_note_of_an_operator_is_not_shown_as_the_replaced_approvers(claimed: str) -> None:
    """Whatever name the operator gives, the replaced approver's included."""
    one, two = people(2)
    approval = reassign(approval_of(1), one, two, by=claimed, note="Hello", now=START, via="api")
    mail = Mail(two, START, about="reassignment")
    text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
    assert "An operator wrote to you:\n\n| Hello\n" in text
    assert f"{one} wrote" not in text


def test_a_note_that_an_earlier_version_stored_is_nobodys() -> None:
    """It didn't store who wrote it."""
    approval = approval_of(1)
    noted = replace(approval.approvers[0], note="Hello")
    text = _mail(replace(approval, approvers=(noted,))).text
    assert "Somebody wrote to you:\n\n| Hello\n" in text


@pytest.mark.parametrize("about", ["request", "reminder", "escalation", "reassignment"])
def test_no_address_in_a_question_passes_for_a_link(about: MailKind) -> None:
    """Whichever role its owner has: requester, reader, replaced or absent approver."""
    odd = "www.assent-login.com/approve/{}@example.com"
    reader, absent, before, asking = (odd.format(n) for n in range(4))
    asked = an_approval(approvers=[before], requestedBy=asking)
    approval = reassign(
        asked, before, reader, by="operator@example.com", note="", now=START, via="api"
    )
    delegate = replace(approval.approver(reader), stands_in_for=absent)
    approval = approval.with_approver(delegate)
    mail = write_email(
        approval, Mail(reader, START, about=about), SECRET, public_url=URL, now=START
    )
    assert "www[.]assent-login[.]com" in mail.text
    assert "www." not in mail.text.replace("www[.]", "")


def test_no_address_in_a_receipt_or_an_outcome_passes_for_a_link() -> None:
    """Approvers', and the operator's who cancelled."""
    one, asking = "www.evil.org/a@example.com", "www.evil.org/b@example.com"
    asked = replace(
        an_approval(approvers=[one], requestedBy=asking), requester=Approver(asking, ("x",))
    )
    receipt = Mail(asking, START, about="receipt")
    shut = cancel(asked, "www.evil.org/c@x.org", reason="", now=START, via="api")
    for approval, mail in (
        (asked, receipt),
        (decided(asked, 0, "reject"), replace(receipt, about="outcome")),
        (shut, Mail(one, START, about="outcome")),
    ):
        text = write_email(approval, mail, SECRET, public_url=URL, now=START).text
        assert "www[.]evil[.]org" in text
        assert "www." not in text
