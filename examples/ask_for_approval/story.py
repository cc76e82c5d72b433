"""What `make example NAME=ask_for_approval` shows: one request approved, one rejected."""

import json
from collections.abc import Callable

from examples.inbox import mails, press
from examples.scene import Scene

ASKS_ASSENT = True
APPROVER = "ada@example.com"


def tell(scene: Scene, say: Callable[[str], None]) -> None:
    """Ask two questions, decide them differently, and say where each execution ends."""
    ask(scene, "Release 4.2.0 of the shop?", "approve", "Tests are green", say)
    ask(scene, "Delete the backups of 2019?", "reject", "The audit needs them", say)


def ask(scene: Scene, question: str, choice: str, reason: str, say: Callable[[str], None]) -> None:
    """Start an execution, decide by the link in the mail, and say what the execution does then."""
    say(f"An execution asks: {question}")
    execution = scene.start({"question": question})
    mail = scene.wait(lambda: mails(scene.assent, APPROVER, question), bool, "the mail")[-1]
    say(f"{APPROVER} gets a mail: {mail['subject']}")
    say(f"and presses {choice}: {reason}")
    press(mail, choice, reason)
    ended = scene.ended(execution)
    say(f"    {' > '.join(scene.states(execution))}")
    if ended["status"] == "SUCCEEDED":
        say(f"    SUCCEEDED  {json.loads(ended['output'])['outcome']}\n")
    else:
        say(f"    {ended['status']}  {ended['error']}: {ended['cause']}\n")
