"""The page of the list: choosing shows, confirming decides, by browser and by program."""

import re
from typing import Any

import pytest

from chalicelib.application import deciding, operating
from chalicelib.application.bulk_deciding import PAGE_SIZE
from chalicelib.domain.commands import Reassign
from tests.builders import asked
from tests.unit.entrypoints.client import BROWSER, DoorPorts, Doors

ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def ids(ports: DoorPorts) -> list[str]:
    """Ask Ada about three things, and return their ids."""
    subjects = ("Release <b>4.2</b>", "Refund 17", "Hire Grace")
    return [
        asked(ports, f"token-{n}", subject=subject, expiresIn=3_600 * (n + 1))
        for n, subject in enumerate(subjects)
    ]


def path(ports: DoorPorts, address: str = ADA) -> str:
    """Return the path of that person's list."""
    return f"/mine/{ports.token_mailed_to(address, 'mine')}"


def outcomes(ports: DoorPorts, ids: list[str]) -> list[str]:
    """Return what came of each."""
    return [operating.find_approval(ports, one).outcome for one in ids]


def test_the_list_shows_what_waits_earliest_first_and_escaped(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """A checkbox each, none of them checked, and two buttons."""
    page = doors.get(path(ports))
    assert page.status == 200
    assert re.findall(r'name="chosen" value="(\w+)"', page.text) == ids
    assert "checked" not in page.text
    assert "Release &lt;b&gt;4.2&lt;/b&gt;" in page.text
    assert "3 requests wait for you" in page.text
    assert re.findall(r'name="choice" value="(\w+)"', page.text) == ["approve", "reject"]


def test_looking_changes_nothing(doors: Doors, ports: DoorPorts, ids: list[str]) -> None:
    """GET and HEAD, with whatever query a scanner makes up."""
    before = len(ports.effects.done)
    for query in ("", "?choice=approve&confirmed=yes&chosen=" + ids[0]):
        for method in ("GET", "HEAD"):
            assert doors.ask(method, path(ports) + query, accept=BROWSER).status == 200
    assert len(ports.effects.done) == before
    assert outcomes(ports, ids) == ["pending"] * 3


def test_choosing_asks_once_more_and_changes_nothing(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """The confirm page names what was chosen, and nothing else."""
    before = len(ports.effects.done)
    page = doors.form(path(ports), chosen=ids[::2], choice="reject")
    assert page.status == 200
    assert "Reject 2 requests?" in page.text
    assert "Hire Grace" in page.text
    assert "Refund 17" not in page.text
    assert "(required)" in page.text
    assert len(ports.effects.done) == before
    assert outcomes(ports, ids) == ["pending"] * 3


def test_confirming_decides_and_has_a_line_for_each(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """The others stay."""
    page = doors.form(path(ports), chosen=ids[::2], choice="reject", reason="No", confirmed="yes")
    assert page.status == 200
    assert "You rejected 2 requests" in page.text
    assert page.text.count("Rejected. The request was rejected on") == 2
    assert outcomes(ports, ids) == ["rejected", "pending", "rejected"]
    assert doors.get(path(ports)).text.count('name="chosen"') == 1


def test_a_reason_that_is_missing_is_asked_for_on_the_same_page(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """400, still chosen, nothing decided."""
    page = doors.form(path(ports), chosen=ids, choice="reject", confirmed="yes")
    assert page.status == 400
    assert "Please say why" in page.text
    assert re.findall(r'name="chosen" value="(\w+)"', page.text) == ids
    assert outcomes(ports, ids) == ["pending"] * 3


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"choice": "approve"}, "Please choose at least one request"),
        ({"choice": "maybe", "chosen": "x"}, "choice"),
        ({"chosen": "x"}, "choice"),
        ({"choice": "approve", "chosen": "x"}, "You were not asked about all of these"),
        ({"choice": "approve", "chosen": "x", "confirmed": "perhaps"}, 'role="alert"'),
        ({"choice": "approve", "nonsense": "1"}, 'role="alert"'),
        ({"chosen": [str(n) for n in range(200)]}, "is not a form"),
    ],
)
def test_what_makes_no_sense_shows_the_list_again_and_says_why(
    doors: Doors, ports: DoorPorts, ids: list[str], sent: dict[str, Any], said: str
) -> None:
    """400, and nothing is decided."""
    page = doors.form(path(ports), **sent)
    assert page.status == 400
    assert said.lower() in page.text.lower()
    assert page.text.count('name="chosen"') == 3
    assert outcomes(ports, ids) == ["pending"] * 3


