"""Policies, deployed: written by their author alone, raced, asked under, changed and deleted."""

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.sandbox.client import Answer, Sandbox, http, press, until

PEOPLE = [f"policy-{name}@example.com" for name in ("sam", "sue", "ops1", "ops2", "ops3", "cto")]
SAM, SUE, OPS1, OPS2, OPS3, CTO = PEOPLE
GROUPS: list[dict[str, Any]] = [
    {"name": "security", "approvers": [SAM, SUE]},
    {"name": "operations", "approvers": [OPS1, OPS2, OPS3], "approvalsNeeded": 2},
]
"""One of security and two of operations."""


class Author:
    """A user with the policy authors' policy, who writes policies of names of their own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox.with_user("author", "PolicyAuthorPolicyArn")

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return self._sandbox.call(method, path, body, who="author")

    def write(self, **fields: Any) -> str:
        """Write a policy of that content and return its name."""
        name = f"policy-{time.time_ns()}"
        written = self.call("PUT", f"/policies/{name}", {"groups": GROUPS, **fields})
        assert written.status == 200, written
        return name


@pytest.fixture(scope="module")
def author(sandbox: Sandbox) -> Author:
    """Register everybody, so that mail reaches them at once, and make the author."""
    for person in PEOPLE:
        assert sandbox.call("PUT", f"/approvers/{person}").status == 200
    return Author(sandbox)


def ask(sandbox: Sandbox, policy: str, subject: str, **fields: Any) -> str:
    """Start an execution that asks under a policy; return its name."""
    started = sandbox.call("POST", "/executions", {"subject": subject, "policy": policy, **fields})
    assert started.status == 201, started
    name: str = started.json["execution"]
    return name


def test_a_policy_is_written_by_its_author_alone(sandbox: Sandbox, author: Author) -> None:
    """An operator reads it; its author starts and steers nothing."""
    name = author.write()
    assert sandbox.call("GET", f"/policies/{name}").json["version"] == 1
    assert name in [one["name"] for one in sandbox.call("GET", "/policies").json["policies"]]
    for method in ("PUT", "DELETE"):
        assert sandbox.call(method, f"/policies/{name}", {"groups": GROUPS}).status == 403
    for method, path in (
        ("POST", "/executions"),
        ("GET", "/approvals"),
        ("PUT", f"/approvers/{SAM}"),
        ("POST", "/console/sessions"),
    ):
        assert author.call(method, path, {}).status == 403, path
    reader = sandbox.with_user("policy-reader", "ReadOnlyPolicyArn")
    assert reader.call("GET", f"/policies/{name}", who="policy-reader").status == 200
    assert reader.call("DELETE", f"/policies/{name}", who="policy-reader").status == 403


def test_each_group_needs_its_count(sandbox: Sandbox, author: Author) -> None:
    """The result says who counted for which group, under which version, and what was shown."""
    name, subject = author.write(), "Release by groups"
    execution = ask(sandbox, name, subject, details={"Version": "4.2.0", "Risky": False})
    for person in (OPS1, OPS2, OPS3):
        page = http("GET", sandbox.link(person, subject), headers={"Accept": "text/html"}).text
        assert "needs 1 of 2 in security and 2 of 3 in operations" in page
    answers = [press(sandbox.link(person, subject)) for person in (OPS1, OPS2, OPS3)]
    assert [answer.json["approval"]["outcome"] for answer in answers] == ["pending"] * 3
    waiting = sandbox.call("GET", f"/approvals?policy={name}").json["approvals"]
    assert [one["waitsFor"] for one in waiting] == [[SAM, SUE]]
    press(sandbox.link(SUE, subject))
    result = sandbox.ended(execution)["output"]
    assert result["outcome"] == "approved"
    assert result["policy"] == {"name": name, "version": 1}
    assert [(one["name"], one["approvals"]) for one in result["groups"]] == [
        ("security", 1),
        ("operations", 2),
    ]
    counted = {one["approver"]: one.get("group") for one in result["decisions"]}
    assert (counted[SUE], list(counted.values()).count("operations")) == ("security", 2)
    asked = {"details": {"Version": "4.2.0", "Risky": False}, "policy": result["policy"]}
    assert result["shown"] == _hash(asked | {"subject": subject})
    assert sandbox.call("GET", f"/approvals?policy={name}").json["approvals"] == []


def _hash(shown: object) -> str:
    """Return the SHA-256 of canonical JSON, made without Assent's code."""
    text = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def test_of_writers_at_once_one_writes(sandbox: Sandbox, author: Author) -> None:
    """Ten Lambda processes: one version more, and 409 for the others."""
    name = author.write()

    def write(number: int) -> Answer:
        body = {"groups": GROUPS, "expiresIn": 3_600 + number}
        return author.call("PUT", f"/policies/{name}?replaces=1", body)

    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(write, range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 9
    (won,) = [answer.json for answer in answers if answer.status == 200]
    assert sandbox.call("GET", f"/policies/{name}").json == {**won, "waiting": 0}
    assert won["version"] == 2


def test_what_waits_keeps_the_policy_that_it_was_asked_under(
    sandbox: Sandbox, author: Author
) -> None:
    """Though it is changed, and then deleted; nothing new is asked under it."""
    name, subject = author.write(), "Release under an old version"
    execution = ask(sandbox, name, subject)
    links = [sandbox.link(person, subject) for person in (SAM, OPS1, OPS2)]
    only_sam = {"groups": [{"name": "security", "approvers": [SAM]}]}
    assert author.call("PUT", f"/policies/{name}", only_sam).json["version"] == 2
    assert author.call("DELETE", f"/policies/{name}").status == 204
    refused = sandbox.call("POST", "/executions", {"subject": "x", "policy": name})
    assert (refused.status, refused.json["field"]) == (400, "policy")
    assert press(links[0]).json["approval"]["outcome"] == "pending", "by version 2 it would end"
    press(links[1])
    press(links[2])
    result = sandbox.ended(execution)["output"]
    assert (result["outcome"], result["policy"]["version"]) == ("approved", 1)
    assert sandbox.call("GET", f"/policies/{name}?version=1").status == 200


def test_one_person_approves_alone_and_everybody_is_told(sandbox: Sandbox, author: Author) -> None:
    """With a reason; the result and the record are marked."""
    name, subject = author.write(breakGlass=[CTO]), "Release in an emergency"
    execution = ask(sandbox, name, subject)
    link = sandbox.link(CTO, subject)
    assert press(link, "x").status == 400
    assert press(link, breakGlass="yes").status == 400
    assert sandbox.execution(execution)["status"] == "RUNNING"
    assert press(link, "Checkout is down", breakGlass="yes").status == 200
    result = sandbox.ended(execution)["output"]
    assert (result["outcome"], result["breakGlass"]) == ("approved", True)
    approval = sandbox.execution(execution)["approval"]
    report = sandbox.call("GET", f"/approvals/{approval['id']}?format=text").text
    assert f"{CTO} approved alone (break-glass)" in report
    for person in (SAM, SUE, OPS1, OPS2, OPS3):
        told = partial(sandbox.mails, person, f"Approved alone: {subject}")
        (mail,) = until(told, bool, seconds=150)
        assert "Checkout is down" in mail["text"]


def test_everybody_of_all_groups_presses_at_once(sandbox: Sandbox, author: Author) -> None:
    """One resume; each group has its count in the result, whatever the order."""
    name, subject = author.write(), "Release in a crowd"
    execution = ask(sandbox, name, subject)
    links = [sandbox.link(person, subject) for person in PEOPLE[:5]]
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(press, links))
    assert {answer.status for answer in answers} == {200}
    found = sandbox.ended(execution)
    assert [one["approvals"] for one in found["output"]["groups"]] == [1, 2]
    events = [event["what"] for event in found["approval"]["events"]]
    assert events.count("resumed") == 1


