"""Link tokens: each is bound to one approver and one approval, and only its hash is stored."""

import base64
import hashlib
import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.domain.approval import Approval, Choice
from chalicelib.domain.errors import NotFound
from chalicelib.domain.link_tokens import (
    SECRET_BYTES,
    MailSecrets,
    approval_id,
    approver_of,
    decision_secret,
    digest,
    hide_tokens,
    link,
    read_token,
    secret,
    unknown_link,
)
from chalicelib.domain.validation import check_request
from tests.builders import approval_of, new_approval, people, request_body
from tests.fakes import TOKEN
from tests.unit.strategies import many

ALPHABET = string.ascii_lowercase + "234567"
LONGEST_URL = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com/api"
SECRETS = [secret(bytes([n]) * SECRET_BYTES) for n in range(3)]


def _approval(token: str = TOKEN) -> Approval:
    """Return an approval with three approvers, whose links have SECRETS."""
    approval = new_approval(check_request(request_body(approvers=people(3)), ("*",)), token)
    hashed = (
        replace(approver, link_hashes=(digest(s),))
        for approver, s in zip(approval.approvers, SECRETS, strict=True)
    )
    return replace(approval, approvers=tuple(hashed))


def _find(approval: Approval, token: str) -> str:
    """Return the address of the token's approver, found as the use cases find it."""
    wanted, presented = read_token(token)
    if wanted != approval.id:
        raise unknown_link()
    return approver_of(approval, presented).address


def test_the_same_task_token_gives_the_same_id() -> None:
    """A request delivered twice finds its approval; another token gives another id."""
    assert approval_id(TOKEN) == approval_id(TOKEN)
    assert approval_id(TOKEN) != approval_id(TOKEN + "x")
    assert TOKEN[:8].lower() not in approval_id(TOKEN)


@given(st.text(min_size=1, max_size=2048))
def test_an_id_has_26_lower_case_letters_and_digits(token: str) -> None:
    """Mail programs break none of them, whatever the task token holds."""
    assert len(approval_id(token)) == 26
    assert set(approval_id(token)) <= set(ALPHABET)


@given(st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES))
def test_a_secret_keeps_all_its_random_bits(random: bytes) -> None:
    """160 bits are 32 characters of base32."""
    made = secret(random)
    assert len(made) == 32
    assert set(made) <= set(ALPHABET)
    assert sum(32**i * ALPHABET.index(c) for i, c in enumerate(reversed(made))) == int.from_bytes(
        random
    )


@pytest.mark.parametrize("who", [0, 1, 2])
def test_a_link_finds_the_approver_it_was_made_for(who: int) -> None:
    approval = _approval()
    choices: tuple[Choice, ...] = ("approve", "reject")
    for choice in choices:
        url = link(LONGEST_URL, choice, approval.id, SECRETS[who])
        start, _, token = url.rpartition("/")
        assert start == f"{LONGEST_URL}/{choice}"
        assert _find(approval, token) == people(3)[who]


def test_a_link_is_short_and_has_no_character_that_mail_programs_break() -> None:
    """Under 150 characters with the longest public URL; no query string, no upper case."""
    url = link(LONGEST_URL, "approve", approval_id(TOKEN), SECRETS[0])
    assert len(url) < 150
    assert set(url.removeprefix("https://")) <= set(string.ascii_lowercase + string.digits + "./-")


def _refusal(approval: Approval, token: str) -> tuple[str, int, str | None]:
    with pytest.raises(NotFound) as refusal:
        _find(approval, token)
    return refusal.value.message, refusal.value.status, refusal.value.field


