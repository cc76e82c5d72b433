"""A command of the sandbox, apart from its person's AWS: no settings of theirs, and sure to end.

On the map: used by `__main__` and by the examples' command.
"""

import os
import signal
import sys

_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def set_apart() -> None:
    """Forget the person's AWS settings, for us and every child; end in order on any signal."""
    for ending in _ENDINGS:
        signal.signal(ending, _leave)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


def _leave(*_: object) -> None:
    """End the program from wherever it is; another signal doesn't interrupt the ending."""
    for ending in _ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(0)
