"""Groups: the assignment of approvals against brute force, and the outcome that it makes."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.groups import assign
from chalicelib.domain.standings import counted_in, standings
from chalicelib.domain.transitions import decide, tally
from tests.fakes import START
from tests.policies import approval_under, approved, group, policy_version
from tests.unit.strategies import many

Case = tuple[list[int], list[list[int]]]


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    """Draw what up to four groups need, and the groups of up to six people."""
    needs = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    own = st.lists(st.integers(0, len(needs) - 1), max_size=3, unique=True).map(sorted)
    return needs, draw(st.lists(own, max_size=6))


def _best(needs: list[int], memberships: list[list[int]]) -> tuple[int, int]:
    """Return how many groups, and then how many places, can be filled, by trying everything."""
    best = (0, 0)
    for choice in product(*([None, *own] for own in memberships)):
        counts = [choice.count(g) for g in range(len(needs))]
        taken = [min(count, need) for count, need in zip(counts, needs, strict=True)]
        full = sum(count >= need for count, need in zip(counts, needs, strict=True))
        best = max(best, (full, sum(taken)))
    return best


@many
@given(case=_cases())
def test_the_most_groups_are_filled_and_then_the_most_places(case: Case) -> None:
    """As brute force finds; nobody counts twice, outside their groups, or beyond the need."""
    needs, memberships = case
    counted = assign(needs, memberships)
    counts = [list(counted.values()).count(g) for g in range(len(needs))]
    assert all(g in memberships[person] for person, g in counted.items())
    assert all(count <= need for count, need in zip(counts, needs, strict=True))
    full = sum(count == need for count, need in zip(counts, needs, strict=True))
    assert (full, sum(counts)) == _best(needs, memberships)


@given(case=_cases(), data=st.data())
def test_the_order_of_decisions_makes_no_difference(case: Case, data: st.DataObject) -> None:
    """The same people have approved, so the same groups are filled and the outcome is the same."""
    needs, memberships = case
    names = [f"p{n}" for n in range(len(memberships))]
    members = [[n for n, own in zip(names, memberships, strict=True) if g in own] for g in range(4)]
    groups = [
        group(f"g{g}", *members[g], f"extra{g}a", f"extra{g}b", f"extra{g}c", needed=need)
        for g, need in enumerate(needs)
    ]
    policy = policy_version(*groups)
    asked = [name for name, own in zip(names, memberships, strict=True) if own]
    one = data.draw(st.permutations(asked))
    ends = []
    for order in (asked, one):
        approval = approval_under(policy, reasonRequired="always")
        for name in order:
            approval = decide(
                approval, f"{name}@example.com", "approve", reason="ok", now=START, via="page"
            )
            if approval.outcome != "pending":
                break
        else:
            ends.append((approval.outcome, sorted(counted_in(approval).items())))
            continue
        ends.append((approval.outcome, []))
    assert ends[0][0] == ends[1][0]
    assert ends[0] == ends[1] or ends[0][0] != "pending"


@given(choices=st.lists(st.sampled_from(["approve", "reject", ""]), min_size=4, max_size=4))
def test_the_outcome_is_certain_exactly_when_it_is_made(choices: list[str]) -> None:
    """Over two groups that share a person, with three rejections allowed, against brute force."""
    policy = policy_version(
        group("a", "p0", "p1"), group("b", "p1", "p2", "p3", needed=2), rejectionsNeeded=3
    )
    memberships, needs = [[0], [0, 1], [1], [1]], [1, 2]
    approval = approval_under(policy, reasonRequired="always")
    for person, choice in enumerate(choices):
        if not choice:
            continue
        who = f"p{person}@example.com"
        approval = decide(approval, who, choice, reason="x", now=START, via="page")  # type: ignore[arg-type]
        made = choices[: person + 1]
        yes = [own for own, c in zip(memberships, made, strict=False) if c == "approve"]
        left = [
            own
            for n, own in enumerate(memberships)
            if n > person or choices[n] == ""  # who is skipped here could still decide
        ]
        if _best(needs, yes)[0] == 2:
            expected = "approved"
        elif made.count("reject") >= 3 or _best(needs, [*yes, *left])[0] < 2:
            expected = "rejected"
        else:
            expected = "pending"
        assert approval.outcome == expected
        assert tally(approval) == expected
        if expected != "pending":
            return


def test_who_is_in_two_groups_counts_where_they_are_needed() -> None:
    """First in one, and in the other once somebody else fills the first."""
    policy = policy_version(group("security", "sam", "both"), group("operations", "both", "ops"))
    first = approved(approval_under(policy), "both")
    assert counted_in(first) == {"both@example.com": "security"}
    assert first.outcome == "pending"
    then = approved(first, "sam")
    assert then.outcome == "approved"
    assert counted_in(then) == {"both@example.com": "operations", "sam@example.com": "security"}


def test_more_approvals_than_a_group_needs_fill_no_other() -> None:
    """As many approvals as all groups need together, and one group without any."""
    policy = policy_version(group("security", "sam"), group("operations", "o1", "o2", "o3"))
    approval = approved(approval_under(policy), "o1", "o2", "o3")
    assert (approval.approve_count, approval.outcome) == (3, "pending")
    assert approved(approval, "sam").outcome == "approved"


def test_one_person_in_every_group_fills_one_of_them() -> None:
    """A person in all groups has one approval."""
    policy = policy_version(
        group("a", "boss", "x"), group("b", "boss", "y"), group("c", "boss", "z")
    )
    approval = approved(approval_under(policy), "boss")
    assert [standing.is_filled for standing in standings(approval)] == [True, False, False]
    assert approval.outcome == "pending"


def test_a_group_that_cannot_reach_its_count_ends_it_as_rejected() -> None:
    """Though the policy allows more rejections, and the other group is filled."""
    policy = policy_version(
        group("security", "sam"), group("operations", "ops1", "ops2"), rejectionsNeeded=2
    )
    approval = approved(approval_under(policy), "ops1")
    rejected = decide(approval, "sam@example.com", "reject", reason="no", now=START, via="page")
    assert rejected.outcome == "rejected"
