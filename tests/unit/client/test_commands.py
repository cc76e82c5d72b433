"""The command `assent`: what it prints, and the status that it ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from assent_client.commands.inputs import Duration
from assent_client.commands.output import left, plain
from botocore.exceptions import ClientError
from click.testing import Result

from tests.builders import request_approval
from tests.fakes import START
from tests.unit.client.conftest import InProcess, answer_of
from tests.unit.client.test_client import away
from tests.unit.entrypoints.client import ADA, AppPorts

Run = Callable[..., Result]
HOSTILE = "\x1b[31mred\x1b[0m [bold]x[/bold] \u202egnp.exe\r\nnew\x07"
START_ARGUMENTS = ("start", "--subject", "Release 4.2", "--approver", ADA)


def deployed(stage: str, url: str) -> Path:
    """Write the record of a stage as Chalice does when it deploys, and return it."""
    record = Path(".chalice", "deployed", f"{stage}.json")
    record.parent.mkdir(parents=True)
    api = {"resource_type": "rest_api", "rest_api_url": url}
    record.write_text(json.dumps({"resources": [{"resource_type": "lambda_function"}, api]}))
    return record


def test_start_prints_the_name_of_the_execution(run: Run, server: InProcess) -> None:
    """Every option is in the request that is sent."""
    ended = run(
        *START_ARGUMENTS, "--approver", "grace@example.com", "--detail", "Version=4.2=x",
        "--needed", "all", "--requested-by", "m@example.com", "--expires-in", "3d",
        "--remind-every", "12h", "--code-required", "--key", "release-42",
    )  # fmt: skip
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "release-42\n", "")
    assert json.loads(server.sent[-1].body or b"") == {
        "subject": "Release 4.2",
        "approvers": [ADA, "grace@example.com"],
        "details": {"Version": "4.2=x"},
        "approvalsNeeded": "all",
        "requestedBy": "m@example.com",
        "expiresIn": 259_200,
        "remindEvery": 43_200,
        "codeRequired": True,
    }


def test_a_request_can_come_from_standard_input(run: Run, server: InProcess) -> None:
    """Options beside it win."""
    text = json.dumps({"subject": "Old", "approvers": [ADA], "onReject": "return"})
    assert run("start", "--file", "-", "--subject", "New", text=text).exit_code == 0
    sent = json.loads(server.sent[-1].body or b"")
    assert (sent["subject"], sent["onReject"]) == ("New", "return")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subject: [", "neither JSON nor YAML as a request has it"),
        ("- a list", "no object with the fields"),
        ("details: {When: 2026-11-26}", "put a date or time in quotes"),
        ("a: &a [x]\nsubject: *a", "aliases (*name) are not read"),
        ("subject: " + "[" * 21, "nested too deeply"),
        ('a: !!int ""', "a value can't be read"),
        ("a: .nan", "a value can't be read"),
    ],
)
def test_a_file_that_is_no_request_is_named(run: Run, text: str, said: str) -> None:
    ended = run("start", "--file", "-", text=text)
    assert ended.exit_code == 2
    assert said in " ".join(ended.stderr.split())


def test_a_request_can_be_written_in_yaml(run: Run, server: InProcess) -> None:
    text = f"subject: Release 4.2\napprovers: [{ADA}]\ndetails:\n  Version: '4.2'\n  Services: 4\n"
    assert run("start", "--file", "-", text=text).exit_code == 0
    assert json.loads(server.sent[-1].body)["details"] == {"Version": "4.2", "Services": 4}


def test_list_and_show_say_who_has_decided_and_for_whom_it_waits(run: Run, ports: AppPorts) -> None:
    approval = request_approval(ports, approvers=[ADA, "grace@example.com"])
    listed = run("list").stdout
    assert approval in listed
    assert f"{ADA}: Mailed on" in listed
    assert "grace@example.com: Mailed on" in listed
    assert run("list", "--approver", "grace@example.com").stdout.count("Mailed on") == 2
    assert run("list", "--approver", "nobody@example.com").stdout == ""
    assert run("list", "--due", "overdue").stderr == "there are none\n"
    assert run("list", "--requested-by", "m@example.com").exit_code == 0
    shown = run("show", approval).stdout
    assert "Release 4.2" in shown
    assert f"mailed to {ADA} [function]" in shown
    assert "grace@example.com" in shown


def test_a_change_prints_how_the_approval_stands(run: Run, ports: AppPorts) -> None:
    approval = request_approval(ports)
    assert run("remind", approval).stdout == f"waits for {ADA}; nobody has decided\n"
    assert run("extend", approval, "30d").exit_code == 0
    assert "grace@example.com" in run("reassign", approval, ADA, "grace@example.com").stdout
    cancelled = run("--output", "json", "cancel", approval, "--reason", "late")
    assert json.loads(cancelled.stdout)["outcome"] == "cancelled"


def test_erasing_asks_first_and_says_why_not(run: Run, ports: AppPorts) -> None:
    approval = request_approval(ports)
    assert run("erase", approval, text="n\n").exit_code == 130
    refused = run("erase", approval, "--yes")
    assert (refused.exit_code, "(NotSettled)" in refused.stderr) == (1, True)


def test_people_are_invited_shown_and_removed(run: Run, ports: AppPorts, tmp_path: Path) -> None:
    """A file may name somebody twice."""
    ports.mailer.subscriptions |= dict.fromkeys(("new@example.com", "other@example.com"), "none")
    addresses = tmp_path / "people.txt"
    addresses.write_text("new@example.com\nother@example.com\nnew@example.com\n")
    added = run("approvers", "add", "--file", str(addresses)).stdout
    assert added.count("has to confirm") == 2
    assert run("approvers", "show", "new@example.com").exit_code == 0
    assert run("approvers", "remove", "new@example.com").exit_code == 0
    assert "not invited" in run("approvers", "show", "new@example.com").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("show", "a" * 26), 1, "(NotFound)"),
        (("start", "--subject", "x", "--approver", "nobody"), 1, "is not an e-mail address"),
        (("start", "--expires-in", "soon"), 2, "'soon' is no duration"),
        (("start", "--detail", "nothing"), 2, "has no label and value"),
        (("approvers", "add"), 2, "whom?"),
        (("approvers", "delegate", ADA), 2, "give DELEGATE"),
        (("nonsense",), 2, "No such command"),
        (("list", "--due", "soon", "--outcome", "expired"), 2, "give one of"),
    ],
)
def test_an_error_is_one_sentence_and_an_exit_status(
    run: Run, arguments: tuple[str, ...], status: int, said: str
) -> None:
    ended = run(*arguments)
    assert ended.exit_code == status
    assert ended.stderr.startswith("assent: ")
    assert said in ended.stderr
    assert ended.output.count("\n") == 1


def test_a_typed_stage_wins_over_the_environment(
    run: Run, server: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Or an operator would change another stage."""
    monkeypatch.chdir(tmp_path)
    deployed("prod", "https://prod.example.com/api/")
    assert run("--stage", "prod", "list").exit_code == 0
    assert str(server.sent[-1].url).startswith("https://prod.example.com/")
    assert "not both" in run("--url", "https://x.example.com", "--stage", "prod", "list").stderr
    assert "no name of a stage" in run("--stage", "../../x", "list").stderr


