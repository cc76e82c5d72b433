"""An example's state machine, run by moto, with the example's own functions."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from examples.example import HERE
from tests.definitions import definition
from tests.integration.statemachine.engine import Engine, Function


@pytest.fixture
def engine_of(account: None) -> Iterator[Callable[..., Engine]]:  # noqa: ARG001 (it must be there first)
    """Start an engine of the named example; `changed` replaces fields of its states."""
    engines: list[Engine] = []

    def begin(
        name: str,
        placeholders: Mapping[str, str],
        functions: Mapping[str, Function],
        **changed: dict[str, Any],
    ) -> Engine:
        asl = definition(HERE / name)
        for state, fields in changed.items():
            asl["States"][state] |= fields
        engine = Engine(asl, placeholders, functions)
        engines.append(engine)
        return engine

    yield begin
    for engine in engines:
        engine.stop()
