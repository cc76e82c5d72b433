"""What was shown: the canonical JSON, and its hash in each decision."""

import hashlib
import json

import pytest

from chalicelib.domain.shown import canonical_json, shown_hash
from chalicelib.domain.transitions import decide
from tests.builders import an_approval
from tests.fakes import START
from tests.policies import policy_version, request_under


def test_the_canonical_json_has_sorted_names_and_no_blanks() -> None:
    """Also inside details, with text as it is and numbers without a fraction as integers."""
    request = an_approval(
        subject="Ship “4.2”?",
        details={"b": 1.0, "a": "line\nline", "É": True, "c": 0.5, "d": 10**15},
    ).request
    assert canonical_json(request).decode() == (
        '{"details":{"a":"line\\nline","b":1,"c":0.5,"d":1000000000000000,"É":true},'
        '"policy":null,"subject":"Ship “4.2”?"}'
    )


def test_the_policy_is_part_of_it() -> None:
    """By name and version: the same question under other rules is another one."""
    request = request_under(policy_version(version=3), details="Text")
    assert json.loads(canonical_json(request)) == {
        "details": "Text",
        "policy": {"name": "production-release", "version": 3},
        "subject": "Release 4.2",
    }


def test_each_decision_has_the_hash_of_what_it_was_about() -> None:
    """SHA-256, in hexadecimal."""
    approval = an_approval(details={"Change": "New checkout"})
    decided = decide(approval, "ada@example.com", "approve", reason="", now=START, via="page")
    decision = decided.approvers[0].decision
    assert decision is not None
    expected = '{"details":{"Change":"New checkout"},"policy":null,"subject":"Release 4.2"}'
    assert decision.shown == hashlib.sha256(expected.encode()).hexdigest()


@pytest.mark.parametrize(
    "other", [{"subject": "Release 4.3"}, {"details": {"Change": "Another"}}, {"details": "x"}]
)
def test_another_question_has_another_hash(other: dict[str, object]) -> None:
    """Each part counts."""
    one = an_approval(details={"Change": "New checkout"}).request
    assert shown_hash(an_approval(**other).request) != shown_hash(one)
