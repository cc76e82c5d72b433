"""Findings: what is found, what isn't, and that a mask doesn't reveal it."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples.document_release.chalicelib.chunks import MARGIN, Chunk, split
from examples.document_release.chalicelib.patterns import REACH
from examples.document_release.chalicelib.scan import (
    MAX_FINDINGS,
    Finding,
    UnreadableError,
    find,
    scan,
)

# Test numbers of card brands and the IBAN registry, and the sample key of AWS's documentation.
CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\u00a01111\u00a01111\u00a01111",
    "4222222222222",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "3782 822463 10005",
    "30569309025904",
    "3056 930902 5904",
    "6011111111111117",
    "3530111333300000",
    "6304000000000000000",
    "6304 0000 0000 0000 000",
]
IBANS = [
    "DE89370400440532013000",
    "DE89 3704 0044 0532 0130 00",
    "de89 3704 0044 0532 0130 00",
    "GB82 WEST 1234 5698 7654 32",
    "BE68539007547034",
    "NO93 8601 1117 947",
    "FR1420041010050500013M02606",
    "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    "CH93-0076-2011-6238-5295-7",
    "DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00",
]
ADDRESSES = ["ada@example.com", "a.b+c%d_e-f@mail.example.co.uk", "x@a-b.io", "A@B.museum"]
KEYS = [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
]
ACCESS_KEYS = ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"]
EACH = [
    (kind, secret)
    for kind, secrets in {
        "card number": CARDS,
        "IBAN": IBANS,
        "e-mail address": ADDRESSES,
        "private key": KEYS,
        "AWS access key": ACCESS_KEYS,
    }.items()
    for secret in secrets
]


def whole(text: str | bytes) -> Chunk:
    """Return a document as one chunk."""
    data = text if isinstance(text, bytes) else text.encode()
    return Chunk(0, 0, 0, len(data), data)


def kinds(text: str) -> list[str]:
    """Return the kinds of the findings in a text."""
    return [finding.kind for finding in find(whole(text))]


def refusal(chunk: Chunk) -> str | None:
    """Return why a chunk is unreadable, or None."""
    try:
        find(chunk)
    except UnreadableError as e:
        return str(e)
    return None


@pytest.mark.parametrize(("kind", "secret"), EACH)
@pytest.mark.parametrize("around", ["{}", "see {}, and", "\n{}\n", "({})", "„{}“", "x\t{} 123"])
def test_each_is_found_in_any_surroundings(kind: str, secret: str, around: str) -> None:
    """Alone, in a sentence, in brackets; before another number such as a card's security code."""
    assert kinds(around.format(secret)) == [kind]


@pytest.mark.parametrize(("kind", "secret"), [(k, s) for k, s in EACH if k != "private key"])
def test_a_mask_does_not_reveal_the_finding(kind: str, secret: str) -> None:
    """It shows at most six of the characters, or a quarter."""
    (finding,) = find(whole(secret))
    mask = finding.mask.partition("@")[0] if kind == "e-mail address" else finding.mask
    hidden = secret.partition("@")[0] if kind == "e-mail address" else secret
    plain = "".join(character for character in hidden if character.isalnum())
    shown = "".join(character for character in mask if character.isalnum())
    assert len(shown) <= max(6, len(plain) // 4)
    assert len(plain) == 1 or plain not in mask


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit is wrong
        "4111 1111 1111 1112",
        "1234567812345670",  # right, but no brand's
        "41111111111111110",  # a digit too many
        "94111111111111111",
        "4111 11111111 1111",  # in groups that no card has
        "DE89370400440532013001",  # the check digits are wrong
        "DE8937040044053201300",  # a character too few
        "DE893704004405320130000",
        "ZZ89370400440532013000",  # no country
        "XDE89370400440532013000",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@-.1",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----",
        "AKIAIOSFODNN7EXAMPL",
        "AKIAIOSFODNN7EXAMPLES",
        "XAKIAIOSFODNN7EXAMPLE",
        "AKIAIOSFODNN7EXAMPL1",
        "2026-11-22 09:00:00 1700000000000",
        "",
    ],
)
def test_similar_text_is_not_found(text: str) -> None:
    """With a wrong check digit, length or brand it is another kind of number."""
    assert kinds(text) == []


def test_adjacent_findings_are_separate() -> None:
    """Even if the character between them is one that separates groups of digits."""
    assert kinds("4111 1111 1111 1111 5555 5555 5555 4444") == ["card number"] * 2
    assert kinds("BE68 5390 0754 7034 BE68 5390 0754 7034") == ["IBAN"] * 2
    assert kinds("a@example.com@example.org") == ["e-mail address"] * 2


