"""Assent on moto's Step Functions: its own function, adapter and state machine."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (  # noqa: E501
    StateTaskServiceSfn,
)

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
def engine(engine_for: Callable[..., Engine]) -> Engine:
    """Return an engine whose task calls `request_approval`."""
    return engine_for()