def test_a_token_altered_anywhere_gets_the_same_not_found() -> None:
    """Every other character at every place, and every shorter token: a stranger learns nothing."""
    approval = _approval()
    token = f"{approval.id}.{SECRETS[1]}"
    assert _find(approval, token) == people(3)[1]
    altered = [
        token[:at] + other + token[at + 1 :]
        for at in range(len(token))
        for other in (*ALPHABET, "A", "0", ".", "/", "é", "\n", "")
        if other.lower() != token[at]
    ]
    altered += [token[:end] for end in range(len(token))]
    altered += [token + more for more in ("a", "0", ".a", "%2", "%zz", token)]
    altered += [
        f" {token}",
        f"{SECRETS[1]}.{approval.id}",
        f"{approval.id}.",
        ".",
        "",
    ]
    assert {_refusal(approval, one) for one in altered} == {
        (
            "This link leads nowhere: it may be cut short, or its request has been deleted. Please "
            "open it again from the mail.",
            404,
            None,
        )
    }


def test_the_secret_of_another_approval_is_not_found() -> None:
    other = secret(b"o" * SECRET_BYTES)
    assert _refusal(_approval(), f"{approval_id(TOKEN)}.{other}") == _refusal(_approval(), "x")


def test_a_stored_hash_finds_no_approver() -> None:
    """A copy of the table opens no page."""
    approval = _approval()
    for approver in approval.approvers:
        for stored in approver.link_hashes:
            with pytest.raises(NotFound):
                approver_of(approval, stored)


def test_the_links_of_every_mail_find_the_same_approver() -> None:
    approval = _approval()
    older, newer = secret(b"1" * SECRET_BYTES), secret(b"2" * SECRET_BYTES)
    first = msgspec.structs.replace(
        approval.approvers[0], link_hashes=(digest(older), digest(newer))
    )
    both = msgspec.structs.replace(approval, approvers=(first, *approval.approvers[1:]))
    assert approver_of(both, older) == approver_of(both, newer) == first
    with pytest.raises(NotFound):
        approver_of(both, SECRETS[0])


def test_the_stored_hash_is_the_sha256_of_the_secret() -> None:
    approval = _approval()
    stored = msgspec.json.encode(approval).decode()
    for made in SECRETS:
        assert made not in stored
        assert digest(made) in stored
        assert (
            base64.urlsafe_b64decode(digest(made) + "=") == hashlib.sha256(made.encode()).digest()
        )


def test_no_representation_of_a_mails_secrets_holds_one() -> None:
    secrets = MailSecrets(SECRETS[0], "123456")
    for secret_ in (secrets.inbox, secrets.decision, secrets.code):
        assert secret_ not in f"{secrets!r}{secrets!s}"


def test_the_inbox_secret_can_not_be_found_from_the_decision_link() -> None:
    """The decision link's secret is derived from it, one way."""
    secrets = MailSecrets(SECRETS[0], "123456")
    assert secrets.decision == decision_secret(SECRETS[0])
    assert len({secrets.inbox, secrets.decision, decision_secret(secrets.decision)}) == 3


def test_an_approver_who_was_mailed_nothing_is_never_found() -> None:
    approval = approval_of(1)
    bare = msgspec.structs.replace(approval.approvers[0], link_hashes=())
    with pytest.raises(NotFound):
        approver_of(msgspec.structs.replace(approval, approvers=(bare,)), SECRETS[0])


@many
@given(st.one_of(st.text(max_size=80), st.from_regex(r"[a-z2-7]{20,30}\.[a-z2-7]{28,36}")))
def test_any_text_in_a_url_is_a_token_or_not_found(text: str) -> None:
    """A token that is only guessed finds no approver."""
    try:
        wanted, presented = read_token(text)
    except NotFound:
        return
    assert f"{wanted}.{presented}" == text
    with pytest.raises(NotFound):
        approver_of(_approval(), presented)


@given(st.lists(st.sampled_from([f"{approval_id('x')}.{SECRETS[0]}", ".", "x", " ", SECRETS[0]])))
def test_hiding_tokens_leaves_the_ids_of_their_approvals(parts: list[str]) -> None:
    """In logs and dead letters the id says which approval it was, and opens nothing."""
    text = hide_tokens(" ".join(parts))
    assert SECRETS[0] not in text.replace(f" {SECRETS[0]}", "").removeprefix(SECRETS[0])
    assert text.count(approval_id("x")) == sum("." in part and len(part) > 1 for part in parts)