def test_settings_that_aws_cannot_use_are_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "nosuch")
    ended = run("list")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    assert "nosuch" in ended.stderr


def test_addresses_of_a_file_are_checked_before_the_first_is_invited(
    run: Run, server: InProcess, tmp_path: Path
) -> None:
    """Comments and a byte order mark are left out; a refusal names its address, the rest go on."""
    file = tmp_path / "people.txt"
    file.write_text("\ufeffnew@example.com\n# the others\nBob Lee <bob@example.com>\n")
    ended = run("approvers", "add", "--file", str(file))
    assert (ended.exit_code, server.sent) == (2, [])
    assert "line 3" in ended.stderr
    file.write_text("\ufeffnew@example.com\nx@elsewhere.org\nother@example.com # ops\n")
    ended = run("approvers", "add", "--file", str(file))
    assert ended.exit_code == 1
    assert ended.stderr.startswith("assent: x@elsewhere.org: ")
    assert "other@example.com" in ended.stdout


def test_the_name_of_an_execution_is_text(run: Run, server: InProcess) -> None:
    body = json.dumps({"execution": HOSTILE, "status": "RUNNING"}).encode()
    server.faults = [lambda call: answer_of(call, 201, body, {})]
    assert "\x1b" not in run(*START_ARGUMENTS).output


