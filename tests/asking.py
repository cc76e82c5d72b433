"""Short words for tests: ask for something, answer it, with what doesn't matter filled in."""

from collections import defaultdict
from typing import Any

from chalicelib import links, workflow
from chalicelib.approval import Approval
from chalicelib.ports import Ports
from chalicelib.request import read_request
from chalicelib.rules import ask
from tests.fakes import EXECUTION, START, TOKEN

ANY_HASH = defaultdict[str, str](lambda: "a hash")
"""What is stored of a fresh link, where it doesn't matter."""


def body(**fields: Any) -> dict[str, Any]:
    """Return a request as a caller sends it: one approver, `fields` in the wire's words."""
    return {"subject": "Release 4.2", "approvers": ["ada@example.com"], **fields}


def people(number: int) -> list[str]:
    """Return that many distinct addresses."""
    return [f"approver{n}@example.com" for n in range(number)]


def an_approval(**fields: Any) -> Approval:
    """Return a pending approval as the core makes it."""
    asked = read_request(body(**fields), ("example.com",))
    hashes = {address: links.digest(address) for address in asked.approvers}
    approval_id = links.approval_id(TOKEN)
    return ask(approval_id, TOKEN, EXECUTION, asked, hashes, START, "function")


def asked(ports: Ports, task_token: str = TOKEN, **fields: Any) -> str:
    """Ask through the use case and return the approval's id."""
    question = {"taskToken": task_token, "executionArn": EXECUTION, "request": body(**fields)}
    approval_id = workflow.request(ports, question, "function")
    assert approval_id is not None
    return approval_id
