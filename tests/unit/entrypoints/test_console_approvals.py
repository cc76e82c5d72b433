"""Approvals in the console: found, explained, and changed after a second look."""

import re
from datetime import timedelta

import pytest

from chalicelib.application import asking
from chalicelib.domain.approval import Approval
from tests.builders import request_approval, task_request
from tests.fakes import EXECUTION, START
from tests.unit.entrypoints.client import ADA, AppClient, AppPorts
from tests.unit.entrypoints.console import Console
from tests.unit.entrypoints.functions import tick

GRACE, MARY = "grace@example.com", "mary@example.com"


@pytest.fixture
def console(client: AppClient, ports: AppPorts) -> Console:  # noqa: ARG001 (it must be set first)
    """Return a signed-in browser."""
    return Console(client)


def stored(ports: AppPorts, approval_id: str) -> Approval:
    found = ports.store.get(approval_id)
    assert found is not None
    return found


def subjects(console: Console, query: str) -> list[str]:
    """Return the subjects on a list, in order."""
    page = console.get(f"/console?{query}")
    assert page.status == 200
    return re.findall(
        r'<h2><a href="console/approvals/[a-z2-7]{26}" dir="auto">(.*?)</a>', page.text
    )


def test_the_lists_show_what_waits_what_is_due_and_what_is_decided(
    console: Console, ports: AppPorts
) -> None:
    request_approval(ports, "one", subject="Far", expiresIn=864_000)
    request_approval(ports, "two", subject="Near", expiresIn=3_600)
    over = request_approval(ports, "three", subject="Over", expiresIn=864_000)
    console.post(f"/console/approvals/{over}/cancel", confirmed="yes")
    tick()
    assert sorted(subjects(console, "")) == ["Far", "Near"]
    assert subjects(console, "show=soon") == ["Near"]
    assert subjects(console, "show=decided") == ["Over"]
    assert subjects(console, "show=overdue") == []
    ports.later(hours=1, minutes=11)
    assert subjects(console, "show=overdue") == ["Near"]
    late = "Late since 22 Nov 2026, 10:00 UTC: its deadline or a reminder."
    assert late in console.get("/console?show=overdue").text


def test_a_long_list_has_pages(console: Console, ports: AppPorts) -> None:
    """Each request is on one of them."""
    for number in range(60):
        request_approval(ports, f"token-{number}", subject=f"Number {number}")
    query, seen = "", list[str]()
    for _ in range(3):
        seen += subjects(console, query)
        following = re.search(r'href="\?([^"]*next=[^"]*)"', console.get(f"/console?{query}").text)
        query = following[1].replace("&amp;", "&") if following else ""
    assert sorted(seen) == sorted(f"Number {n}" for n in range(60))
    assert query == ""


def test_approvals_are_found_by_people_reference_and_execution(
    console: Console, ports: AppPorts
) -> None:
    found = request_approval(ports, approvers=[ADA], requestedBy=MARY, subject="Sought")
    request_approval(ports, "other", approvers=[GRACE], subject="Other")
    for query in (
        f"by=approver&q={ADA}",
        f"by=approver&q=%20{ADA.upper()}",
        f"by=requester&q={MARY}",
        f"by=id&q={found}",
        f"by=id&q={found.upper()}.",
        f"by=execution&q={EXECUTION}",
        f"by=execution&q={EXECUTION.rpartition(':')[2]}",
    ):
        assert subjects(console, query) == ["Sought"], query
    for query in ("by=approver&q=x@example.com", "by=id&q=x", "by=execution&q=x"):
        assert subjects(console, query) == []
    person = console.get(f"/console?by=approver&q={ADA}").text
    assert f'href="console/approvers/{ADA}">Does mail reach {ADA}?' in person


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("by=approver&q=ada", 400),
        ("by=requester&q=<script>", 400),
        ("show=x", 400),
        ("by=x&q=y", 400),
        ("next=x", 400),
        ("next=2026-11-22T09:00:00Z_" + "a" * 26, 200),
        ("colour=red", 200),
        ("q=%20%E2%80%8B", 200),
        ("by=execution&q=" + "x" * 2_000, 200),
    ],
)
def test_a_bad_query_is_refused_in_words(console: Console, query: str, status: int) -> None:
    page = console.get(f"/console?{query}")
    assert (page.status, page.is_page) == (status, True)
    assert "<script>" not in page.text


