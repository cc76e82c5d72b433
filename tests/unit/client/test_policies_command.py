"""The command `assent policies`: what it prints and writes, and the status that it ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from assent_client import Assent
from assent_client.commands import assent
from click.testing import CliRunner, Result

from chalicelib.application import asking
from tests.fakes import EXECUTION, TOKEN
from tests.policies import group, policy_body
from tests.readme import snippet
from tests.unit.client.conftest import InProcess, answer_of
from tests.unit.client.test_commands import HOSTILE
from tests.unit.entrypoints.client import AppPorts
from tests.unit.steps import decide

Run = Callable[..., Result]
NAME = "production-release"
TERMINAL = "assent_client.commands.policy_apply.is_terminal"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one policy, in YAML, and things that are none."""
    inside = tmp_path / "policies"
    inside.mkdir()
    written = yaml.safe_dump(policy_body(description="Releases."), sort_keys=False)
    (inside / f"{NAME}.yaml").write_text(written)
    (inside / ".hidden.yaml").write_text("[")
    (inside / "README.md").write_text("[")
    (inside / "old.yml").mkdir()
    return inside


def change(folder: Path, *more: Any, **fields: Any) -> None:
    """Write the policy's file anew."""
    (folder / f"{NAME}.yaml").write_text(json.dumps(policy_body(*more, **fields)))


def ask_under(ports: AppPorts) -> None:
    """Have somebody ask under the policy."""
    request = {"subject": "Release 4.2", "policy": NAME}
    sent = {"taskToken": TOKEN, "executionArn": EXECUTION, "request": request}
    assert asking.request_approval(ports, sent, "function") is not None


def test_without_yes_the_difference_is_shown_and_nothing_is_written(
    run: Run, folder: Path, api: Assent
) -> None:
    """The status is 1, because something is to be written."""
    ended = run("policies", "apply", str(folder))
    assert ended.exit_code == 1
    assert ended.stdout.startswith(f"{NAME}: new\n+description: Releases.\n+groups:\n")
    assert "+  - sam@example.com\n" in ended.stdout
    assert "\x1b" not in ended.stdout
    assert ended.stderr == "nothing is written; to write it: --yes\n"
    assert list(api.policies()) == []


def test_yes_writes_and_the_same_again_changes_nothing(run: Run, folder: Path, api: Assent) -> None:
    written = run("policies", "apply", str(folder), "--yes")
    assert (written.exit_code, written.stderr) == (0, "")
    assert written.stdout.endswith(f"{NAME}: wrote version 1\n")
    assert api.policy(NAME)["policy"]["description"] == "Releases."
    again = run("policies", "apply", str(folder))
    assert (again.exit_code, again.stdout) == (0, f"{NAME}: no change (version 1)\n")
    assert run("policies", "apply", str(folder), "--yes").exit_code == 0
    assert api.policy(NAME)["version"] == 1


def test_a_change_is_shown_line_by_line_under_its_group(run: Run, folder: Path) -> None:
    run("policies", "apply", str(folder), "--yes")
    security = group("security", "sam", "sue")
    operations = group("operations", *[f"ops{n}" for n in range(1, 9)], needed=2)
    change(folder, security, operations, description="Releases.")
    run("policies", "apply", str(folder), "--yes")
    operations["approvers"][6] = "eve@example.com"
    change(folder, security, operations, description="Releases.")
    lines = run("policies", "apply", str(folder)).stdout.splitlines()
    assert lines == [
        f"{NAME}: version 2 -> 3",
        "@@ group operations",
        "   - ops4@example.com",
        "   - ops5@example.com",
        "   - ops6@example.com",
        "-  - ops7@example.com",
        "+  - eve@example.com",
        "   - ops8@example.com",
        "   approvalsNeeded: 2",
        " rejectionsNeeded: 1",
    ]


def test_each_part_of_a_difference_says_its_group_and_long_lines_stay_whole(
    run: Run, folder: Path
) -> None:
    """What is in no group has no name."""
    people = [f"p{n}" for n in range(9)]
    groups = [group("a", *people), group("b", *people)]
    change(folder, *groups, expiresIn=60, description="x" * 300)
    run("policies", "apply", str(folder), "--yes")
    groups[0]["approvers"][5] = groups[1]["approvers"][4] = "eve@example.com"
    change(folder, *groups, expiresIn=61, description="y" * 300)
    lines = run("policies", "apply", str(folder)).stdout.splitlines()
    assert [line for line in lines if line[0] == "@"] == ["@@ group a", "@@ group b", "@@"]
    assert f"+description: {'y' * 300}" in lines


