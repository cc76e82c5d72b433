"""Assent on moto's Step Functions: its own function, adapter and state machine."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (  # noqa: E501
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.parse.intrinsic.intrinsic_parser import IntrinsicParser
from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor

import app as entrypoints
from chalicelib.adapters.stepfunctions import StepFunctionsExecutions
from tests.fakes import FakePorts
from tests.integration.statemachine.engine import Engine, Function, asking, from_api, to_api


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> FakePorts:
    """Return the ports of `app.py`; its `executions` are real once an engine runs."""
    ports = FakePorts()
    monkeypatch.setattr(entrypoints, "wiring", ports)
    return ports


@pytest.fixture
def engine_for(
    account: None,  # noqa: ARG001 (it must be there first)
    ports: FakePorts,
) -> Iterator[Callable[..., Engine]]:
    """Return what starts an engine whose task calls a function; the ports answer its tasks."""
    engines: list[Engine] = []

    def begin(function: Function = entrypoints.request_approval, **changed_retry: Any) -> Engine:
        engine = asking(function, **changed_retry)
        engines.append(engine)
        ports.executions = cast("Any", StepFunctionsExecutions(engine.client, engine.machine))
        return engine

    yield begin
    for engine in engines:
        engine.stop()


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make moto start and describe children: it passes on names as ASL spells them (5.2.5)."""
    monkeypatch.setattr(StateTaskServiceSfn, "_normalise_parameters", to_api)
    monkeypatch.setattr(StateTaskServiceSfn, "_normalise_response", from_api)


@pytest.fixture
def braces(monkeypatch: pytest.MonkeyPatch) -> None:
    r"""Make moto's `States.Format` take escaped braces as AWS does: 5.2.5 fails on them.

    It reads a function's text without decoding the definition's JSON, so `\\{` keeps both
    backslashes, and hands the template to Python's `str.format`, where a brace is doubled.
    """
    parse: Any = IntrinsicParser.parse
    replaced: Any = Preprocessor._replace_escaped_characters

    def decoded(source: str) -> Any:
        return parse(json.loads(f'"{source}"'))

    def unescaped(match: re.Match[str]) -> str:
        escaped = match[1]
        return escaped * 2 if escaped in "{}" else str(replaced(match))

    monkeypatch.setattr(IntrinsicParser, "parse", staticmethod(decoded))
    monkeypatch.setattr(Preprocessor, "_replace_escaped_characters", staticmethod(unescaped))


@pytest.fixture
def engine(engine_for: Callable[..., Engine]) -> Engine:
    """Return an engine whose task calls `request_approval`."""
    return engine_for()
