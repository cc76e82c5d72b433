"""Mail scanners open every link, many times, before and after its reader: that changes nothing."""

import pytest

from tests.unit.entrypoints.client import BROWSER, AppClient, AppPorts
from tests.unit.entrypoints.pages import PAGES, fields_of, path_of, request_by_mary

AGENTS = ["", "Mozilla/5.0", "curl/8.0", "BarracudaCentral", "Slackbot-LinkExpanding 1.0"]
QUERIES = ["", "?choice=approve&utm=1", "?choice=approve&confirmed=yes&reason=r"]


def scan(client: AppClient, paths: list[str], statuses: set[int]) -> None:
    """Open each path twenty times by GET and HEAD, with all agents and queries."""
    for number in range(20):
        agent, query = AGENTS[number % len(AGENTS)], QUERIES[number % len(QUERIES)]
        accept = (BROWSER, "*/*")[number % 2]
        for path in paths:
            for method in ("GET", "HEAD"):
                opened = client.request(method, path + query, accept=accept, User_Agent=agent)
                assert opened.status in statuses, path


@pytest.mark.parametrize("pressed", PAGES)
def test_opening_every_link_changes_nothing(
    client: AppClient, ports: AppPorts, pressed: str
) -> None:
    """Before a button is pressed and after it, whichever page it is on."""
    request_by_mary(ports)
    paths = [path_of(ports, page) for page in PAGES]
    before = ports.snapshot()
    scan(client, paths, {200})
    assert ports.snapshot() == before
    assert ports.executions.answers == []
    pressing = client.post_form(path_of(ports, pressed), **fields_of(ports, pressed))
    assert pressing.status == 200
    after = ports.snapshot()
    assert after != before
    scan(client, paths, {200, 410})
    assert ports.snapshot() == after


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_the_same_for_every_user_agent(
    client: AppClient, ports: AppPorts, page: str
) -> None:
    """Nobody is treated as a scanner."""
    request_by_mary(ports)
    path = path_of(ports, page)
    pages = {client.request("GET", path, accept=BROWSER, User_Agent=a).text for a in AGENTS}
    assert len(pages) == 1