@pytest.mark.parametrize(("answer", "status", "versions"), [("y\n", 0, [1]), ("n\n", 1, [])])
def test_a_terminal_asks_once(
    run: Run,
    folder: Path,
    api: Assent,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    status: int,
    versions: list[int],
) -> None:
    monkeypatch.setattr(TERMINAL, lambda: True)
    ended = run("policies", "apply", str(folder), text=answer)
    assert ended.exit_code == status
    assert "Write this policy?" in ended.stderr
    assert [one["version"] for one in api.policies()] == versions


def test_nothing_is_written_if_any_file_is_wrong(run: Run, folder: Path, api: Assent) -> None:
    """Wrong by itself, or only for this stage."""
    other = folder / "zz.json"
    other.write_text(json.dumps(policy_body(breakGlass=["cto@other.example"])))
    refused = run("policies", "apply", str(folder), "--yes")
    assert refused.exit_code == 1
    assert f"{other}: breakGlass[0]: addresses at other.example may not be asked" in refused.stderr
    other.write_text("groups: []")
    refused = run("policies", "apply", str(folder), "--yes")
    assert refused.exit_code == 1
    assert f"{other}: groups: must have at least 1 entries\n" in refused.stderr
    assert list(api.policies()) == []


def test_what_somebody_else_wrote_meanwhile_is_kept_and_the_others_go_on(
    run: Run, folder: Path, server: InProcess, api: Assent
) -> None:
    """The version that was shown is the one that is replaced."""
    (folder / "staging.json").write_text(json.dumps(policy_body()))

    def meanwhile(call: Any) -> None:
        assert "dryRun" not in call.url
        api.put_policy(NAME, policy_body(group("others", "ada")))

    # Reading and trying both takes four calls; the fifth writes.
    server.faults = [lambda _: None] * 4 + [meanwhile]
    ended = run("policies", "apply", str(folder), "--yes")
    assert ended.exit_code == 1
    assert "(VersionConflict)" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert api.policy(NAME)["policy"]["groups"][0]["name"] == "others"
    assert api.policy("staging")["version"] == 1


def test_apply_prints_json_for_programs(run: Run, folder: Path) -> None:
    (found,) = json.loads(run("--output", "json", "policies", "apply", str(folder)).stdout)
    assert (found["name"], found["change"], found["written"]) == (NAME, "new", None)
    ended = run("--output", "json", "policies", "apply", str(folder), "--yes")
    (found,) = json.loads(ended.stdout)
    assert (found["replaces"], found["written"]) == (0, 1)


def offline(*arguments: str) -> Result:
    """Run the command without a URL, credentials or an API."""
    return CliRunner(env={"ASSENT_URL": None}).invoke(assent, list(arguments))


def test_check_needs_no_api(folder: Path) -> None:
    assert offline("policies", "list").exit_code == 2
    checked = offline("policies", "check", str(folder))
    path = folder / f"{NAME}.yaml"
    assert (checked.exit_code, checked.stdout, checked.stderr) == (0, f"{path}: ok\n", "")


GOOD = json.dumps(policy_body())


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("a.yaml", "groups: []", "groups: must have at least 1 entries"),
        ("a.yaml", f"quorum: 1\n{yaml.safe_dump(policy_body())}", "quorum: is unknown; the fields"),
        ("a.yaml", "groups: [", "is neither JSON nor YAML as a policy has it"),
        ("a.json", '{"groups": [], "groups": []}', "field groups is there twice, again in line 1"),
        ("a.yaml", "groups:\n- name: a\n  name: b\n", "field name is there twice, again in line 3"),
        ("a.yaml", "- a list", "holds no object with the fields of a policy"),
        ("a.yaml", "", "holds no object with the fields of a policy"),
        ("a.yaml", "requesters: [*@example.com]", "put a value that begins with * in quotes"),
        ("a.yaml", "description: 2026-11-26", "put a date or time in quotes"),
        ("a.yaml", b"\xff\xfe", "isn't text in UTF-8"),
        ("Not A Name.json", GOOD, "name: must have 1 to 64 lower-case letters"),
        ("a.json", json.dumps(policy_body(name="A B")), "name: must have 1 to 64 lower-case"),
        ("zz.json", json.dumps(policy_body(name=NAME)), f"name: {NAME} is the policy of "),
        (
            "a.json",
            json.dumps(policy_body(group("security", "boss"), group("operations", "boss"))),
            "groups: security, operations need 2 people together and have 1",
        ),
    ],
)  # fmt: skip
def test_check_names_file_and_field_and_goes_on(
    folder: Path, file: str, text: str | bytes, said: str
) -> None:
    """In one line each."""
    path = folder / file
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    checked = offline("policies", "check", str(folder))
    assert checked.exit_code == 1
    lines = checked.stdout.splitlines()
    assert len(lines) == 2
    assert f"{folder / NAME}.yaml: ok" in lines
    (wrong,) = [line for line in lines if line.startswith(f"{path}: ")]
    assert said in wrong
    (of_it,) = [
        one["problem"]
        for one in json.loads(offline("--output", "json", "policies", "check", str(folder)).stdout)
        if one["file"] == str(path)
    ]
    assert f"{of_it['field']}: {of_it['why']}".removeprefix(": ") in wrong