def test_what_was_decided_between_choosing_and_confirming_is_told(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """One of two is done; of one alone, the list says so."""
    deciding.decide(ports, ports.token_mailed_to(ADA), "reject", reason="No", via="page")
    look = doors.form(path(ports), chosen=ids[1:], choice="approve")
    assert "Approve 1 request?" in look.text
    assert "1 of the chosen no longer waits" in look.text
    page = doors.form(path(ports), chosen=ids[1:], choice="approve", confirmed="yes")
    assert "You approved 1 of 2 requests" in page.text
    assert "You have decided on this already" in page.text
    again = doors.form(path(ports), chosen=[ids[2]], choice="approve")
    assert again.status == 409
    assert "None of these waits for you any more" in again.text


def test_what_takes_a_code_stands_in_the_list_without_a_box(doors: Doors, ports: DoorPorts) -> None:
    """A link alone doesn't decide it, here neither."""
    coded = asked(ports, codeRequired=True)
    page = doors.get(path(ports))
    assert "code from its own mail" in page.text
    assert 'name="chosen"' not in page.text
    assert "<button" not in page.text
    done = doors.form(path(ports), chosen=coded, choice="approve", confirmed="yes")
    assert "You approved 0 of 1 request" in done.text
    assert outcomes(ports, [coded]) == ["pending"]


def test_an_empty_list_says_so(doors: Doors, ports: DoorPorts) -> None:
    """After the last decision, by the same link."""
    asked(ports)
    link = path(ports)
    deciding.decide(ports, ports.token_mailed_to(ADA), "approve", reason="", via="page")
    page = doors.get(link)
    assert page.status == 200
    assert "Nothing waits for your decision" in page.text
    assert "<button" not in page.text


def test_a_long_list_leads_on(doors: Doors, ports: DoorPorts) -> None:
    """The next page begins where this one ends; a place that is none is refused."""
    for n in range(PAGE_SIZE + 1):
        asked(ports, f"token-{n}", expiresIn=3_600 + n)
    first = doors.get(path(ports))
    assert first.text.count('name="chosen"') == PAGE_SIZE
    (place,) = re.findall(r'href="\?after=([^"]+)"', first.text)
    second = doors.get(f"{path(ports)}?after={place}")
    assert second.text.count('name="chosen"') == 1
    assert "after=" not in second.text
    assert doors.get(f"{path(ports)}?after=x' OR 1").status == 400


def test_programs_get_and_send_the_same_as_json(
    doors: Doors, ports: DoorPorts, ids: list[str]
) -> None:
    """Without `confirmed` nothing is decided."""
    link = path(ports)
    seen = doors.get(link, accept="application/json").json
    assert [one["id"] for one in seen["approvals"]] == ids
    assert (seen["approver"], seen["next"]) == (ADA, None)
    body: dict[str, Any] = {"choice": "approve", "chosen": ids[:2]}
    refused = doors.json(link, body)
    assert (refused.status, refused.json["field"]) == (400, "confirmed")
    done = doors.json(link, body | {"confirmed": "yes"})
    assert done.json["decided"] == [{"id": one, "outcome": "approved"} for one in ids[:2]]
    again = doors.json(link, body | {"confirmed": "yes"})
    assert again.json == done.json
    other = doors.json(link, body | {"confirmed": "yes", "choice": "reject", "reason": "No"})
    assert [one["error"]["code"] for one in other.json["decided"]] == ["AlreadyDecided"] * 2
    assert outcomes(ports, ids) == ["approved", "approved", "pending"]


def test_a_dead_list_is_a_plain_page(doors: Doors, ports: DoorPorts) -> None:
    """Reassigned 410, unknown 404; nothing of what waits is told."""
    one = asked(ports, subject="Secret plan")
    link = path(ports)
    operating.change(ports, one, Reassign(from_=ADA, to=GRACE), by="op", via="api")
    for method in ("GET", "POST"):
        dead = doors.ask(method, link, accept=BROWSER)
        assert dead.status == 410
        assert "Secret plan" not in dead.text
    assert doors.get(f"/mine/{'a' * 26}.{'a' * 32}").status == 404