def test_a_request_that_nobody_could_approve_is_refused(sandbox: Sandbox, author: Author) -> None:
    """Its requester is all of a group."""
    name = author.write(groups=[{"name": "security", "approvers": [SAM]}])
    body = {"subject": "Mine", "policy": name, "requestedBy": SAM}
    refused = sandbox.call("POST", "/executions", body)
    assert (refused.status, refused.json["code"]) == (400, "Undecidable")
    assert f"{SAM} (asks, and may not approve their own request)" in refused.json["message"]


def test_a_browser_approves_alone(sandbox: Sandbox, author: Author, browser: Browser) -> None:
    """The page asks for the reason; with one its button approves."""
    name, subject = author.write(breakGlass=[SAM]), "Release from a browser"
    execution = ask(sandbox, name, subject)
    page = browser.new_page()
    page.goto(sandbox.link(SAM, subject))
    page.get_by_role("button", name="Approve alone").click()
    assert "please say why" in page.get_by_role("alert").inner_text()
    page.get_by_label("Reason").fill("Nobody of operations answers")
    page.get_by_role("button", name="Approve alone").click()
    assert page.get_by_role("heading", level=1).inner_text() == "You approved this"
    assert sandbox.ended(execution)["output"]["breakGlass"] is True
    page.close()
