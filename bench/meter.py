"""Meters the AWS calls of ticks and the capacity units that DynamoDB charges for them."""

import math
from collections import Counter
from typing import Any

KEYS_BYTES = 71
"""The size of an entry of the index `due`: the item's key, the shard and the time."""

Json = dict[str, Any]


class Meter:
    """Counts the calls of boto3 clients, and adds up the capacity units of their DynamoDB calls.

    Reads are charged by AWS's rule (docs/fidelity.md, D16), because emulators charge every read
    alike. Writes are charged as MiniStack does: by size, and by the changes in each index.
    """

    def __init__(self) -> None:
        self.calls = Counter[str]()
        self.keys_read = 0
        """Entries of the index that queries read, including those that a filter removed."""
        self.query_units = 0.0
        self.get_units = 0.0
        self.write_units = 0.0
        self.version_conflicts = 0
        """Writes that were refused because the item had changed."""

    def watch(self, client: Any) -> None:
        """Count the calls of this client from now on."""
        client.meta.events.register("before-send", self._count_call)
        if client.meta.service_model.service_name == "dynamodb":
            client.meta.events.register("provide-client-params", _ask_for_units)
            client.meta.events.register("after-call", self._add_units)

    def _count_call(self, event_name: str, **_: Any) -> None:
        self.calls[_operation(event_name)] += 1

    def _add_units(self, parsed: Json, event_name: str, **_: Any) -> None:
        operation = _operation(event_name)
        if operation == "Query":
            # Entries that a filter removes are read too. They are as large as the others.
            largest = max(map(size, parsed["Items"]), default=KEYS_BYTES)
            self.keys_read += parsed["ScannedCount"]
            self.query_units += read_units(largest * parsed["ScannedCount"]) / 2
        elif operation == "GetItem":
            self.get_units += read_units(size(parsed.get("Item", {})))
        elif operation == "BatchGetItem":
            items = [item for found in parsed["Responses"].values() for item in found]
            self.get_units += sum(read_units(size(item)) for item in items)
        elif "Error" in parsed:
            self.version_conflicts += 1
            self.write_units += 1  # at least: DynamoDB charges the item's size, as if written (D7)
        else:
            self.write_units += _charged_units(parsed["ConsumedCapacity"])


def _charged_units(consumed: Any) -> float:
    """Return the units of a call. A transaction's answer has them for each table."""
    tables = consumed if isinstance(consumed, list) else [consumed]
    return sum(float(table["CapacityUnits"]) for table in tables)


def read_units(stored_bytes: int) -> int:
    """Return the units of a consistent read of that size; any other read costs half."""
    return max(1, math.ceil(stored_bytes / 4096))


def size(item: Json) -> int:
    """Return the size in bytes of an item of strings and numbers: names and values."""
    values = [len(str(text).encode()) for typed in item.values() for text in typed.values()]
    return sum(map(len, item)) + sum(values)


def _ask_for_units(params: Json, **_: Any) -> None:
    params["ReturnConsumedCapacity"] = "TOTAL"


def _operation(event_name: str) -> str:
    return event_name.rpartition(".")[2]
