"""Effects of the fakes, with crashes and faults on demand."""

from dataclasses import dataclass, field

from chalicelib.domain.errors import Unavailable


class Crash(BaseException):
    """The process died here: nothing may catch this."""


@dataclass
class Effects:
    """Every effect in order; the process dies before the one numbered `crash_at` (from 0).

    An effect named in `faulty` raises Unavailable instead of happening.
    """

    crash_at: int | None = None
    done: list[str] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    def begin(self, name: str) -> None:
        """Record that this effect happens, unless the process dies or AWS fails here."""
        if self.crash_at == len(self.done):
            self.crash_at = None
            raise Crash(name)
        if name in self.faulty:
            raise Unavailable(f"{name} is away; please try again")
        self.done.append(name)
