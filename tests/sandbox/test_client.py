"""The command `assent` against the deployed API, signed by the operator."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.sandbox.client import Sandbox, press
from tools.sandbox.state import operator_variables

DOCTOR = Path(__file__).parents[2] / "docs" / "doctor-policy.json"


def environment(sandbox: Sandbox, keys: dict[str, str]) -> dict[str, str]:
    """Return the variables of a shell in which these keys act."""
    return os.environ | operator_variables({**sandbox.state, "operator": keys})


def assent(sandbox: Sandbox, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
    """Start the command as an operator does."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.Popen(
        [sys.executable, "-m", "assent_client", *arguments],
        env=environment(sandbox, sandbox.state["operator"]),
        text=True,
        **streams,
    )


def ended(sandbox: Sandbox, *arguments: str) -> tuple[int, str, str]:
    """Return the exit status, the output and the errors of a command."""
    with assent(sandbox, *arguments) as command:
        out, said = command.communicate(timeout=60)
        return command.returncode, out, said


def asking(subject: str) -> tuple[str, ...]:
    """Return the arguments that ask Ada, and wait."""
    return ("start", "--subject", subject, "--approver", "ada@example.com", "--wait")


def test_an_approval_from_start_to_outcome(sandbox: Sandbox) -> None:
    """`--wait` says who has decided, and ends with the outcome as its exit status."""
    subject = "Asked by a command"
    with assent(sandbox, *asking(subject)) as waiting:
        press(sandbox.link("ada@example.com", subject), "all green")
        name, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, said
    assert "ada@example.com: approve" in said
    assert "all green" in ended(sandbox, "show", "--execution", name.strip())[1]


def test_a_rejection_is_another_exit_status(sandbox: Sandbox) -> None:
    subject = "Asked by a command, in vain"
    with assent(sandbox, *asking(subject)) as waiting:
        press(sandbox.link("ada@example.com", subject, "reject"), "not today")
        waiting.communicate(timeout=60)
    assert waiting.returncode == 1


def test_who_stops_waiting_is_told_that_the_request_still_waits(sandbox: Sandbox) -> None:
    """Ctrl-C ends the command and not the request."""
    subject = "Asked by a command that ends early"
    with assent(sandbox, *asking(subject)) as waiting:
        sandbox.link("ada@example.com", subject)
        waiting.send_signal(signal.SIGINT)
        name, said = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert said.splitlines()[-1] == (
        f"the request still waits; see: assent show --execution {name.strip()}"
    )
    assert sandbox.execution(name.strip())["status"] == "RUNNING"


def test_addresses_with_odd_characters_are_signed_as_they_are_sent(sandbox: Sandbox) -> None:
    """A signature differs easily where a path or a query is encoded."""
    status, out, said = ended(sandbox, "approvers", "show", "o'brien+x@example.com")
    assert (status, said) == (0, "")
    assert "o'brien+x@example.com" in out
    assert ended(sandbox, "list", "--outcome", "approved", "--limit", "1")[0] == 0


def test_a_terminal_shows_who_has_decided_live(sandbox: Sandbox) -> None:
    """In place: the name on standard output, what changes on the terminal."""
    subject = "Asked from a terminal"
    ours, theirs = pty.openpty()
    with assent(sandbox, *asking(subject), stderr=theirs) as waiting:
        os.close(theirs)
        shown = b""
        while b"0 of 1 approvals" not in shown:
            shown += os.read(ours, 4_096)
        press(sandbox.link("ada@example.com", subject), "fine")
        while chunk := _read(ours):
            shown += chunk
        waiting.wait(timeout=60)
    os.close(ours)
    text = shown.decode()
    assert waiting.returncode == 0
    assert subject in text
    assert "approved\x1b" in text.splitlines()[-2]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4_096)
    except OSError:  # Linux's way of saying that nobody writes there any more.
        return b""


def test_doctor_needs_its_policy_beside_the_operators(sandbox: Sandbox) -> None:
    """With both nothing is unknown; the demo's alarms have no topic."""
    iam = sandbox.client("iam")
    iam.create_user(UserName="doctor")
    (operators,) = iam.list_attached_user_policies(UserName="operator")["AttachedPolicies"]
    made = iam.create_policy(PolicyName="doctor", PolicyDocument=DOCTOR.read_text("utf-8"))
    for arn in (operators["PolicyArn"], made["Policy"]["Arn"]):
        iam.attach_user_policy(UserName="doctor", PolicyArn=arn)
    key = iam.create_access_key(UserName="doctor")["AccessKey"]
    keys = {"accessKeyId": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}
    done = subprocess.run(
        [sys.executable, "-m", "assent_client", "--output", "json", "doctor"],
        env=environment(sandbox, keys),
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert [one for one in found if one["state"] == "unknown"] == []
    ours = ("alarms", "dead letters", "approvers", "tick")  # what other tests do shows in these
    assert [one for one in found if one["state"] == "wrong" and one["part"] not in ours] == []
    assert "they notify nobody" in [one["said"] for one in found]
    assert done.returncode == 1


def test_a_reader_that_has_enough_ends_it_quietly(sandbox: Sandbox) -> None:
    """As `assent list | head -1` does."""
    with assent(sandbox, "list", "--outcome", "approved") as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert "Traceback" not in listing.stderr.read()
