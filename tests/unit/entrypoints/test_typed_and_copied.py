"""What people type, paste and copy is taken as they meant it, at every way in."""

import json
from urllib.parse import quote, urljoin, urlsplit

import pytest

from chalicelib.domain.link_tokens import hide_tokens
from tests.unit.entrypoints.client import ADA, BROWSER, JSON, AppClient, AppPorts, new_link
from tests.unit.entrypoints.functions import deliver, invoke
from tests.unit.entrypoints.pages import GRACE, PAGES, fields_of, path_of, request_by_mary
from tests.unit.presentation.parsed_page import Page
from tests.unit.steps import mailed_code, other_code, stored

COPIED = [
    "", ".", ")", ">", ").", "%20", "%3E", "%0a", "%2E", ",%20", "*", "%E2%80%A6", "%C2%A0", "/",
    "./",
]  # fmt: skip
"""What mail programs, chat programs and sentences put behind a link."""


@pytest.mark.parametrize("behind", COPIED)
@pytest.mark.parametrize("page", PAGES)
def test_a_link_opens_however_it_was_copied(
    client: AppClient, ports: AppPorts, page: str, behind: str
) -> None:
    """By GET and HEAD, and its button works there too; the log has the id and no token."""
    approval_id = request_by_mary(ports)
    path = path_of(ports, page)
    secret = path.partition(".")[2]
    shouted = f"/{page}/{path.rpartition('/')[2].upper()}"
    ports.logged.clear()
    for copied in (path + behind, shouted + behind):
        assert client.get(copied, BROWSER).status == 200
        assert client.head(copied, BROWSER).status == 200
    assert client.post_form(shouted + behind, **fields_of(ports, page)).status == 200
    assert {line["approvalId"] for line in ports.logged if "method" in line} == {approval_id}
    assert secret not in json.dumps(ports.logged).lower()


@pytest.mark.parametrize("path", ["/", *(f"/{page}{end}" for page in PAGES for end in ("", "/"))])
def test_a_link_cut_before_its_token_is_answered_as_any_bad_link(
    client: AppClient, path: str
) -> None:
    """In the same words, to browsers and to programs."""
    cut, bad = client.get(path, BROWSER), client.get("/approve/wrong", BROWSER)
    assert (cut.status, bad.status) == (404, 404)
    assert Page(cut.text).text("p").split("reference")[0] in Page(bad.text).text("p")
    assert "open it again from the mail" in cut.text
    assert client.get(path, JSON).json["code"] == "NotFound"
    assert client.head(path, BROWSER).status == 404


