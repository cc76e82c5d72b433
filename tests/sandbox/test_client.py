"""The command `assent` against the deployed API, signed by the operator."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.sandbox.client import Sandbox, press

CLIENT = Path(__file__).parents[2] / "client"


def assent(sandbox: Sandbox, *arguments: str) -> "subprocess.Popen[str]":
    """Start the command as an operator does."""
    operator, aws = sandbox.state["operator"], sandbox.state["aws"]
    return subprocess.Popen(
        [sys.executable, "-m", "assent_client", *arguments],
        env=os.environ
        | {
            "PYTHONPATH": str(CLIENT),
            "ASSENT_URL": sandbox.state["api"],
            "AWS_ACCESS_KEY_ID": operator["accessKeyId"],
            "AWS_SECRET_ACCESS_KEY": operator["secretAccessKey"],
            "AWS_REGION": aws["region"],
            "AWS_DEFAULT_REGION": aws["region"],
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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


def test_a_reader_that_has_enough_ends_it_quietly(sandbox: Sandbox) -> None:
    """As `assent list | head -1` does."""
    with assent(sandbox, "list", "--outcome", "approved") as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert "Traceback" not in listing.stderr.read()
