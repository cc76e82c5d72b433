"""What `make example NAME=ask_for_approval` runs: one request is approved, one is rejected."""

import json

from examples.deployed import DeployedExample
from examples.inbox import Decision, decide, mails_about
from examples.polling import poll
from tools.echo import Echo

NEEDS_ASSENT = True
APPROVER = "ada@example.com"


def run(example: DeployedExample, echo: Echo) -> None:
    """Ask twice, approve and reject, and print how each execution ends."""
    ask(example, "Release 4.2.0 of the shop?", "approve", "Tests are green", echo)
    ask(example, "Delete the backups of 2019?", "reject", "The audit needs them", echo)


def ask(
    example: DeployedExample, question: str, decision: Decision, reason: str, echo: Echo
) -> None:
    """Start an execution, decide by the link in the mail, and print the execution's result."""
    echo(f"An execution asks: {question}")
    arn = example.start_execution({"question": question})
    mail = poll(lambda: mails_about(example, APPROVER, question), until=bool, waiting_for="mail")[
        -1
    ]
    echo(f"{APPROVER} gets a mail: {mail['subject']}")
    echo(f"and presses {decision}: {reason}")
    decide(mail, decision, reason)
    execution = example.wait_for_end(arn)
    echo(f"    {' > '.join(example.entered_states(arn))}")
    if execution["status"] == "SUCCEEDED":
        echo(f"    SUCCEEDED  {json.loads(execution['output'])['outcome']}\n")
    else:
        echo(f"    {execution['status']}  {execution['error']}: {execution['cause']}\n")