def test_a_name_that_no_execution_has_is_not_looked_up(
    console: Console, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB refuses a key of more than 2,048 bytes, which would be our fault."""
    looked: list[str] = []

    def of_execution(arn: str) -> list[Approval]:
        looked.append(arn)
        return []

    monkeypatch.setattr(ports.store, "of_execution", of_execution)
    console.get("/console?by=execution&q=" + "x" * 2_000)
    assert looked == []
    console.get("/console?by=execution&q=x")
    assert looked == ["arn:aws:states:us-east-1:000000000000:execution:assent-test:x"]


def test_a_row_says_why_each_person_is_silent(console: Console, ports: AppPorts) -> None:
    """Refused, unconfirmed, mailed and reminded; who has answered."""
    ports.mailer.subscriptions["bob@example.com"] = "none"
    approval_id = request_approval(
        ports, approvers=[ADA, GRACE, "bob@example.com"], approvalsNeeded=3, remindEvery=3_600
    )
    tick()
    ports.later(hours=1)
    tick()
    page = console.get("/console").text
    assert page.count("has not decided") == 3
    assert page.count("Last mailed on 22 Nov 2026, 10:00 UTC, reminded once.") == 2
    assert "Has not confirmed" in page
    assert page.index("bob@example.com") < page.index(ADA), "who holds it up comes first"
    assert page.count("Has not confirmed") == console.get(
        f"/console/approvals/{approval_id}"
    ).text.count("Has not confirmed")


def test_an_approval_that_there_is_not_is_not_found(console: Console) -> None:
    for path in ("x", "a" * 26, "%2e%2e"):
        assert console.get(f"/console/approvals/{path}").status == 404
    assert console.get(f"/console/approvals/{'a' * 26}/cancel").status == 404
    assert console.post(f"/console/approvals/{'a' * 26}/cancel", confirmed="yes").status == 404


def test_a_command_that_there_is_not_is_not_found(console: Console, ports: AppPorts) -> None:
    approval = f"/console/approvals/{request_approval(ports)}"
    assert console.get(f"{approval}/approve").status == 404
    assert console.post(f"{approval}/erase").status == 404


COMMANDS = {
    "cancel": {"reason": "The release is off."},
    "remind": {"reason": "It is urgent."},
    "extend": {"number": "30", "unit": "days", "reason": "Ada is away."},
    "reassign": {"from": ADA, "to": GRACE, "note": "You know the shop."},
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_happens_after_a_second_look(
    console: Console, ports: AppPorts, command: str
) -> None:
    """It is recorded with the IAM principal and the channel."""
    approval_id = request_approval(ports, approvers=[ADA, "bob@example.com"])
    tick()
    path = f"/console/approvals/{approval_id}"
    assert f'href="../../console/approvals/{approval_id}/{command}"' in console.get(path).text
    before = ports.snapshot()
    form = console.get(f"{path}/{command}")
    assert form.status == 200
    look = console.post(f"{path}/{command}", **COMMANDS[command])
    assert look.status == 200
    assert "Please look once more" in look.text
    assert ports.snapshot() == before
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', look.text))
    assert fields.pop("csrf") == console.form_token
    done = console.post(f"{path}/{command}", **fields)
    assert (done.status, 'role="status"' in done.text) == (200, True)
    what = {"cancel": "cancelled", "remind": "reminded", "extend": "extended"}
    wanted = (what.get(command, "reassigned"), "console")
    (event,) = (e for e in stored(ports, approval_id).events if (e.what, e.via) == wanted)
    assert (event.who, event.principal) == ("operator", "operator")
    reason = COMMANDS[command].get("reason") or COMMANDS[command]["note"]
    assert reason in (event.note, event.why)
    assert reason in done.text
    assert "in the console" in done.text


def test_the_second_look_shows_what_will_be(console: Console, ports: AppPorts) -> None:
    """The new deadline as a date; the person who will be asked."""
    path = f"/console/approvals/{request_approval(ports)}"
    extended = console.post(f"{path}/extend", number="30", unit="days").text
    assert "22 Dec 2026, 09:00 UTC" in extended
    moved = console.post(f"{path}/reassign", **{"from": ADA, "to": GRACE}).text
    assert f"<dd>{GRACE}</dd>" in moved


@pytest.mark.parametrize(
    ("command", "fields", "said"),
    [
        ("extend", {"number": "", "unit": "days"}, "from 1 to 8760"),
        ("extend", {"number": "0", "unit": "days"}, "from 1 to 8760"),
        ("extend", {"number": "-1", "unit": "hours"}, "from 1 to 8760"),
        ("extend", {"number": "١", "unit": "hours"}, "from 1 to 8760"),
        ("extend", {"number": "9" * 5_000, "unit": "hours"}, "from 1 to 8760"),
        ("extend", {"number": "087600", "unit": "hours"}, "from 1 to 8760"),
        ("extend", {"number": "8760", "unit": "days"}, "31536000"),
        ("extend", {"number": "1", "unit": "hours"}, "later"),
        ("reassign", {"from": ADA, "to": "grace"}, "not an e-mail address"),
        ("reassign", {"from": ADA, "to": ""}, "e-mail"),
        ("reassign", {"from": "x@example.com", "to": GRACE}, "not asked"),
        ("reassign", {"from": ADA, "to": "x@elsewhere.example"}, "may not be asked"),
        ("cancel", {"reason": "x" * 2_001}, "too long"),
        ("remind", {"reason": "x" * 2_001}, "too long"),
    ],
)
@pytest.mark.parametrize("confirmed", ["", "yes"])
def test_what_is_typed_wrongly_is_kept_and_named(
    console: Console, ports: AppPorts, command: str, fields: dict[str, str], said: str,
    confirmed: str,
) -> None:  # fmt: skip
    """In the form, and nothing happens; at the second look too."""
    path = f"/console/approvals/{request_approval(ports)}/{command}"
    before = ports.snapshot()
    page = console.post(path, confirmed=confirmed, **fields)
    assert (page.status, page.is_page) == (400, True)
    assert said in page.text
    assert "<h1>" in page.text
    assert ports.snapshot() == before
    typed = fields.get("to") or fields.get("number")
    assert (f'value="{typed}"' if typed else fields.get("reason", "")) in page.text


def test_a_command_on_what_is_over_shows_how_it_ended(console: Console, ports: AppPorts) -> None:
    approval_id = request_approval(ports)
    path = f"/console/approvals/{approval_id}"
    console.post(f"{path}/cancel", confirmed="yes")
    before = ports.snapshot()
    for command, fields in COMMANDS.items():
        assert "Cancelled on" in console.get(f"{path}/{command}").text
        page = console.post(f"{path}/{command}", confirmed="yes", **fields)
        assert page.status == (200 if command == "cancel" else 409)
        assert "Cancelled on" in page.text
    assert ports.snapshot() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_done_is_said_though_step_functions_is_away(
    console: Console, ports: AppPorts, command: str
) -> None:
    """The picture is an extra; an error would have the operator try again."""
    approval_id = request_approval(ports)
    path = f"/console/approvals/{approval_id}"
    ports.effects.faulty = {"executions.history"}
    page = console.get(path)
    assert (page.status, "<svg" in page.text) == (200, False)
    done = console.post(f"{path}/{command}", confirmed="yes", **COMMANDS[command])
    assert (done.status, 'role="status"' in done.text) == (200, True)
    assert [line["command"] for line in ports.logged if "command" in line] == [command]


@pytest.mark.parametrize("typed", [f" {ADA}", f"{ADA}\n", "ada@exam\u200bple.com", ADA.upper()])
def test_an_address_is_cleaned_before_the_second_look(
    console: Console, ports: AppPorts, typed: str
) -> None:
    path = f"/console/approvals/{request_approval(ports)}/reassign"
    look = console.post(path, **{"from": typed, "to": GRACE})
    assert (look.status, f"<dd>{GRACE}</dd>" in look.text) == (200, True)


def test_what_is_done_already_needs_no_second_look(console: Console, ports: AppPorts) -> None:
    path = f"/console/approvals/{request_approval(ports)}/cancel"
    console.post(path, confirmed="yes")
    again = console.post(path)
    assert (again.status, "look once more" in again.text) == (200, False)


def test_a_fault_leaves_what_was_typed_and_a_form_that_is_taken(
    console: Console, ports: AppPorts
) -> None:
    """Browsers send forms of a page with `no-referrer` with the origin `null`."""
    path = f"/console/approvals/{request_approval(ports)}/cancel"
    ports.effects.faulty = {"store.replace"}
    page = console.post(path, confirmed="yes", reason="The release is off.")
    assert page.status == 503
    assert page.headers["referrer-policy"] == "same-origin"
    assert "The release is off." in page.text
    assert "counts once" not in page.text
    ports.effects.faulty = set()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', page.text))
    assert console.post(path, **fields).status == 200


def test_a_double_click_reminds_once(console: Console, ports: AppPorts) -> None:
    """Within a minute; later it is another reminder."""
    approval_id = request_approval(ports)
    tick()
    path = f"/console/approvals/{approval_id}/remind"
    for _ in range(3):
        assert console.post(path, confirmed="yes").status == 200
    reminded = [e for e in stored(ports, approval_id).events if e.what == "reminded"]
    assert len(reminded) == 1
    ports.later(minutes=1)
    console.post(path, confirmed="yes")
    assert len([e for e in stored(ports, approval_id).events if e.what == "reminded"]) == 2


def test_the_picture_shows_the_states_of_the_workflow(console: Console, ports: AppPorts) -> None:
    """Of an execution of ours whose history is still kept."""
    path = f"/console/approvals/{request_approval(ports)}"
    page = console.get(path).text
    for state in ("RequestApproval", "OnReject", "ReturnRejection", "Expired", "on States.ALL"):
        assert state in page
    assert page.count('<g class="waits">') == 1
    ports.executions.forgotten.add(EXECUTION.rpartition(":")[2])
    assert "<svg" not in console.get(path).text


def test_the_execution_of_another_state_machine_has_no_picture(
    console: Console, ports: AppPorts
) -> None:
    """The function may not read it."""
    elsewhere = EXECUTION.replace("assent-test", "other")
    asked = asking.request_approval(ports, task_request(execution=elsewhere), "function")
    page = console.get(f"/console/approvals/{asked}").text
    assert elsewhere in page
    assert "<svg" not in page


def test_an_approval_links_to_its_execution_in_awss_console(
    console: Console, ports: AppPorts
) -> None:
    page = console.get(f"/console/approvals/{request_approval(ports)}").text
    where = "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1"
    assert f'href="{where}#/v2/executions/details/{EXECUTION}" rel="noreferrer"' in page


def test_figures_are_of_what_was_decided(console: Console, ports: AppPorts) -> None:
    """How many, how, and how fast."""
    assert "No decided request" in console.get("/console/figures").text
    for number in range(3):
        approval_id = request_approval(ports, f"token-{number}")
        ports.later(minutes=10)
        console.post(f"/console/approvals/{approval_id}/cancel", confirmed="yes")
    page = console.get("/console/figures").text
    assert "3 decided requests" in page
    assert re.search(r"<dt>Cancelled</dt><dd>3</dd>", page)
    assert f"{START + timedelta(minutes=30):%Y-%m-%d}" in page