def test_an_answer_of_another_shape_is_one_sentence(run: Run, server: InProcess) -> None:
    """Of an older stage, or of something else at that URL."""
    server.faults = [lambda call: answer_of(call, 200, b'{"approvals": [{}], "next": null}', {})]
    ended = run("list")
    assert (ended.exit_code, ended.stderr.count("\n")) == (3, 1)
    assert "an answer isn't as the API gives it (KeyError: 'id')" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "--from", "yesterday"), "'yesterday' is no day or time"),
        (("export", "--from", "2026", "--file", "{folder}/none/x.csv"), "No such file"),
        (("export", "--from", "2026", "--file", "{folder}/letter.txt"), "isn't an earlier export"),
        (("approvers", "add", "--file", "{folder}/latin"), "isn't text in UTF-8"),
        (("start", "--file", "{folder}/latin"), "isn't text in UTF-8"),
        (("start", "--file", "{folder}/none"), "No such file"),
        (("start", "--file", "{folder}"), "irectory"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Nothing is written into it."""
    (tmp_path / "letter.txt").write_text("Dear Ada,\nhello")
    (tmp_path / "latin").write_bytes(b"caf\xe9\n")
    ended = run(*(one.format(folder=tmp_path) for one in arguments))
    assert (ended.exit_code, ended.stderr.count("\n")) == (2, 1)
    assert said in ended.stderr
    assert (tmp_path / "letter.txt").read_text() == "Dear Ada,\nhello"


def test_an_api_that_is_away_ends_with_three(
    run: Run, server: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("assent_client.client.TRIES", 1)
    server.faults = [away]
    ended = run("list")
    assert ended.exit_code == 3
    assert "can't be reached" in ended.stderr


def test_without_an_address_the_ways_to_give_one_are_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "set ASSENT_URL" in run("--url", "", "list").stderr
    deployed("dev", "").write_text("{")
    assert "can't be read" in run("--url", "", "--stage", "dev", "list").stderr


def test_the_address_of_a_stage_is_an_output_of_its_stack(
    run: Run, server: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where no checkout with its record is at hand."""
    monkeypatch.chdir(tmp_path)
    url = "https://stack.example.com/api"
    outputs = {"assent-dev": [{"OutputKey": "ApiUrl", "OutputValue": url}], "assent-new": []}
    unknown = "https://unknown.execute-api.us-east-1.amazonaws.com/api"
    outputs["assent-first"] = [{"OutputKey": "ApiUrl", "OutputValue": unknown}]

    class CloudFormation:
        def describe_stacks(self, StackName: str) -> Any:  # noqa: N803 (as botocore has it)
            if StackName not in outputs:
                raise ClientError({"Error": {"Message": "does not exist"}}, "DescribeStacks")
            return {"Stacks": [{"Outputs": outputs[StackName]}]}

    made = lambda *_, **__: CloudFormation()  # noqa: E731
    monkeypatch.setattr(botocore.session.Session, "create_client", made)
    assert run("--url", "", "--stage", "dev", "list").exit_code == 0
    assert str(server.sent[-1].url).startswith(f"{url}/approvals")
    for stage in ("new", "first"):
        ended = run("--url", "", "--stage", stage, "list")
        assert f"make deploy STAGE={stage}" in ended.stderr
    assert "does not exist" in run("--url", "", "--stage", "none", "list").stderr


def test_the_address_of_a_stage_is_in_its_record(
    run: Run, server: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    deployed("dev", "https://stage.example.com/api/")
    assert run("--url", "", "--stage", "dev", "list").exit_code == 0
    assert str(server.sent[-1].url).startswith("https://stage.example.com/api/approvals")


def test_console_prints_a_link_that_opens_it(
    run: Run, server: InProcess, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No browser is opened where standard output is no terminal."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    link = run("console").stdout.strip()
    assert "/api/console/sessions/" in link
    assert str(server.sent[-1].url).endswith("/console/sessions")
    shown = json.loads(run("--output", "json", "console", "--read-only").stdout)
    assert str(server.sent[-1].url).endswith("/console/read-only-sessions")
    assert shown.keys() == {"url", "expiresAt"}
    assert len(ports.sessions.items) == 2
    assert opened == []


def test_who_may_not_operate_is_told_of_a_session_that_only_reads(
    run: Run, server: InProcess
) -> None:
    server.faults = [lambda call: answer_of(call, 403, b'{"Message": "not authorized"}', {})] * 2
    assert "assent console --read-only" in run("console").stderr
    assert "--read-only" not in run("console", "--read-only").stderr


def test_hostile_text_does_nothing_to_a_terminal(run: Run, server: InProcess) -> None:
    """No control character and no mark that reorders text is printed, and no markup is obeyed."""
    body = json.dumps({"code": HOSTILE, "message": HOSTILE}).encode()
    server.faults = [lambda call: answer_of(call, 400, body, {})]
    printed = run("list").output
    assert not {"\x1b", "\u202e", "\r", "\x07"} & set(printed)
    assert "[bold]x[/bold]" in printed
    assert "\x1b" not in plain(HOSTILE)


def test_what_is_listed_is_text_whatever_it_holds(run: Run, server: InProcess) -> None:
    subject = "[red]x[/red] \x1b]0;title\x07 :smile:"
    row: dict[str, Any] = {
        "id": "a" * 26, "subject": subject, "requestedBy": None, "approvals": 0,
        "approvalsNeeded": 1, "waitsFor": [], "approvers": [], "outcome": "pending",
        "expiresAt": "2030-01-01T00:00:00Z",
    }  # fmt: skip
    body = json.dumps({"approvals": [row], "next": None}).encode()
    server.faults = [lambda call: answer_of(call, 200, body, {})] * 2
    printed = run("list").stdout
    assert "[red]x[/red]" in printed
    assert ":smile:" in printed
    assert "\x1b" not in printed
    assert "\x1b" not in run("--output", "json", "list").stdout


def test_a_narrow_terminal_gets_a_block_for_each_row(
    run: Run, ports: AppPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The id stays in one piece, to be copied."""
    approval = request_approval(ports, subject="Release of the shop, with a long subject " * 3)
    monkeypatch.setattr("assent_client.commands.output._PIPE_WIDTH", 50)
    printed = run("list").stdout
    assert approval in printed
    assert "waits for" in printed
    assert max(map(len, printed.splitlines())) <= 50


def test_what_is_shown_is_text_whatever_it_holds(run: Run, server: InProcess) -> None:
    """Every text of the approval: subject, details and their labels, addresses, reasons, events."""
    decision = {"decision": "approve", "reason": HOSTILE, "decidedAt": "2026-11-22T09:00:00Z"}
    event = {"at": "2026-11-22T09:00:00Z", "what": HOSTILE, "who": HOSTILE, "via": HOSTILE}
    found: dict[str, Any] = {
        "outcome": "approved", "subject": HOSTILE, "requestedBy": HOSTILE, "approvalsNeeded": 1,
        "executionArn": HOSTILE, "details": {HOSTILE: HOSTILE}, "closedAt": None,
        "expiresAt": "2030-01-01T00:00:00Z", "events": [event | {"note": HOSTILE}],
        "approvers": [
            {"approver": HOSTILE, "mail": "sent", "decision": decision},
            {"approver": HOSTILE, "mail": "waiting", "decision": None, "note": HOSTILE},
        ],
    }  # fmt: skip
    body = json.dumps(found).encode()
    server.faults = [lambda call: answer_of(call, 200, body, {})]
    printed = run("show", "a" * 26).stdout
    assert printed.count("gnp.exe") >= 10
    assert not {"\x1b", "\u202e", "\r", "\x07"} & set(printed)
    assert "[bold]x[/bold]" in printed


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1w", 604_800)]
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2026-11-24T10:00:00Z", "2 days"),
        ("2026-11-22T10:00:00Z", "1 hour"),
        ("2026-11-22T09:00:30Z", "30 seconds"),
        ("2026-11-22T08:59:00Z", "over"),
    ],
)
def test_the_time_left_is_in_words(until: str, said: str) -> None:
    assert left(until, START) == said
