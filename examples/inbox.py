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
    if example.assent is None:
        raise ToolError("there is no Assent beside the example: set NEEDS_ASSENT")
    query = urllib.parse.urlencode({"to": approver})
    url = f"{example.assent['inbox']}/messages?{query}"
    with urllib.request.urlopen(url, timeout=30) as response:  # noqa: S310  # our own, on loopback
        messages: list[MessageJson] = json.load(response)["messages"]
    return [mail for mail in messages if f"Approval needed: {subject}" in mail["subject"]]


def decide(mail: MessageJson, decision: Decision, reason: str = "") -> None:
    """Submit the form behind the mail's link for this decision."""
    (link,) = re.findall(rf"^http\S+/{decision}/\S+$", mail["text"], re.MULTILINE)
    form = urllib.parse.urlencode({"reason": reason}).encode()
    urllib.request.urlopen(link, form, timeout=30).close()  # noqa: S310  # our own, on loopback
