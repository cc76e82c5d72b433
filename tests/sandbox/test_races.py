"""Twenty people press at once, over HTTP, against real processes."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.client import Answer, Sandbox, press

CROWD = [f"crowd{number}@example.com" for number in range(20)]


@pytest.fixture(scope="module", autouse=True)
def crowd(sandbox: Sandbox) -> None:
    """Register everybody, so that mail reaches them at once."""
    for person in CROWD:
        assert sandbox.call("PUT", f"/approvers/{person}").status == 200


def test_one_outcome_whoever_was_first(sandbox: Sandbox) -> None:
    """Approve and reject mixed on one approval: one resume, and the others are told."""
    name = sandbox.start(subject="Crowd", approvers=CROWD)
    links = [
        sandbox.link(person, "Crowd", "reject" if number % 2 else "approve")
        for number, person in enumerate(CROWD)
    ]
    answers = _at_once(links)
    found = sandbox.ended(name)
    approval = found["approval"]
    assert approval["outcome"] == found["outcome"]
    assert len(sandbox.votes(name)) == 1
    assert [event["what"] for event in approval["events"]].count("resumed") == 1
    assert {answer.status for answer in answers} == {200, 409}
    for answer in answers:
        assert answer.json["approval"]["outcome"] == found["outcome"]


def test_a_quorum_counts_every_vote_once(sandbox: Sandbox) -> None:
    """All twenty needed, all twenty at once: none is lost, the last one resumes."""
    name = sandbox.start(subject="Everybody", approvers=CROWD, approvalsNeeded="all")
    answers = _at_once([sandbox.link(person, "Everybody") for person in CROWD])
    assert {answer.status for answer in answers} == {200}
    found = sandbox.ended(name)
    assert found["outcome"] == "approved"
    assert len(found["output"]["decisions"]) == 20


def test_one_person_pressing_twenty_times_decides_once(sandbox: Sandbox) -> None:
    """Approve and reject mixed from the same approver: one decision stands."""
    name = sandbox.start(subject="Nervous", approvers=CROWD[:3], approvalsNeeded=2)
    links = [sandbox.link(CROWD[0], "Nervous", choice) for choice in ("approve", "reject")] * 10
    _at_once(links)
    approval = sandbox.execution(name)["approval"]
    assert len(sandbox.votes(name)) == 1
    votes = [event for event in approval["events"] if event["what"] in ("approved", "rejected")]
    assert len(votes) == 1


def _at_once(links: list[str]) -> list[Answer]:
    with ThreadPoolExecutor(len(links)) as threads:
        return list(threads.map(lambda link: press(link, "so"), links))
