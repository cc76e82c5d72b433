"""Mail scanners open every link, often, before and after its reader: nothing may come of it."""

import pytest

from tests.builders import asked, people
from tests.unit.entrypoints.client import BROWSER, DoorPorts, Doors

AGENTS = ["", "Mozilla/5.0", "curl/8.0", "BarracudaCentral", "Slackbot-LinkExpanding 1.0"]


def scan(doors: Doors, tokens: list[str]) -> None:
    """Open every link of every mail twenty times, by GET and by HEAD."""
    for time in range(20):
        agent = AGENTS[time % len(AGENTS)]
        accept = (BROWSER, "*/*")[time % 2]
        for token in tokens:
            for choice in ("approve", "reject"):
                path = f"/{choice}/{token}"
                for method in ("GET", "HEAD"):
                    opened = doors.ask(method, path, accept=accept, User_Agent=agent)
                    assert opened.status == 200


@pytest.mark.parametrize("choice", ["approve", "reject"])
def test_opening_every_link_many_times_decides_nothing(
    doors: Doors, ports: DoorPorts, choice: str
) -> None:
    """Before the decision and after it, not a byte of the world is changed."""
    asked(ports, approvers=people(2))
    tokens = [ports.link(address) for address in people(2)]
    before = ports.world()
    scan(doors, tokens)
    assert ports.world() == before
    assert ports.executions.answers == []
    assert doors.form(f"/{choice}/{tokens[0]}", reason="r").status == 200
    after = ports.world()
    assert after != before
    scan(doors, tokens)
    assert ports.world() == after


def test_the_page_is_the_same_for_every_reader(doors: Doors, ports: DoorPorts) -> None:
    """Nobody is sniffed out by their user agent."""
    asked(ports)
    path = f"/approve/{ports.link()}"
    pages = {doors.ask("GET", path, accept=BROWSER, User_Agent=a).text for a in AGENTS}
    assert len(pages) == 1


def test_the_page_can_be_opened_with_a_query_that_a_scanner_appends(
    doors: Doors, ports: DoorPorts
) -> None:
    """What link rewriters add changes nothing."""
    asked(ports)
    before = ports.world()
    assert doors.get(f"/approve/{ports.link()}?choice=approve&utm=1", BROWSER).status == 200
    assert ports.world() == before
