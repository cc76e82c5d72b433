"""The check of a policy: what is refused, and by which field."""

from typing import Any

import pytest

from chalicelib.domain.errors import InvalidRequest, Undecidable
from chalicelib.domain.policy import check_name
from chalicelib.domain.policy_check import check_policy
from tests.policies import group, policy_body

DOMAINS = ("example.com",)


def test_a_policy_of_groups_alone_has_the_documented_defaults() -> None:
    """One rejection ends it, with a reason; nobody may approve alone."""
    policy = check_policy(policy_body(), DOMAINS)
    assert policy.rejections_needed == 1
    assert policy.reason_required == "onReject"
    assert not any((policy.code_required, policy.allow_self_approval, policy.break_glass))
    assert (policy.expires_in, policy.remind_every, policy.escalation) == (None, None, None)
    assert policy.may_ask("anybody@example.org")


def test_what_people_write_is_trimmed_and_domains_are_in_lower_case() -> None:
    """As in a request."""
    body = policy_body(
        {"name": " security ", "approvers": [" Sam@EXAMPLE.com "]},
        description=" For releases. ",
        requesters=[" *@Example.COM ", "x@EXAMPLE.org"],
    )
    policy = check_policy(body, DOMAINS)
    assert policy.description == "For releases."
    assert (policy.groups[0].name, policy.groups[0].approvers) == (
        "security",
        ("Sam@example.com",),
    )
    assert policy.requesters == ("*@example.com", "x@example.org")
    assert policy.may_ask("anybody@EXAMPLE.com")
    assert not policy.may_ask("anybody@sub.example.com")
    assert not policy.may_ask("")


MANY = [f"p{n}" for n in range(40)]
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"groups": []}, "groups"),
    ({"groups": [group(f"g{n}", "a", f"b{n}") for n in range(11)]}, "groups"),
    ({"groups": [group("a", "x"), group("A", "y")]}, "groups[1].name"),
    ({"groups": [group(" ", "x")]}, "groups[0].name"),
    ({"groups": [group("a\nb", "x")]}, "groups[0].name"),
    ({"groups": [group("www.evil.example", "x")]}, "groups[0].name"),
    ({"groups": [group("evil\uff0ecom", "x")]}, "groups[0].name"),
    ({"groups": [group("o\u200bps", "x")]}, "groups[0].name"),
    ({"groups": [group("caf\u00e9", "x"), group("cafe\u0301", "y")]}, "groups[1].name"),
    ({"groups": [group("a b", "x"), group("a  b", "y")]}, "groups[1].name"),
    ({"groups": [group("n" * 41, "x")]}, "groups[0].name"),
    ({"groups": [group("a")]}, "groups[0].approvers"),
    ({"groups": [group("a", "x", "X")]}, "groups[0].approvers[1]"),
    ({"groups": [group("a", "x", needed=2)]}, "groups[0].approvalsNeeded"),
    ({"groups": [group("a", "x", needed=0)]}, "groups[0].approvalsNeeded"),
    ({"groups": [group("a", "x") | {"quorum": 1}]}, "groups[0].quorum"),
    ({"groups": [{"name": "a", "approvers": ["x@other.example"]}]}, "groups[0].approvers[0]"),
    ({"groups": [group("a", *MANY)], "breakGlass": ["one@example.com"]}, "groups"),
    ({"groups": [group(f"g{n}", *MANY) for n in range(3)]}, "groups"),
    ({"requesters": ["*@"]}, "requesters[0]"),
    ({"requesters": ["*"]}, "requesters[0]"),
    ({"rejectionsNeeded": 6}, "rejectionsNeeded"),
    ({"expiresIn": 59}, "expiresIn"),
    ({"remindEvery": 60}, "remindEvery"),
    ({"reasonRequired": "sometimes"}, "reasonRequired"),
    ({"breakGlass": ["cto@example.com", "CTO@example.com"]}, "breakGlass[1]"),
    ({"breakGlass": ["cto@other.example"]}, "breakGlass[0]"),
    ({"escalation": {"after": 60, "approvers": ["x@example.com"]}}, "escalation.group"),
    (
        {"escalation": {"after": 60, "approvers": ["x@example.com"], "group": "nobody"}},
        "escalation.group",
    ),
    (
        {"escalation": {"after": 60, "approvers": ["sam@example.com"], "group": "operations"}},
        "escalation.approvers[0]",
    ),
    (
        {
            "expiresIn": 60,
            "escalation": {"after": 60, "approvers": ["x@example.com"], "group": "security"},
        },
        "escalation.after",
    ),
    ({"name": "production"}, "name"),
    ({"approvers": ["ada@example.com"]}, "approvers"),
    ({"description": "\u202e"}, "description"),
]


@pytest.mark.parametrize(("fields", "field"), WRONG, ids=lambda part: str(part)[:60])
def test_a_wrong_policy_is_refused_by_field(fields: dict[str, Any], field: str) -> None:
    """The error names the field, and the message begins with it."""
    with pytest.raises(InvalidRequest) as refused:
        check_policy(policy_body() | fields, DOMAINS)
    assert refused.value.field == field
    assert refused.value.message.startswith(field)


@pytest.mark.parametrize("untrusted", [None, [], "policy", 7, {}])
def test_what_is_no_policy_is_refused(untrusted: object) -> None:
    """A policy is an object with groups."""
    with pytest.raises(InvalidRequest):
        check_policy(untrusted, DOMAINS)


def test_groups_that_share_too_few_people_are_undecidable() -> None:
    """Each has enough people of its own, but an approval counts in one group."""
    body = policy_body(group("security", "boss"), group("operations", "boss"))
    with pytest.raises(Undecidable, match="operations can't reach its count") as refused:
        check_policy(body, DOMAINS)
    assert refused.value.as_json()["code"] == "Undecidable"


def test_fallback_approvers_do_not_make_up_for_a_group() -> None:
    """They are asked later; who is asked first must be enough, or it ends before."""
    groups = (group("security", "boss"), group("operations", "boss"))
    escalation = {"after": 60, "approvers": ["lead@example.com"], "group": "operations"}
    with pytest.raises(Undecidable):
        check_policy(policy_body(*groups, escalation=escalation), DOMAINS)
    assert check_policy(policy_body(escalation=escalation), DOMAINS).escalation_group == 1


@pytest.mark.parametrize("name", ["R&D", "Sécurité (2)", "काम", "運用", "C++ team", "it's_us"])
def test_a_group_may_have_a_name_of_any_script(name: str) -> None:
    assert check_policy(policy_body(group(name, "x")), DOMAINS).groups[0].name == name


def test_a_count_without_a_fraction_is_a_number() -> None:
    """As everywhere on the wire."""
    body = policy_body(group("a", "x", "y", needed=2.0))  # type: ignore[arg-type]
    assert check_policy(body, DOMAINS).groups[0].needed == 2


GOOD = ["a", "production-release", "0", "9-to-5", "a" * 64]
BAD = ["", "A", "Production", "a/b", "..", "a.b", "a_b", "-a", "a-", "a b", "a\n", "a" * 65, "ä"]


@pytest.mark.parametrize("name", GOOD)
def test_a_name_of_small_letters_digits_and_hyphens_is_taken(name: str) -> None:
    """One name is one policy, whatever a file system or a URL makes of it."""
    assert check_name(name) == name


@pytest.mark.parametrize("name", [*BAD, None, 7, ["a"]])
def test_another_name_is_refused(name: object) -> None:
    """By the field `policy`, and in words."""
    with pytest.raises(InvalidRequest, match="lower-case letters, digits and hyphens") as refused:
        check_name(name)
    assert refused.value.field == "policy"
