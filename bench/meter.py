"""What ticks cost: their calls of AWS, and what DynamoDB charges for them.

On the map: `ticking.py` watches its clients with it; nothing of this is deployed.
"""

import math
from collections import Counter
from typing import Any

KEYS_BYTES = 71
"""What an entry of the index `due` has: the key of the item, its shard and a time."""

Json = dict[str, Any]


class Meter:
    """Counts the calls of the clients it watches, and adds up what DynamoDB charges for them.

    Reads by AWS's rule (docs/fidelity.md, D16), for emulators charge each alike, whatever its size;
    writes by what MiniStack charges: the size, and what changes in each index.
    """

    def __init__(self) -> None:
        self.calls = Counter[str]()
        self.keys_read = 0
        """Entries of the index that queries read, whether or not they returned them."""
        self.query_units = 0.0
        self.get_units = 0.0
        self.write_units = 0.0
        self.lost_races = 0
        """Writes that found that somebody else had written."""

    def watch(self, client: Any) -> None:
        """Count this client's calls from now on."""
        client.meta.events.register("before-send", self._sent)
        if client.meta.service_model.service_name == "dynamodb":
            client.meta.events.register("provide-client-params", _ask_for_units)
            client.meta.events.register("after-call", self._answered)

    def _sent(self, event_name: str, **_: Any) -> None:
        self.calls[_operation(event_name)] += 1

    def _answered(self, parsed: Json, event_name: str, **_: Any) -> None:
        operation = _operation(event_name)
        if operation == "Query":
            # Those that a filter would hide are read too, and each is as large as the others.
            largest = max(map(size, parsed["Items"]), default=KEYS_BYTES)
            self.keys_read += parsed["ScannedCount"]
            self.query_units += read_units(largest * parsed["ScannedCount"]) / 2
        elif operation == "GetItem":
            self.get_units += read_units(size(parsed.get("Item", {})))
        elif "Error" in parsed:
            self.lost_races += 1
            self.write_units += 1  # At least: by the item's size, as if it had succeeded (D7).
        else:
            self.write_units += _charged(parsed["ConsumedCapacity"])


def _charged(consumed: Any) -> float:
    """Return the units of a call; of a transaction, which names each of its tables."""
    tables = consumed if isinstance(consumed, list) else [consumed]
    return sum(float(table["CapacityUnits"]) for table in tables)


def read_units(stored_bytes: int) -> int:
    """Return the units that a consistent read of so much costs; any other costs half."""
    return max(1, math.ceil(stored_bytes / 4096))


def size(item: Json) -> int:
    """Return the bytes of an item of strings and numbers: names and values."""
    values = [len(str(text).encode()) for typed in item.values() for text in typed.values()]
    return sum(map(len, item)) + sum(values)


def _ask_for_units(params: Json, **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


def _operation(event_name: str) -> str:
    return event_name.rpartition(".")[2]
