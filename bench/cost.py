"""What AWS charges: the dated prices of `prices.json`, and Lambda's share of a processor."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_LIST: dict[str, Any] = json.loads((Path(__file__).parent / "prices.json").read_text())
PRICES: dict[str, float] = {name: price for name, (price, _) in _LIST["prices"].items()}
"""Dollars for one of each."""
DATED = f"prices read on {_LIST['read']}, {_LIST['region']}"
WHOLE_CPU = 1769
"""The MB with which a function has a whole processor (AWS: Configure Lambda function memory)."""


@dataclass
class Usage:
    """What something used: the names of PRICES -> number."""

    used: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, number: float = 1) -> None:
        """Count some more."""
        self.used[name] = self.used.get(name, 0) + number

    def costs(self) -> Mapping[str, float]:
        """Return the dollars for each."""
        return {name: PRICES[name] * number for name, number in self.used.items()}


def duration(cpu: float, waiting: float, memory: int) -> float:
    """Return the seconds that a function with that memory takes; its code has one thread."""
    return cpu * max(WHOLE_CPU / memory, 1) + waiting


def gb_seconds(cpu: float, waiting: float, memory: int) -> float:
    """Return the gigabyte-seconds of one call."""
    return duration(cpu, waiting, memory) * memory / 1024