@pytest.mark.parametrize("behind", ["", "/", ")", "./", "%20/"])
@pytest.mark.parametrize("page", PAGES)
def test_every_link_on_a_page_works_wherever_the_page_was_opened(
    client: AppClient, ports: AppPorts, page: str, behind: str
) -> None:
    """Also on the pages that a press of the button shows."""
    request_by_mary(ports)
    path = path_of(ports, page) + behind
    again = fields_of(ports, page) | {"reason": "x" * 2_001, "note": "x" * 2_001}
    sent = {name: text for name, text in again.items() if name in fields_of(ports, page)}
    shown = [
        client.get(path, BROWSER),
        client.post_form(path, **sent),
        client.post_form(path, **fields_of(ports, page)),
    ]
    assert {response.status for response in shown} <= {200, 400}
    assert ("<a " in shown[0].text) == (page != "cancel")
    for response in shown:
        links = [str(link["href"]) for link in Page(response.text).all("a")]
        for link in (one for one in links if not one.startswith("#")):
            target = urlsplit(urljoin(f"https://example.com{path}", link))
            opened = client.get(target.path, BROWSER)
            assert opened.status in (200, 410), target.path
            assert target.path.count("/") == 2


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html;q=0", False), ("text/html; q=0.0, */*", False), ("text/html ;Q=0", False),
        ("text/html;q=0, application/json", False), ("text/html;q=0.1", True),
        ("application/json;q=0", True), ("application/json;q=0, text/html", True),
        ("application/json;q=0.9, text/html;q=0", False), ("text/html;level=1;q=0.5", True),
        ("text/html;q=0.001", True),
    ],
)  # fmt: skip
def test_a_media_type_of_weight_zero_is_refused(
    client: AppClient, ports: AppPorts, accept: str, page: bool
) -> None:
    """RFC 9110: a weight of 0 means "not acceptable"."""
    assert client.get(f"/approve/{new_link(ports)}", accept).is_page is page


PASTED = "Budget\x0bis\u2028 1250\u202c \u2068ok\u2069\x03\x1b"
SHOWN = "Budget\nis\n 1250 ok"


@pytest.mark.parametrize("by", ["page", "json", "queue", "function"])
def test_a_pasted_reason_decides_by_every_way_in(
    client: AppClient, ports: AppPorts, by: str
) -> None:
    """By queue it would otherwise become a dead letter, which its writer never sees."""
    token = new_link(ports)
    message = {"token": token, "decision": "reject", "reason": PASTED}
    match by:
        case "page":
            assert client.post_form(f"/reject/{token}", reason=PASTED).status == 200
        case "json":
            assert client.post_json(f"/reject/{token}", {"reason": PASTED}).status == 200
        case "queue":
            deliver("decision_from_queue", message)
        case _:
            invoke("record_decision", message)
    (approval,) = ports.store._all()
    assert approval.approvers[0].decision is not None
    assert approval.approvers[0].decision.reason == SHOWN
    assert not ports.dead_letters.letters


def test_a_pasted_note_and_address_reassign(client: AppClient, ports: AppPorts) -> None:
    request_by_mary(ports)
    sent = {"to": f"\u200b {GRACE}\u2069\u00a0", "note": PASTED}
    assert client.post_form(path_of(ports, "reassign"), **sent).status == 200
    (approval,) = ports.store._all()
    assert approval.approver(GRACE).note == SHOWN


def _spellings(code: str) -> list[str]:
    wide = "".join(chr(0xFF10 + int(digit)) for digit in code)
    circled = "".join("⓪①②③④⑤⑥⑦⑧⑨"[int(digit)] for digit in code)
    arabic = "".join(chr(0x0660 + int(digit)) for digit in code)
    return [
        code, wide, circled, arabic, f"{code[:3]}-{code[3:]}", f"{code[:3]}\u2013{code[3:]}",
        f"\u200b{code}", f" {code[:3]}\u00a0{code[3:]} ",
        f"\u202a{code}\u202c.", f"code: {code}", ".".join(code),
    ]  # fmt: skip


@pytest.mark.parametrize("spelling", range(11))
def test_a_code_is_read_in_every_spelling(
    client: AppClient, ports: AppPorts, spelling: int
) -> None:
    """In any width and script, with hyphens, blanks and invisible characters."""
    token = new_link(ports, codeRequired=True)
    code = _spellings(mailed_code(ports))[spelling]
    assert client.post_form(f"/approve/{token}", code=code).status == 200
    other = new_link(ports, "another" * 90, codeRequired=True)
    wrong = _spellings(other_code(mailed_code(ports)))[spelling]
    assert client.post_form(f"/approve/{other}", code=wrong).status == 403


@pytest.mark.parametrize(
    "typed", ["12345", "1234567", "x", "\u200b", "\ud83d", "٧٠٩", "²", "١٢٣-١٢", "0" * 1_000]
)
def test_a_code_without_six_digits_is_refused_and_not_counted(
    client: AppClient, ports: AppPorts, typed: str
) -> None:
    """400 by its field; nobody is locked out by a slip."""
    token = new_link(ports, codeRequired=True)
    before = ports.snapshot()
    for page in ("approve", "reject", "reassign"):
        sent = {"to": GRACE} if page == "reassign" else {"reason": "x"}
        refused = client.post_json(f"/{page}/{token}", sent | {"code": typed})
        assert refused.status == 400
        assert refused.json.get("field", "code") == "code" or typed == "\ud83d"
    assert ports.snapshot() == before


def test_an_operators_addresses_may_have_blanks_around_them(
    client: AppClient, ports: AppPorts
) -> None:
    """In a body and in a path."""
    approval_id = request_by_mary(ports)
    client.post_json(f"/approvals/{approval_id}/remind", {"by": " grace@Example.com\n"})
    assert stored(ports, approval_id).events[-1].who == GRACE
    answered = client.get(f"/approvers/{quote(f' {ADA} ')}", JSON)
    assert answered.json["approver"] == ADA
    assert client.request("DELETE", f"/approvers/{quote(f' {ADA}')}").status == 204
    assert client.get(f"/approvers/{ADA}").json["subscription"] == "none"


@pytest.mark.parametrize("spelled", ["{}", "{}.", "<{}>", "{}%20", "{}/"])
def test_every_spelling_of_a_token_is_hidden(ports: AppPorts, spelled: str) -> None:
    """In lower and upper case, and with a dot that is percent-encoded."""
    token = new_link(ports)
    secret = token.partition(".")[2]
    encoded = token.replace(".", "%2e")
    for text in (token, token.upper(), encoded, encoded.upper()):
        hidden = hide_tokens(spelled.format(text))
        assert secret not in hidden.lower()
        assert token.partition(".")[0] in hidden.lower()


def test_a_dead_letter_holds_no_token_in_upper_case(ports: AppPorts) -> None:
    """And names its approval."""
    token = new_link(ports)
    message = {"token": f"{token.upper()}.", "decision": "reject", token.upper(): 1}
    deliver("decision_from_queue", message)
    (letter,) = ports.dead_letters.letters
    assert letter["approvalId"] == token.partition(".")[0]
    assert token.partition(".")[2] not in json.dumps([letter, ports.logged]).lower()
