"""The check without an API agrees with the API's own: what is refused, and by which field."""

from typing import Any

import pytest
from assent_client.policy_rules import _NOTHING_VISIBLE, find_name_problem, find_problem
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.policy import check_name
from chalicelib.domain.policy_check import check_policy
from chalicelib.domain.texts import is_blank
from tests.policies import group, policy_body
from tests.unit.domain.test_policy_check import BAD, DOMAINS, GOOD, MANY, WRONG

FALLBACK = {"after": 60, "approvers": ["lead@example.com"], "group": "operations"}
OF_A_STAGE = "x@other.example", "cto@other.example"
"""Addresses in domains that only a stage refuses."""
BY_FIELD = [fields for fields, _ in WRONG if not any(one in str(fields) for one in OF_A_STAGE)]
MORE: list[Any] = [
    None,
    [],
    7,
    {},
    {"groups": None},
    {"groups": [7]},
    {"groups": [{"name": "a"}]},
    {"groups": [{"approvers": ["x@example.com"]}]},
    {"zz": 1, "groups": []},
    {"groups": [group("")]},
    policy_body(group("a", "x", needed=1.0)),  # type: ignore[arg-type]
    policy_body(group("a", "x", needed="all")),
    policy_body(group("a", "x", needed="most")),
    policy_body(group("a", "x", needed=True)),
    policy_body(group("a", *MANY, "one")),
    policy_body(group("\u200b", "x")),
    policy_body(group("\ud800", "x")),
    policy_body(group("Stra\u00dfe", "x"), group("STRASSE", "y")),
    policy_body(group("a", "x", "y"), rejectionsNeeded=2.0),
    policy_body(rejectionsNeeded=1.5),
    policy_body(rejectionsNeeded=True),
    policy_body(rejectionsNeeded="all"),
    policy_body(description=None),
    policy_body(description="two\nlines\tand a tab"),
    policy_body(description="x" * 501),
    policy_body(requesters=["a"]),
    policy_body(requesters=[" *@Example.COM ", "x@EXAMPLE.org"]),
    policy_body(requesters=[1]),
    policy_body(requesters=[f"r{n}@example.com" for n in range(21)]),
    policy_body(codeRequired=1),
    policy_body(allowSelfApproval=None),
    policy_body(reasonRequired=None),
    policy_body(expiresIn=None, remindEvery=None, escalation=None),
    policy_body(expiresIn=31_536_001),
    policy_body(expiresIn="1d"),
    policy_body(breakGlass=["cto@example.com"]),
    policy_body(breakGlass="cto@example.com"),
    policy_body(escalation=FALLBACK),
    policy_body(escalation=FALLBACK | {"after": 60.0}),
    policy_body(escalation=FALLBACK | {"after": 59}),
    policy_body(escalation=FALLBACK | {"group": None}),
    policy_body(escalation=FALLBACK | {"group": " operations"}),
    policy_body(escalation=FALLBACK | {"approvers": ["lead@example.com", "Lead@Example.com "]}),
    policy_body(escalation=FALLBACK | {"who": 1}),
    policy_body(escalation={"after": 60}),
    policy_body(escalation={}),
    policy_body(group("a", "x"), escalation={"after": 60, "approvers": ["y@example.com"]}),
    policy_body(group("a", "boss"), group("b", "boss")),
    policy_body(group("a", "boss"), group("b", "boss"), escalation=FALLBACK | {"group": "b"}),
    policy_body(group("a", "x", "y", needed=2), group("b", "y", "z"), group("c", "z", "x")),
]


def field_refused_by_the_api(document: Any) -> str | None:
    """Return the field by which the API refuses a document; None if it takes it."""
    try:
        check_policy(document, ("*",))
    except InvalidRequest as e:
        return e.field or ""
    return None


def agree(document: Any) -> None:
    """Assert that both checks take the document, or refuse it by the same field."""
    found = find_problem(document)
    assert (found and found.field) == field_refused_by_the_api(document)


@pytest.mark.parametrize(
    "document",
    [*MORE, policy_body(), *(policy_body() | fields for fields in BY_FIELD)],
    ids=lambda document: ascii(document)[:70],
)
def test_both_checks_agree(document: Any) -> None:
    agree(document)


def test_what_only_a_stage_refuses_passes() -> None:
    """Its mail domains aren't known without it."""
    document = policy_body(group("a", "x"), breakGlass=["cto@other.example"])
    assert find_problem(document) is None
    with pytest.raises(InvalidRequest):
        check_policy(document, DOMAINS)


PEOPLE = [f"{one}@example.com" for one in "abcdef"]
GROUPS = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from(["a", "b", "c", "d", "A", " b "]),
            "approvers": st.lists(st.sampled_from(PEOPLE), max_size=4),
        },
        optional={"approvalsNeeded": st.one_of(st.integers(0, 4), st.just("all"))},
    ),
    max_size=4,
)
ESCALATION = st.fixed_dictionaries(
    {"after": st.integers(59, 70), "approvers": st.lists(st.sampled_from([*PEOPLE, "g@x.org"]))},
    optional={"group": st.sampled_from(["", "a", "b", "z"])},
)


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries(
        {"groups": GROUPS},
        optional={
            "escalation": st.one_of(st.none(), ESCALATION),
            "expiresIn": st.one_of(st.none(), st.integers(59, 80)),
            "rejectionsNeeded": st.integers(0, 7),
            "breakGlass": st.lists(st.sampled_from(PEOPLE), max_size=3),
            "reasonRequired": st.sampled_from(["always", "sometimes"]),
        },
    )
)
def test_both_checks_agree_on_anything(document: Any) -> None:
    agree(document)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True), st.integers(1, 3)),
        min_size=1,
        max_size=5,
    )
)
def test_both_checks_agree_on_which_groups_can_be_filled(
    sizes: list[tuple[list[str], int]],
) -> None:
    groups = [
        group(f"g{at}", *people, needed=min(needed, len(people)))
        for at, (people, needed) in enumerate(sizes)
    ]
    agree(policy_body(*groups))


def test_the_same_characters_have_no_look() -> None:
    """In every plane that has any."""
    for code in (*range(0x20000), *range(0xE0000, 0xE1000)):
        character = chr(code)
        assert bool(_NOTHING_VISIBLE.fullmatch(character)) == is_blank(character), hex(code)


@pytest.mark.parametrize("name", [*GOOD, *BAD, None, 7])
def test_both_checks_agree_on_a_name(name: Any) -> None:
    try:
        check_name(name)
    except InvalidRequest:
        assert find_name_problem(name) is not None
    else:
        assert find_name_problem(name) is None
