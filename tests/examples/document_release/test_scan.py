"""What is found, what isn't, and that nothing found is repeated in clear."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from examples.document_release.chalicelib.scan import (
    KEPT,
    REACH,
    Finding,
    UnreadableError,
    look,
    scan,
)
from examples.document_release.chalicelib.split import MARGIN, Chunk, chunks

# Numbers that card brands and the IBAN registry publish for tests, and AWS's documentation's key.
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
    """Return what kinds of thing are found in a text."""
    return [finding.kind for finding in scan(whole(text))]


def refusal(chunk: Chunk) -> str | None:
    """Return why a chunk can't be read, or None."""
    try:
        scan(chunk)
    except UnreadableError as e:
        return str(e)
    return None


@pytest.mark.parametrize(("kind", "secret"), EACH)
@pytest.mark.parametrize("around", ["{}", "see {}, and", "\n{}\n", "({})", "„{}“", "x\t{} 123"])
def test_each_is_found_wherever_it_stands(kind: str, secret: str, around: str) -> None:
    """Alone, in a sentence, in brackets; before a number such as a card's other code."""
    assert kinds(around.format(secret)) == [kind]


@pytest.mark.parametrize(("kind", "secret"), [(k, s) for k, s in EACH if k != "private key"])
def test_none_is_repeated_in_clear(kind: str, secret: str) -> None:
    """What is written down about a finding is a mask: at most six of its characters in a row."""
    (finding,) = scan(whole(secret))
    given_away = finding.mask.partition("@")[0] if kind == "e-mail address" else finding.mask
    hidden = secret.partition("@")[0] if kind == "e-mail address" else secret
    plain = "".join(character for character in hidden if character.isalnum())
    shown = "".join(character for character in given_away if character.isalnum())
    assert len(shown) <= max(6, len(plain) // 4)
    assert len(plain) == 1 or plain not in given_away


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
def test_what_only_looks_alike_is_not_found(text: str) -> None:
    """A wrong check digit, length or brand is some other number."""
    assert kinds(text) == []


def test_two_that_touch_are_two() -> None:
    """One after the other, separated by what separates groups."""
    assert kinds("4111 1111 1111 1111 5555 5555 5555 4444") == ["card number"] * 2
    assert kinds("BE68 5390 0754 7034 BE68 5390 0754 7034") == ["IBAN"] * 2
    assert kinds("a@example.com@example.org") == ["e-mail address"] * 2


def test_a_finding_says_where_it_stands() -> None:
    """By the byte of the document and the line of the chunk, both counted from 0."""
    text = "Grüße\n\nan ada@example.com\nund IBAN DE89370400440532013000"
    assert scan(whole(text)) == [
        Finding("e-mail address", text.encode().index(b"@"), 2, "a***@example.com"),
        Finding("IBAN", text.encode().index(b"DE89"), 3, "DE** **** 3000"),
    ]
    assert look(whole(text)).lines == 3


def test_all_findings_are_counted_and_the_first_are_kept() -> None:
    """A list of a million addresses is one number and ten lines."""
    looked = look(whole("ada@example.com\n" * 1_000 + CARDS[0]))
    assert looked.kinds == {"e-mail address": 1_000, "card number": 1}
    assert [finding.line for finding in looked.first] == list(range(KEPT))


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
def test_what_is_no_text_is_refused_and_not_passed(data: bytes, why: str) -> None:
    """Nothing can be found in what can't be read, which doesn't mean that nothing is in it."""
    with pytest.raises(UnreadableError, match=why):
        scan(whole(data))


@settings(deadline=None)
@given(
    pieces=st.lists(
        st.sampled_from(["plain ", "ä€🙂", b"\xff", b"\xe2", b"\x80", b"\0"]), max_size=20
    ),
    chunk_bytes=st.integers(1, 60),
)
def test_the_chunks_refuse_what_the_whole_would(
    pieces: list[str | bytes], chunk_bytes: int
) -> None:
    """The chunk that holds the first wrong byte names it; where none is wrong, none refuses."""
    document = b"".join(p if isinstance(p, bytes) else p.encode() for p in pieces) + b"."
    refusals = [refusal(chunk) for chunk in chunks([document], chunk_bytes, margin=16)]
    first = refusal(whole(document))
    assert first in refusals
    assert first is not None or set(refusals) == {None}


@pytest.mark.parametrize("character", ["é", "€", "🙂"])
def test_a_cut_through_a_character_is_no_fault(character: str) -> None:
    """A chunk ends where it ends; what is whole in the document is never refused."""
    document = (character * 400).encode()
    for chunk_bytes in range(1, 9):
        for chunk in chunks([document], chunk_bytes, margin=16):
            assert scan(chunk) == []


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
def test_the_chunks_find_what_the_whole_holds(pieces: list[str], chunk_bytes: int) -> None:
    """Each thing once, at its byte and on its line, wherever the document is cut."""
    document = "".join(pieces).replace("\0", "").encode()
    found: list[Finding] = []
    line = 0
    for chunk in chunks([document], chunk_bytes):
        found += [f._replace(line=line + f.line) for f in scan(chunk)]
        line += look(chunk).lines
    assert found == scan(whole(document))
    assert line == document.count(b"\n")


def test_the_margin_is_longer_than_what_is_looked_at() -> None:
    """What begins in a body ends in its margin."""
    assert REACH < MARGIN


LONGEST = [
    f"{'l' * 64}@{'.'.join(['d' * 63] * 4)}.{'t' * 24}",
    "RU02\u202f" + "\u202f".join("04452560040702810412345678901"),
    f"-----BEGIN {('K' * 20 + ' ') * 4}PRIVATE KEY BLOCK-----",
]


@pytest.mark.parametrize("secret", LONGEST)
def test_the_longest_of_each_kind_is_found_wherever_it_is_cut(secret: str) -> None:
    """A cut at each of its bytes: the margin is long enough, on either side."""
    (mask,) = [finding.mask for finding in scan(whole(secret))]
    for before in range(600 - len(secret.encode()) - 1, 602):
        document = " " * before + secret
        found = [f for chunk in chunks([document.encode()], 600) for f in scan(chunk)]
        assert [finding.mask for finding in found] == [mask], before
