"""Twenty approvers press at once, over HTTP, against real Lambda processes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.client import Answer, Sandbox, press

CROWD = [f"crowd{number}@example.com" for number in range(20)]


@pytest.fixture(scope="module", autouse=True)
def crowd(sandbox: Sandbox) -> None:
    """Register them all, so that mail reaches them at once."""
    for person in CROWD:
        assert sandbox.call("PUT", f"/approvers/{person}").status == 200


def test_one_of_twenty_decisions_makes_the_outcome(sandbox: Sandbox) -> None:
    """Approve and reject mixed: the task is resumed once, and every answer shows the outcome."""
    name = sandbox.start(subject="Crowd", approvers=CROWD)
    links = [
        sandbox.link(person, "Crowd", "reject" if number % 2 else "approve")
        for number, person in enumerate(CROWD)
    ]
    answers = _at_once(links)
    found = sandbox.ended(name)
    approval = found["approval"]
    assert approval["outcome"] == found["outcome"]
    assert len(sandbox.decisions(name)) == 1
    assert [event["what"] for event in approval["events"]].count("resumed") == 1
    assert {answer.status for answer in answers} == {200, 409}
    for answer in answers:
        assert answer.json["approval"]["outcome"] == found["outcome"]


def test_a_quorum_counts_each_decision_once(sandbox: Sandbox) -> None:
    """All twenty are needed and come at once: none is lost, and the last one resumes the task."""
    name = sandbox.start(subject="Everybody", approvers=CROWD, approvalsNeeded="all")
    answers = _at_once([sandbox.link(person, "Everybody") for person in CROWD])
    assert {answer.status for answer in answers} == {200}
    found = sandbox.ended(name)
    assert found["outcome"] == "approved"
    assert len(found["output"]["decisions"]) == 20


def test_an_approver_who_presses_twenty_times_decides_once(sandbox: Sandbox) -> None:
    """Approve and reject mixed from one approver: the first is final."""
    name = sandbox.start(subject="Nervous", approvers=CROWD[:3], approvalsNeeded=2)
    links = [sandbox.link(CROWD[0], "Nervous", choice) for choice in ("approve", "reject")] * 10
    _at_once(links)
    approval = sandbox.execution(name)["approval"]
    assert len(sandbox.decisions(name)) == 1
    made = [event for event in approval["events"] if event["what"] in ("approved", "rejected")]
    assert len(made) == 1


def _at_once(links: list[str]) -> list[Answer]:
    with ThreadPoolExecutor(len(links)) as threads:
        return list(threads.map(lambda link: press(link, "so"), links))
