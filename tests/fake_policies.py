"""Policies in memory; one contract suite tests this and the DynamoDB adapter."""

import threading

import msgspec

from chalicelib.domain.policy import PolicyVersion
from tests.effects import Effects
from tests.paging import listed


class FakePolicies:
    """The port `Policies`, as bytes."""

    def __init__(self, effects: Effects | None = None) -> None:
        self._effects = effects or Effects()
        self._lock = threading.Lock()
        self.items: dict[tuple[str, int], bytes] = {}
        """The newest version of each policy has the number 0 too."""

    def newest(self, name: str) -> PolicyVersion | None:
        return self.version(name, 0)

    def version(self, name: str, number: int) -> PolicyVersion | None:
        found = self.items.get((name, number))
        return None if found is None else msgspec.json.decode(found, type=PolicyVersion)

    def replace(self, read: PolicyVersion | None, written: PolicyVersion) -> bool:
        self._effects.begin("policies.replace")
        with self._lock:
            stored = self.version(written.name, 0)
            if (stored and stored.version) != (read and read.version):
                return False
            for number in (0, written.version):
                self.items[written.name, number] = msgspec.json.encode(written)
            return True

    def page(self, most: int, after: str = "") -> tuple[list[PolicyVersion], str]:
        newest = [self.newest(name) for name, number in self.items if number == 0]
        current = [one for one in newest if one is not None and not one.removed]
        names, more = listed([(p.written_at, p.name) for p in current], most, after, newest=True)
        return [found for found in map(self.newest, names) if found], more
