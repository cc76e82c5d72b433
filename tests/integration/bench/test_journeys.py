"""The journeys that are priced: each is taken to its outcome, and costs what it has to."""

from datetime import timedelta

import pytest

from bench.measured_journeys import Step
from bench.price import journey_steps
from bench.tick import approval_table

LISTS = ("list of 50",)
"""What reads more, up to its limit, the more is stored."""


def mails(steps: list[Step]) -> int:
    """Return how many mails these steps sent."""
    return sum(step["calls"].get("Publish", 0) for step in steps)


@pytest.mark.parametrize(
    ("journey", "sent"),
    [
        ("one approver", 1),
        ("one approver, and a requester who is mailed", 2),
        ("three of five, two reminders", 14),
        ("fifty for one approver, in bulk", 50),
    ],
)
def test_a_journey_sends_its_mails_and_ends_each_task_once(journey: str, sent: int) -> None:
    """Its price would be another's otherwise."""
    with approval_table() as table:
        steps = journey_steps(table, journey)
    assert mails(steps) == sent
    closed = sum(step["calls"].get("SendTaskSuccess", 0) for step in steps)
    assert closed == (50 if "fifty" in journey else 1)
    assert steps[-1]["verb"] == "execution ended"


def test_no_verb_reads_more_because_more_is_stored() -> None:
    """Lists excepted, which have a limit."""
    found = []
    for stored in (1, 120):
        with approval_table() as table:
            table.write(stored, timedelta(days=300))
            found.append(journey_steps(table, "each verb"))
    few, many = found
    for one, other in zip(few, many, strict=True):
        if one["verb"] not in LISTS:
            assert (one["verb"], one["calls"]) == (other["verb"], other["calls"])
            assert (one["reads"], one["writes"]) == (other["reads"], other["writes"])