def test_a_file_may_name_its_policy_and_is_read_once(folder: Path) -> None:
    path = folder / f"{NAME}.yaml"
    path.write_text(json.dumps(policy_body(name="staging")))
    ended = offline("--output", "json", "policies", "check", str(folder), str(path))
    assert [one["name"] for one in json.loads(ended.stdout)] == ["staging"]


def test_a_folder_without_policies_is_a_mistake(tmp_path: Path) -> None:
    ended = offline("policies", "check", str(tmp_path))
    assert ended.exit_code == 2
    assert "holds no *.json, *.yaml, *.yml" in ended.stderr


def test_list_and_show_say_who_may_approve(run: Run, ports: AppPorts, api: Assent) -> None:
    assert run("policies", "list").stderr == "there are none\n"
    escalation = {"after": 60, "approvers": ["lead@example.com"], "group": "operations"}
    body = policy_body(escalation=escalation, breakGlass=["cto@example.com"], expiresIn=3_600)
    api.put_policy(NAME, body)
    ask_under(ports)
    (line,) = run("policies", "list").stdout.splitlines()[1:]
    assert line.split()[:3] == [NAME, "1", "security"]
    assert "security 1 of 2, operations 2 of 3  1 " in line
    shown = run("policies", "show", NAME).stdout
    for part in ("sam@example.com", "operations  2 of 3", "after 60 seconds for operations",
                 "cto@example.com", "3600 seconds", "everybody"):  # fmt: skip
        assert part in shown
    assert json.loads(run("--output", "json", "policies", "list").stdout)[0]["waiting"] == 1
    assert "Release 4.2" in run("list", "--policy", NAME).stdout
    assert run("list", "--policy", "another").stderr == "there are none\n"
    api.put_policy(NAME, policy_body(group("others", "ada")))
    assert "ops1@" in run("policies", "show", NAME, "--version", "1").stdout
    assert run("policies", "show", "unheard-of").exit_code == 1


def test_show_checks_whether_mail_reaches_its_people(
    run: Run, ports: AppPorts, api: Assent
) -> None:
    api.put_policy(NAME, policy_body(group("security", "sam")))
    assert run("policies", "show", NAME, "--check").exit_code == 0
    ports.mailer.foreign.add("sam@example.com")
    checked = run("policies", "show", NAME, "--check")
    assert checked.exit_code == 1
    assert "refused: ForeignSubscription" in checked.stdout
    assert "problem: group security needs 1 approval, and nobody can give one" in checked.stdout
    assert run("--output", "json", "policies", "show", NAME, "--check").exit_code == 1


def test_delete_says_what_waits_and_asks(
    run: Run, ports: AppPorts, server: InProcess, api: Assent
) -> None:
    """The version that it names is the one that is deleted."""
    api.put_policy(NAME, policy_body())
    ask_under(ports)
    refused = run("policies", "delete", NAME, text="n\n")
    assert refused.exit_code == 130
    assert "version 1? 1 request waits under it and goes on" in refused.stderr
    deleted = run("policies", "delete", NAME, "--yes")
    assert (deleted.exit_code, deleted.stdout.count("goes on")) == (0, 1)
    assert server.sent[-1].url.endswith(f"/policies/{NAME}?replaces=1")
    assert list(api.policies()) == []
    assert run("policies", "delete", NAME, "--yes").exit_code == 1


