"""The sandbox's inbox from an approver's side: reads mails and submits the form behind a link."""

import json
import re
import urllib.parse
import urllib.request
from typing import Literal

from examples.deployed import DeployedExample
from tools.errors import ToolError
from tools.sandbox.mailbox import MessageJson

Decision = Literal["approve", "reject"]


def mails_about(example: DeployedExample, approver: str, subject: str) -> list[MessageJson]:
    """Return the mails that ask the approver about a request whose subject starts so."""
    return mails_with(example, approver, f"Approval needed: {subject}")


def mails_with(example: DeployedExample, person: str, text: str) -> list[MessageJson]:
    """Return the mails to that person with this text in their subject."""
    if example.assent is None:
        raise ToolError("there is no Assent beside the example: set NEEDS_ASSENT")
    query = urllib.parse.urlencode({"to": person})
    url = f"{example.assent['inbox']}/messages?{query}"
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  # our own, on loopback
        messages: list[MessageJson] = json.load(response)["messages"]
    return [mail for mail in messages if text in mail["subject"]]


def decide(
    mail: MessageJson, decision: Decision, reason: str = "", *, break_glass: bool = False
) -> None:
    """Submit the form behind the mail's link for this decision; `break_glass` approves alone."""
    (link,) = re.findall(rf"^http\S+/{decision}/\S+$", mail["text"], re.MULTILINE)
    fields = {"reason": reason} | ({"breakGlass": "yes"} if break_glass else {})
    form = urllib.parse.urlencode(fields).encode()
    urllib.request.urlopen(link, form, timeout=30).close()  # noqa: S310  # our own, on loopback
