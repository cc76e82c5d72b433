"""The comparison of docs/integrating.md in moto: what was approved is what was shown."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.application import policies
from chalicelib.domain.shown import canonical_json, shown_hash
from tests import readme
from tests.fakes import FakePorts
from tests.integration.statemachine.engine import Engine
from tests.integration.statemachine.test_executions import decide
from tests.integration.statemachine.test_readme import started
from tests.policies import OPERATOR, policy_body, policy_version, request_under

TITLE = "What was approved is what was shown"
RELEASE = {"question": "Release 4.2?", "image": "registry/shop@sha256:1f0c", "version": "4.2.0"}


@pytest.fixture
def run(engine: Engine, ports: FakePorts) -> Callable[..., str]:
    """Start the sample under the policy's third version and approve; return the execution.

    `changed` is what somebody changes in the execution's data after people have approved.
    """
    for count in (1, 2, 3):
        body = policy_body(description=f"writing {count}")
        policies.write_policy(ports, "production-release", body, replaces=None, by=OPERATOR)

    def begin(release: dict[str, str], **changed: str) -> str:
        definition = readme.states(TITLE, of=2)
        states = definition["States"]
        after: str = states["IsItApproved"]["Choices"][0]["Next"]
        for name, value in changed.items():
            change = {"Type": "Pass", "Result": value, "ResultPath": f"$.{name}", "Next": after}
            after = f"Change-{name}"
            states[after] = change
        states["IsItApproved"]["Choices"][0]["Next"] = after
        execution = started(engine, definition, **release)
        engine.until(lambda: len(ports.mailer.sent) == 5)
        for name in ("sue", "ops1", "ops3"):
            decide(ports, "approve", to=f"{name}@example.com")
        return execution

    return begin


@pytest.mark.usefixtures("children", "braces")
@pytest.mark.parametrize(
    "question", ["Release 4.2?", 'Release "blue"?', "C:\\new {}?", "{'$.image'}", "~ !#%&*()/"]
)
def test_what_was_shown_is_released(engine: Engine, run: Callable[..., str], question: str) -> None:
    """The sample makes Assent's own hash, also of values with quotes, braces and backslashes."""
    execution = run(RELEASE | {"question": question})
    ended = engine.end(execution)
    assert engine.states(execution)[-2:] == ["WasItShown", "Release"], ended
    output = json.loads(ended["output"])
    details = {"Image": RELEASE["image"], "Version": RELEASE["version"]}
    request = request_under(policy_version(version=3), subject=question, details=details)
    assert output["release"]["sha256"] == output["approval"]["Output"]["shown"]
    assert output["release"]["sha256"] == shown_hash(request)


@pytest.mark.usefixtures("children", "braces")
@pytest.mark.parametrize("name", RELEASE)
def test_what_was_not_shown_is_not_released(
    engine: Engine, run: Callable[..., str], name: str
) -> None:
    """Whichever of the values has changed since."""
    execution = run(RELEASE, **{name: "another"})
    ended = engine.end(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "SomethingElseWasShown")


@pytest.mark.usefixtures("children", "braces")
def test_a_value_that_moto_spells_otherwise_is_not_released(
    engine: Engine, run: Callable[..., str]
) -> None:
    """How AWS spells it isn't known; a difference never lets anything through."""
    ended = engine.end(run(RELEASE | {"question": "Größe?"}))
    assert (ended["status"], ended["error"]) == ("FAILED", "SomethingElseWasShown")


def test_the_text_of_the_documentation_is_canonical() -> None:
    """Byte for byte what Assent hashes."""
    (text,) = re.findall(r"^\{.*\}$", readme.section(TITLE), re.M)
    said = json.loads(text)
    request = request_under(
        policy_version(version=3), subject=said["subject"], details=said["details"]
    )
    assert canonical_json(request).decode() == text


TEXTS = st.text('aäz😀A_ﬀ\\" ', min_size=1, max_size=4).filter(str.strip)
VALUES = st.one_of(TEXTS, st.just("one\n\ttwo"), st.booleans(), st.integers(-9, 9))


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_the_function_of_the_documentation_makes_the_same_hash(details: dict[str, Any]) -> None:
    """Of any characters and any order of names."""
    names: dict[str, Any] = {}
    exec("import hashlib, json\n" + readme.snippet(TITLE, 1, of=2), names)  # noqa: S102  # our own documentation
    request = request_under(policy_version(version=3), details=details)
    policy = {"name": "production-release", "version": 3}
    assert names["shown"](request.subject, request.details, policy) == shown_hash(request)