def test_what_others_wrote_is_shown_as_text(run: Run, server: InProcess, folder: Path) -> None:
    """In each command that shows it."""
    policy = policy_body({"name": HOSTILE, "approvers": [HOSTILE]}, description=HOSTILE)
    found = {"name": HOSTILE, "version": 1, "policy": policy, "writtenBy": HOSTILE,
             "writtenAt": "2026-11-22T09:00:00Z", "problems": [HOSTILE],
             "people": [{"approver": HOSTILE, "subscription": HOSTILE}]}  # fmt: skip
    one = json.dumps(found).encode()
    listed = json.dumps({"policies": [found], "next": None}).encode()
    for body, arguments in (
        (listed, ("list",)),
        (one, ("show", NAME)),
        (one, ("apply", str(folder))),
    ):
        server.faults = [lambda call, body=body: answer_of(call, 200, body, {})]  # type: ignore[misc]
        printed = run("policies", *arguments).stdout
        assert "gnp.exe" in printed
        assert not {"\x1b", "\u202e", "\r", "\x07"} & set(printed)


def test_the_policy_that_the_documentation_shows_is_taken(
    run: Run, folder: Path, api: Assent
) -> None:
    """By the check without an API, and by the API."""
    path = folder / f"{NAME}.yaml"
    path.write_text(snippet("Policies in files", 0, of=2))
    assert offline("policies", "check", str(folder)).stdout == f"{path}: ok\n"
    assert run("policies", "apply", str(folder), "--yes").exit_code == 0
    assert api.policy(NAME)["policy"]["escalation"]["group"] == "operations"


def test_the_workflow_that_the_documentation_shows_runs_the_check(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = yaml.safe_load(snippet("Policies in files", 1, of=2))
    last = workflow["jobs"]["check"]["steps"][-1]["run"].split()
    assert last[0] == "assent"
    monkeypatch.chdir(folder.parent)
    assert offline(*last[1:]).stdout == f"policies/{NAME}.yaml: ok\n"


def test_show_says_for_which_group_an_approval_counts(
    run: Run, folder: Path, ports: AppPorts
) -> None:
    """And who may approve alone, and that nobody can approve it any more."""
    change(folder, breakGlass=["cto@example.com"])
    run("policies", "apply", str(folder), "--yes")
    ask_under(ports)
    (approval,) = ports.store.waiting_under(NAME, ports.now(), 10)[0]
    decide(ports, "ops1@example.com")
    shown = run("show", approval.id).stdout
    assert f"policy     {NAME}, version 1" in shown
    assert "security 0 of 1, operations 1 of 2; 1 decided" in shown
    assert "approved for operations on" in shown
    assert "may approve alone" in shown
    decide(ports, "cto@example.com", break_glass=True)
    assert "approved alone (break-glass) on" in run("show", approval.id).stdout


def test_a_request_is_asked_under_a_policy_and_listed_by_its_groups(
    run: Run, folder: Path, ports: AppPorts
) -> None:
    """By an option; a list, an export and the head of `show` say that one person approved alone."""
    change(folder, breakGlass=["cto@example.com"])
    run("policies", "apply", str(folder), "--yes")
    assert run("start", "--subject", "Release 5", "--policy", NAME).exit_code == 0
    (started,) = ports.executions.inputs.values()
    assert json.loads(started) == {"policy": NAME, "subject": "Release 5"}
    ask_under(ports)
    assert "security 0 of 1" in run("list", "--policy", NAME).stdout
    decide(ports, "cto@example.com", break_glass=True)
    assert "approved alone (break-glass)" in run("list", "--outcome", "approved").stdout
    header, row = run("export", "--from", "2026-11-01").stdout.splitlines()
    assert header.endswith("executionArn,policy,policyVersion,groups,breakGlass")
    assert row.endswith(f'{NAME},1,"security 0 of 1, operations 0 of 2",yes')


def test_who_may_not_write_policies_is_told_what_is_needed(
    run: Run, folder: Path, server: InProcess
) -> None:
    """API Gateway's own words don't say it."""

    def forbidden(request: Any) -> Any:
        return answer_of(request, 403, b'{"Message": "User: x is not authorized"}', {})

    run("policies", "apply", str(folder), "--yes")
    change(folder, rejectionsNeeded=2)
    for command, faults in (
        (("apply", str(folder), "--yes"), [forbidden]),
        (("apply", str(folder), "--yes"), [lambda _: None, forbidden]),
        (("delete", NAME, "--yes"), [lambda _: None, forbidden]),
    ):
        server.faults = list(faults)
        ended = run("policies", *command)
        assert ended.exit_code != 0
        assert "writing policies needs the stack's PolicyAuthorPolicyArn" in ended.stderr
