import json
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest

from tools.sandbox.emulator import HOST, free_port
from tools.sandbox.inbox import Inbox, answer
from tools.sandbox.inbox_pages import linked
from tools.sandbox.mailbox import Mailbox

ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """Give a mailbox with three mails, of which one is up to no good."""
    file = tmp_path / "mail.jsonl"
    mails = [
        (ADA, "First", "Hello\n\n  https://example.com/approve/abc.def\n"),
        (GRACE, "<b>bold</b>", '<script>alert(1)</script> & "quotes"'),
        (ADA, "Second", "Again"),
    ]
    file.write_text(
        "".join(
            json.dumps({"to": to, "subject": s, "text": t, "receivedAt": "2026-11-22T10:00:00Z"})
            + "\n"
            for to, s, t in mails
        )
    )
    return Mailbox(file)


def test_messages_of_one_address_come_oldest_first(mailbox: Mailbox) -> None:
    """Tests read the mails of one approver in the order they were sent."""
    found = json.loads(answer(f"/messages?to={ADA}", mailbox, ()).body)["messages"]
    assert [m["subject"] for m in found] == ["First", "Second"]
    assert set(found[0]) == {"id", "to", "subject", "text", "receivedAt"}
    assert found[0]["text"] == "Hello\n\n  https://example.com/approve/abc.def\n"


def test_messages_without_an_address_are_everybodys(mailbox: Mailbox) -> None:
    """All of it, each with an id of its own."""
    found = json.loads(answer("/messages", mailbox, ()).body)["messages"]
    assert [m["to"] for m in found] == [ADA, GRACE, ADA]
    assert len({m["id"] for m in found}) == 3


def test_an_address_is_found_in_whatever_case_and_encoding(mailbox: Mailbox) -> None:
    """Mail addresses are compared case-insensitively everywhere."""
    assert (
        len(json.loads(answer("/messages?to=ADA%40Example.com", mailbox, ()).body)["messages"]) == 2
    )


def test_a_line_still_being_written_is_not_read(tmp_path: Path) -> None:
    """The emulator appends while we read."""
    file = tmp_path / "mail.jsonl"
    line = '{"to": "a@b.c", "subject": "s", "text": "t", "receivedAt": "2026"}\n'
    file.write_text(line + line[:10])
    mailbox = Mailbox(file)
    assert [m.id for m in mailbox.messages()] == ["1"]
    file.write_text(line + line)
    assert [m.id for m in mailbox.messages()] == ["1", "2"]


def test_whatever_is_mailed_is_escaped(mailbox: Mailbox) -> None:
    """Subjects and texts are anybody's: no tag of theirs reaches a page."""
    for path in ("/", f"/?to={GRACE}", "/mail/2"):
        page = answer(path, mailbox, ()).body
        assert "&lt;b&gt;bold&lt;/b&gt;" in page
        assert "<b>" not in page
        assert "<script" not in page


def test_links_can_be_clicked_and_nothing_else_can() -> None:
    """A link ends where its address ends, and can't break out of its attribute."""
    html = linked('See https://example.com/a?b=1&c=2. Or (http://x.example/y), not javascript:x "')
    assert 'href="https://example.com/a?b=1&amp;c=2"' in html
    assert "</a>. Or" in html
    assert 'href="http://x.example/y"' in html
    assert "</a>), not javascript:x &quot;" in html
    assert html.count("href=") == 2
    assert "onclick" not in linked('https://x.example/"onclick="alert(1)').split(">", 1)[0]


def test_the_list_is_newest_first_and_knows_people_without_mail(mailbox: Mailbox) -> None:
    """A page for people: the latest on top, everybody in the row of names."""
    page = answer("/", mailbox, ("linus@example.com",)).body
    assert page.index("Second") < page.index("First")
    assert "linus@example.com" in page
    assert 'http-equiv="refresh"' in page


@pytest.mark.parametrize("path", ["/mail/99", "/mail/", "/mail/../1", "/nothing"])
def test_what_is_not_there_answers_404(mailbox: Mailbox, path: str) -> None:
    """A page says so, for whatever else is asked."""
    assert answer(path, mailbox, ()).status is HTTPStatus.NOT_FOUND


def test_the_server_serves_on_loopback_and_ends(mailbox: Mailbox) -> None:
    """A whole request: JSON with its type, and the port free again afterwards."""
    port = free_port(None, "--inbox-port")
    with (
        Inbox(HOST, port, mailbox, ()),
        urllib.request.urlopen(f"http://{HOST}:{port}/messages", timeout=5) as found,
    ):
        assert found.headers["Content-Type"] == "application/json"
        assert len(json.loads(found.read())["messages"]) == 3
    assert free_port(port, "--inbox-port") == port
