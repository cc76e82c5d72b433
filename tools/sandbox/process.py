"""Prepares the process of a sandbox command: independent of your AWS settings, sure to clean up."""

import atexit
import os
import signal
import sys

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def prepare_process() -> None:
    """Ignore your AWS settings, here and in child processes, and clean up on a signal."""
    _ignore_aws_settings()
    for number in _SIGNALS:
        signal.signal(number, _exit)


def _ignore_aws_settings() -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull)


def _exit(*_: object) -> None:
    """Raise SystemExit, so that context managers clean up; further signals are ignored."""
    atexit.register(print, "\nStopped: nothing that this command started is running any more.")
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(0)
