"""E-mail addresses: which are allowed, and when two belong to one person."""

import pytest

from chalicelib.domain.addresses import check_address, same_person
from chalicelib.domain.errors import InvalidRequest
from tests.unit.domain.refused import MEGABYTE, SURROGATE, fit_to_send


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "ada @example.com",
        "ada@exam ple.com", "ada@example..com", "ada@.example.com", "ada@example.com.",
        "ada@example.com,eve@example.com", "a\nada@example.com",
        "ada@example.com\nBcc: eve@example.org", "ada@example.com, eve@example.com",
        "Ada <ada@example.com>", '"ada"@example.com', "ada@[127.0.0.1]", "adá@example.com",
        "ada@exämple.com", "ada@exаmple.com", "x" * 65 + "@example.com", "a@" + "x" * 250 + ".com",
        "a\x00@example.com", "ada@example.com\x00", "ada@example.com\u202e",
        SURROGATE + "@example.com", "<script>@example.com", MEGABYTE,
    ],
)  # fmt: skip
def test_only_a_plain_address_is_allowed(address: str) -> None:
    """No display name, quotes, comments, line breaks, or letters that look like others."""
    with pytest.raises(InvalidRequest) as refusal:
        check_address(address, "approver", ("*",))
    assert fit_to_send(refusal.value).field == "approver"


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\r\n", "\u00a0", "\u3000 "])
def test_blanks_around_an_address_are_dropped(blank: str) -> None:
    """From people and programs alike."""
    found = check_address(f"{blank}ada@example.com{blank}", "approver", ("example.com",))
    assert found == "ada@example.com"


def test_an_address_keeps_its_local_part_and_gets_its_domain_in_lower_case() -> None:
    """The roles' condition on `sns:Endpoint` compares letter by letter."""
    longest = "x" * 64 + "@" + ".".join(["d" * 46] * 4) + ".y"
    assert len(longest) == 254
    assert check_address("Ada@Example.COM", "approver", ("example.com",)) == "Ada@example.com"
    for address in ("Ada@example.com", "o'brien+x@example.com", longest):
        assert check_address(address, "approver", ("*",)) == address
    with pytest.raises(InvalidRequest):
        check_address(longest + "z", "approver", ("*",))


@pytest.mark.parametrize(
    "address", ["a@evil-example.com", "a@sub.example.com", "a@example.com.evil.net", "a@b.c"]
)
def test_a_mail_domain_is_compared_whole(address: str) -> None:
    """And in any case."""
    assert check_address("a@EXAMPLE.com", "approver", ("example.com",))
    with pytest.raises(InvalidRequest, match="may not be asked"):
        check_address(address, "approver", ("example.com", "example.org"))


def test_two_addresses_that_differ_in_case_belong_to_one_person() -> None:
    assert same_person("Ada@Example.com", "aDA@example.COM")
    assert not same_person("ada@example.com", "ada@example.org")
