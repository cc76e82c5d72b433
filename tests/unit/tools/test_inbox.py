import json
import urllib.request
from http import HTTPStatus
from pathlib import Path

import pytest

from tools.sandbox.emulator import HOST, free_port
from tools.sandbox.inbox import Inbox, respond
from tools.sandbox.inbox_pages import with_links
from tools.sandbox.mailbox import Mailbox

ADA, GRACE = "ada@example.com", "grace@example.com"


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """Give a mailbox with three mails, one of them with hostile HTML."""
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
    """So that tests read them in the order of sending."""
    found = json.loads(respond(f"/messages?to={ADA}", mailbox, ()).body)["messages"]
    assert [m["subject"] for m in found] == ["First", "Second"]
    assert set(found[0]) == {"id", "to", "subject", "text", "receivedAt"}
    assert found[0]["text"] == "Hello\n\n  https://example.com/approve/abc.def\n"


def test_messages_without_an_address_are_all_messages(mailbox: Mailbox) -> None:
    """Each has an id of its own."""
    found = json.loads(respond("/messages", mailbox, ()).body)["messages"]
    assert [m["to"] for m in found] == [ADA, GRACE, ADA]
    assert len({m["id"] for m in found}) == 3


def test_an_address_is_found_in_any_case_and_encoding(mailbox: Mailbox) -> None:
    """Mail addresses are compared without case."""
    assert (
        len(json.loads(respond("/messages?to=ADA%40Example.com", mailbox, ()).body)["messages"])
        == 2
    )


def test_a_line_still_being_written_is_not_read(tmp_path: Path) -> None:
    """The emulator appends while the inbox reads."""
    file = tmp_path / "mail.jsonl"
    line = '{"to": "a@b.c", "subject": "s", "text": "t", "receivedAt": "2026"}\n'
    file.write_text(line + line[:10])
    mailbox = Mailbox(file)
    assert [m.id for m in mailbox.messages()] == ["1"]
    file.write_text(line + line)
    assert [m.id for m in mailbox.messages()] == ["1", "2"]


def test_mails_are_escaped(mailbox: Mailbox) -> None:
    """Anybody can write subjects and texts; none of their tags reaches a page."""
    for path in ("/", f"/?to={GRACE}", "/mail/2"):
        page = respond(path, mailbox, ()).body
        assert "&lt;b&gt;bold&lt;/b&gt;" in page
        assert "<b>" not in page
        assert "<script>alert" not in page


def test_http_addresses_become_links_and_nothing_else() -> None:
    """A link ends with its address, and can't leave its attribute."""
    html = with_links(
        'See https://example.com/a?b=1&c=2. Or (http://x.example/y), not javascript:x "'
    )
    assert 'href="https://example.com/a?b=1&amp;c=2"' in html
    assert "</a>. Or" in html
    assert 'href="http://x.example/y"' in html
    assert "</a>), not javascript:x &quot;" in html
    assert html.count("href=") == 2
    assert "onclick" not in with_links('https://x.example/"onclick="alert(1)').split(">", 1)[0]


def test_the_list_is_newest_first_and_has_approvers_without_mail(mailbox: Mailbox) -> None:
    """A script says when there is more, and the page doesn't reload under a reader."""
    page = respond("/", mailbox, ("linus@example.com",)).body
    assert page.index("Second") < page.index("First")
    assert "linus@example.com" in page
    assert 'http-equiv="refresh"' not in page
    assert 'data-seen="3"' in page


def test_a_mail_is_unread_until_it_is_opened(mailbox: Mailbox) -> None:
    """The number stands in the title and above the list; a row has sender, subject and preview."""
    page = respond("/", mailbox, ()).body
    assert "<title>Inbox (3)</title>" in page
    assert page.count('aria-label="unread"') == 3
    assert page.count('<span class="from">Assent</span>') == 3
    assert '<span class="preview">Hello https://example.com/approve/abc.def</span>' in page
    respond("/mail/1", mailbox, ())
    page = respond(f"/?to={ADA}", mailbox, ()).body
    assert "<h1>Inbox <small>1 unread</small></h1>" in page
    assert page.count('aria-label="unread"') == 1


@pytest.mark.parametrize("path", ["/mail/99", "/mail/", "/mail/../1", "/nothing"])
def test_an_unknown_path_answers_404(mailbox: Mailbox, path: str) -> None:
    """For mails and for everything else."""
    assert respond(path, mailbox, ()).status is HTTPStatus.NOT_FOUND


def test_the_server_serves_on_loopback_and_ends(mailbox: Mailbox) -> None:
    """A real request answers JSON; afterwards the port is free again."""
    port = free_port(None, "INBOX_PORT=")
    with (
        Inbox(HOST, port, mailbox, ()),
        urllib.request.urlopen(f"http://{HOST}:{port}/messages", timeout=5) as found,
    ):
        assert found.headers["Content-Type"] == "application/json"
        assert len(json.loads(found.read())["messages"]) == 3
    assert free_port(port, "INBOX_PORT=") == port
