"""The console's pages: hostile text stays text, fields are named, and no link leaves but one."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Decision, MailState
from chalicelib.domain.errors import NotFound
from chalicelib.domain.events import Event, EventKind
from chalicelib.domain.execution_history import ExecutionHistory, StateRun
from chalicelib.presentation.console.approval import COMMANDS, approval_page
from chalicelib.presentation.console.approvals import Wanted, approvals_page
from chalicelib.presentation.console.approvers import approver_page, approvers_page, removal_page
from chalicelib.presentation.console.frame import HEADERS, PLACES
from chalicelib.presentation.console.people import silence
from chalicelib.presentation.console.problem import console_problem
from chalicelib.presentation.console.sessions import sessions_page, sign_in_page
from chalicelib.presentation.console.state_picture import state_picture
from chalicelib.presentation.console.steering import command_page, second_look_page
from chalicelib.presentation.pages.fields import FormError
from tests.builders import approval_of
from tests.console_states import OPERATING, TYPED, console_states, listed, session
from tests.fakes import DEFINITION, START
from tests.unit.presentation.parsed_page import Page
from tests.unit.presentation.test_page_safety import HARMLESS, HOSTILE
from tests.unit.strategies import approvals, many, many_lines

STATES = console_states()
KINDS: tuple[EventKind, ...] = ("cancelled", "mailed", "reminded", "refused")
SIGNED_IN = [name for name, page in STATES.items() if page.bar]


def full_of(text: str) -> dict[str, Page]:
    """Return each page of the console with this text in every place for text."""
    visit = OPERATING._replace(principal=text)
    asked = approval_of(3, approvalsNeeded=2)
    first = replace(
        asked.approvers[0], address=text, decision=Decision("approve", START, text), note=text,
        note_by=text,
    )  # fmt: skip
    second = replace(asked.approvers[1], replaced_by=text, stands_in_for=text)
    request = replace(asked.request, subject=text, details={text: text, "x": text})
    events = tuple(Event(START, what, text, "console", text, text, text) for what in KINDS)
    approval = replace(
        asked,
        request=replace(request, requested_by=text),
        approvers=(first, second, asked.approvers[2]),
        events=events,
        execution_arn=f"arn:aws:states:us-east-1:1:execution:x:{text}",
    )
    states = {text: {"Type": "Task", "End": True, "Catch": [{"ErrorEquals": [text], "Next": text}]}}
    run = StateRun(text, "failed", START, text)
    history = ExecutionHistory({"StartAt": text, "States": states}, (run,), False)
    typed = dict.fromkeys(TYPED, text)
    error = FormError(text, "reason", text, text)
    forms = dict.fromkeys(("url", "delegate", "from", "until", "reason"), text)
    away = {"delegate": text, "from": "2026-11-20T00:00:00Z", "until": "2026-11-21T00:00:00Z"}
    person = listed(approver=text, subscription="refused", refusal=text, absence=away)
    wanted = Wanted("waiting", "approver", text)
    made = {
        "approvals": approvals_page(visit, wanted, [approval], more="x", error=error),
        "approval": approval_page(visit, approval, history, notice=text, error=error),
        "cancel": command_page(visit, approval, "cancel", typed, error),
        "reassign": command_page(visit, approval, "reassign", typed, error),
        "second look": second_look_page(visit, approval, "cancel", typed, approval),
        "approvers": approvers_page(visit, [person], more="x", email=text, error=error),
        "approver": approver_page(visit, person, [approval], forms, notice=text, error=error),
        "removal": removal_page(visit, person),
        "sign in": sign_in_page(session(text)),
        "sessions": sessions_page(visit, [session(text)], notice=text),
        "problem": console_problem(NotFound(text), "../", text),
    }
    return {name: Page(page) for name, page in made.items()}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_letter_for_letter(text: str) -> None:
    """In every place, as often as harmless text; the same tags and attributes."""
    shown, harmless = full_of(text), full_of(HARMLESS)
    for name, page in shown.items():
        assert page.shape() == harmless[name].shape(), name
        said, expected = page.text(), harmless[name].text()
        # The bar shows what follows a principal's last slash; a long name of a state is cut.
        cut = said.count("…") + ("/" in text)
        assert said.count(text) >= expected.count(HARMLESS) - cut, name
        page.html.encode()


@many
@given(approvals(), many_lines)
def test_any_approval_is_shown(approval: Approval, typed: str) -> None:
    """However it is decided, replaced, erased and worded; each page is well formed."""
    wanted, given_ = Wanted("waiting", "approver", typed), dict.fromkeys(TYPED, typed)
    pages = [
        approvals_page(OPERATING, wanted, [approval], more=""),
        approval_page(OPERATING, approval, None),
        *(command_page(OPERATING, approval, name, given_) for name in COMMANDS),
        second_look_page(OPERATING, approval, "cancel", given_, approval),
    ]
    for page in pages:
        shown = Page(page)
        assert approval.request.subject in shown.text()
        shown.html.encode()


@pytest.mark.parametrize("name", STATES)
def test_a_page_runs_nothing_and_loads_nothing(name: str) -> None:
    """Its style is the one that its policy allows."""
    page = Page(STATES[name])
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "iframe", "img", "object", "embed"})
    for tag, attributes in page.tags:
        assert not [one for one in attributes if one.startswith("on") or one == "style"], tag
        assert "src" not in attributes
    style = re.search("<style>(.*?)</style>", page.html, re.DOTALL)
    assert style
    hashed = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{hashed}'" in HEADERS["Content-Security-Policy"]
    assert "url(" not in style[1]


@pytest.mark.parametrize("name", STATES)
def test_links_lead_to_the_console_or_to_the_execution(name: str) -> None:
    """Nothing is sent to other sites but a click of the reader, without a referrer."""
    for link in Page(STATES[name]).all("a"):
        where = link["href"] or ""
        if where.startswith("https:"):
            assert ".console.aws.amazon.com/states/home?region=" in where
            assert link["rel"] == "noreferrer"
        else:
            assert where.startswith(("../console", "#", "?")), where


@pytest.mark.parametrize("name", SIGNED_IN)
def test_every_form_that_posts_carries_the_token(name: str) -> None:
    """And every page says where the reader is."""
    page = STATES[name].html()
    forms = re.findall(r'<form method="post".*?</form>', page, re.DOTALL)
    assert forms
    assert all(f'name="csrf" value="{OPERATING.form_token}"' in form for form in forms)
    assert page.count('aria-current="page"') in (1, 2)
    assert all(f'href="../console{path}"' in page for path in PLACES)


def test_a_session_that_may_only_read_sees_no_form_but_signing_out() -> None:
    reading = [name for name in SIGNED_IN if "(read only)" in STATES[name].bar]
    assert len(reading) >= 5
    for name in reading:
        forms = 2 if "sessions" in name else 1  # the own session may be ended in the list
        assert STATES[name].html().count('method="post"') == forms, name


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("console not found", "q"),
        ("console extend wrong", "number"),
        ("console reassign wrong", "to"),
        ("console approvers wrong", "email"),
        ("console approver wrong", "url"),
    ],
)
def test_a_field_in_error_says_so_and_has_focus(name: str, field: str) -> None:
    page = Page(STATES[name])
    (wrong,) = [attributes for _, attributes in page.tags if "autofocus" in attributes]
    assert (wrong["id"], wrong["aria-invalid"]) == (field, "true")
    assert f"#{field}" in [link["href"] for link in page.all("a")]
    assert page.text("title").startswith("Error: ")


def test_every_reason_to_be_silent_has_words() -> None:
    """From the events about mail."""
    asked = approval_of(1)
    ada = asked.approvers[0]
    sent = replace(ada, mail="sent")

    def said(*whats: EventKind, note: str = "", mail: MailState = "waiting") -> str:
        events = tuple(Event(START, what, ada.address, "tick", note) for what in whats)
        person = replace(ada, mail=mail)
        return silence(person, replace(asked, approvers=(person,), events=events, outbox=()))

    assert said() == "Not invited yet."
    assert silence(ada, asked) == "No mail yet: it is on its way."
    assert "AWS mailed an invitation on 22 Nov 2026, 09:00 UTC" in said("invited")
    assert "Has not confirmed" in said("invited", "unconfirmed")
    assert said("refused", note="InvalidParameter", mail="failed").endswith("(InvalidParameter).")
    assert "last tried on" in said("undelivered")
    assert said("mailed", mail="sent") == "Mailed on 22 Nov 2026, 09:00 UTC."
    assert said("mailed", "mailed", mail="sent").endswith(", reminded once.")
    assert said("mailed", "mailed", "mailed", mail="sent").endswith(", reminded 2 times.")
    assert said(mail="sent") == "Mailed."
    assert silence(sent, asked).endswith("The next mail is on its way.")
    left = said("mailed", "invited")
    assert left.startswith("Mailed on 22 Nov 2026, 09:00 UTC. Has not confirmed: AWS mailed")
    assert "last tried on" in said("mailed", "undelivered", mail="sent")


def test_a_picture_of_any_state_machine_has_each_state_once() -> None:
    """Also with circles, states that are missing, and none at all."""
    states = {
        "A": {"Type": "Choice", "Choices": [{"Next": "B"}, {"Next": "C"}], "Default": "Nowhere"},
        "B": {"Type": "Task", "Next": "A"},
        "C": {"Type": "Parallel", "Branches": [], "Next": "B"},
        "Unreached": {"Type": "Succeed"},
    }
    drawn = str(state_picture(ExecutionHistory({"StartAt": "A", "States": states}, (), False)))
    boxes = re.findall(r'<g class="(.*?)">.*?<text.*?>(.*?)</text>', drawn)
    assert boxes == [
        ("", "A"),
        ("", "B"),
        ("again", "A, as above"),
        ("", "C"),
        ("again", "B, as above"),
    ]
    assert "<svg" in str(state_picture(ExecutionHistory({}, (), False)))
    whole = str(state_picture(ExecutionHistory(DEFINITION, (), False)))
    for state in DEFINITION["States"]:
        assert f">{state}</text>" in whole


def test_a_long_state_machine_runs_downwards() -> None:
    """A box stays wide enough for its name, however many states follow each other or branch off."""
    chain = {str(n): {"Type": "Pass", "Next": str(n + 1)} for n in range(40)}
    deep = {
        f"c{n}": {"Type": "Choice", "Choices": [{"Next": f"c{n + 1}"}], "Default": f"c{n + 1}"}
        for n in range(40)
    }
    for start, states in (("0", chain), ("c0", deep)):
        drawn = str(
            state_picture(ExecutionHistory({"StartAt": start, "States": states}, (), False))
        )
        widths = [int(width) for width in re.findall(r'<rect [^>]*width="(-?\d+)"', drawn)]
        assert len(widths) >= 40
        assert min(widths) > 180


@pytest.mark.parametrize(
    ("arn", "where"),
    [
        ("arn:aws:states:eu-west-1:1:execution:m:x", "https://eu-west-1.console.aws.amazon.com/"),
        (
            "arn:aws-cn:states:cn-north-1:1:execution:m:x",
            "https://cn-north-1.console.amazonaws.cn/",
        ),
        (
            "arn:aws-us-gov:states:us-gov-west-1:1:execution:m:x",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/",
        ),
        ("arn:aws-new:states:x:1:execution:m:x", ""),
        ("arn:aws:states:evil.example/?:1:execution:m:x", ""),
        ("arn:aws:states:user@evil.example#:1:execution:m:x", ""),
        ("x", ""),
    ],
)
def test_the_link_to_an_execution_is_of_its_partition(arn: str, where: str) -> None:
    approval = replace(approval_of(1), execution_arn=arn)
    page = str(approval_page(OPERATING, approval, None).content)
    assert arn in page
    assert (f'href="{where}states/home?region=' in page) is bool(where)
    assert ("AWS&#39;s console" in page or "AWS's console" in page) is bool(where)