def test_a_finding_has_its_offset_and_line() -> None:
    """By the byte of the document and the line of the chunk, both counted from 0."""
    text = "Grüße\n\nan ada@example.com\nund IBAN DE89370400440532013000"
    assert find(whole(text)) == [
        Finding("e-mail address", text.encode().index(b"@"), 2, "a***@example.com"),
        Finding("IBAN", text.encode().index(b"DE89"), 3, "DE** **** 3000"),
    ]
    assert scan(whole(text)).lines == 3


def test_all_findings_are_counted_and_the_first_are_kept() -> None:
    """Many findings don't make a large item."""
    scanned = scan(whole("ada@example.com\n" * 1_000 + CARDS[0]))
    assert scanned.counts == {"e-mail address": 1_000, "card number": 1}
    assert [finding.line for finding in scanned.findings] == list(range(MAX_FINDINGS))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"caf\xe9 and more", "byte 3 is no UTF-8 text"),
        ("Ä".encode("utf-16"), "byte 0 is no UTF-8 text"),
        ("4111111111111111".encode("utf-16-le"), "byte 1 is a NUL, which no text has"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "byte 10 is no UTF-8 text"),
        (b"\x1f\x8b\x08\x00gzip", "byte 1 is no UTF-8 text"),
        (b"\x80", "byte 0 is no UTF-8 text"),
    ],
)
def test_a_chunk_that_is_no_text_is_refused(data: bytes, why: str) -> None:
    """It isn't reported as a chunk without findings."""
    with pytest.raises(UnreadableError, match=why):
        find(whole(data))


@settings(deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["plain ", "ä€🙂", b"\xff", b"\xe2", b"\x80", b"\0"]), max_size=20
    ),
    chunk_bytes=st.integers(1, 60),
)
def test_chunks_are_refused_as_the_whole_document_would_be(
    pieces: list[str | bytes], chunk_bytes: int
) -> None:
    """One chunk names the first wrong byte; without a wrong byte no chunk is refused."""
    document = b"".join(p if isinstance(p, bytes) else p.encode() for p in pieces) + b"."
    refusals = [refusal(chunk) for chunk in split([document], chunk_bytes, margin=16)]
    first = refusal(whole(document))
    assert first in refusals
    assert first is not None or set(refusals) == {None}


@pytest.mark.parametrize("character", ["é", "€", "🙂"])
def test_a_split_within_a_character_is_no_fault(character: str) -> None:
    """A character that is whole in the document is never refused."""
    document = (character * 400).encode()
    for chunk_bytes in range(1, 9):
        for chunk in split([document], chunk_bytes, margin=16):
            assert find(chunk) == []


SECRETS = st.sampled_from([secret for _, secret in EACH])
GLUE = st.sampled_from(
    ["", " ", "-", "\n", "@", ".", "4", "AB12", "x" * 70, "ä", "\u00a0", "4111 "]
)


@settings(deadline=None)
@given(
    pieces=st.lists(st.one_of(SECRETS, GLUE, st.text(max_size=5)), max_size=60),
    chunk_bytes=st.integers(1, 700),
)
@example(pieces=["4111 "] * 60, chunk_bytes=7)
@example(pieces=["a@x.yz"] * 60, chunk_bytes=11)
@example(pieces=["-----BEGIN PRIVATE KEY"] * 40, chunk_bytes=13)
@example(pieces=["DE89 3704 0044 0532 0130 00 "] * 20, chunk_bytes=100)
def test_the_chunks_find_what_a_scan_of_the_whole_finds(
    pieces: list[str], chunk_bytes: int
) -> None:
    """Each finding once, with its offset and line, wherever the document is split."""
    document = "".join(pieces).replace("\0", "").encode()
    found: list[Finding] = []
    line = 0
    for chunk in split([document], chunk_bytes):
        found += [f._replace(line=line + f.line) for f in find(chunk)]
        line += scan(chunk).lines
    assert found == find(whole(document))
    assert line == document.count(b"\n")


def test_the_margin_is_longer_than_the_reach() -> None:
    """A finding that begins in a body ends in its margin."""
    assert REACH < MARGIN


LONGEST = [
    f"{'l' * 64}@{'.'.join(['d' * 63] * 4)}.{'t' * 24}",
    "RU02\u202f" + "\u202f".join("04452560040702810412345678901"),
    f"-----BEGIN {('K' * 20 + ' ') * 4}PRIVATE KEY BLOCK-----",
]


@pytest.mark.parametrize("secret", LONGEST)
def test_the_longest_of_each_kind_is_found_wherever_it_is_split(secret: str) -> None:
    """A split at each of its bytes: the margins are long enough."""
    (mask,) = [finding.mask for finding in find(whole(secret))]
    for before in range(600 - len(secret.encode()) - 1, 602):
        document = " " * before + secret
        found = [f for chunk in split([document.encode()], 600) for f in find(chunk)]
        assert [finding.mask for finding in found] == [mask], before
