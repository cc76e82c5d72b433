"""The process that MiniStack runs in; `emulator.py` starts it.

MiniStack leaves out three things that Assent can't do without, and they are added here, inside its
process: mail to e-mail subscriptions (each becomes a line of a file that the inbox reads), the
condition keys `sns:Protocol` and `sns:Endpoint`, and the name of the error that a function raised.
That uses its internals; whoever raises its version runs `tests/tools/test_emulator.py` first.

The process ends with its parent, however that one ends: the pipe on stdin closes.
"""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack import app
from ministack.core import iam_actions
from ministack.services import lambda_svc, sns

SNS_DEFAULT_SUBJECT = "AWS Notification Message"

Topic = dict[str, Any]
Context = dict[str, Any]
Result = dict[str, Any]


def mailing(
    fanout: Callable[..., None], find_topic: Callable[[str], Topic | None], mail: Path
) -> Callable[..., None]:
    """Return MiniStack's fan-out, with a line in `mail` for each e-mail subscription it reaches."""
    lock = threading.Lock()

    def fan_out(topic: str, id_: str, message: str, subject: str, *rest: Any, **more: Any) -> None:
        fanout(topic, id_, message, subject, *rest, **more)
        for subscription in (find_topic(topic) or {}).get("subscriptions", []):
            if subscription["protocol"] == "email" and subscription["confirmed"]:
                line = {
                    "to": subscription["endpoint"],
                    "subject": subject or SNS_DEFAULT_SUBJECT,
                    "text": message,
                    "receivedAt": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
                }
                with lock, mail.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")

    return fan_out


def with_sns_keys(context: Callable[..., Context]) -> Callable[..., Context]:
    """Return MiniStack's context of a request, with the keys that AWS has for `sns:Subscribe`."""

    def request_context(service: str, action: str, body: bytes, parameters: Context) -> Context:
        found = context(service, action, body, parameters)
        if action != "sns:Subscribe":
            return found
        asked = {f"sns:{key}": _first(parameters.get(key)) for key in ("Protocol", "Endpoint")}
        return {**found, **asked}

    return request_context


def naming_errors(execute: Callable[..., Result]) -> Callable[..., Result]:
    """Return MiniStack's run of a function, naming an error by its class, as Lambda does.

    It says `Runtime.HandlerError` for each; the name is in the trace that it logs.
    """

    def executed(*arguments: Any) -> Result:
        found = execute(*arguments)
        if found.get("error") and isinstance(found.get("body"), dict):
            said = found["body"].get("errorMessage")
            end = f": {re.escape(said)}$" if said else "$"
            named = re.findall(rf"^(?:\w+\.)*(\w+){end}", found.get("log", ""), re.MULTILINE)
            if named and found["body"].get("errorType") == "Runtime.HandlerError":
                found["body"]["errorType"] = named[-1]
        return found

    return executed


def _first(value: object) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "")


def _end_with_parent() -> None:
    """Kill our process group, Lambda's workers included, when the parent's end of stdin closes."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> None:
    """Run MiniStack with what is added; the one argument is the file for mail."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sns._fanout = mailing(sns._fanout, sns._topic_by_arn_any_scope, Path(sys.argv[1]))
    iam_actions.request_tag_context = with_sns_keys(iam_actions.request_tag_context)
    lambda_svc._execute_function_warm = naming_errors(lambda_svc._execute_function_warm)
    sys.argv = ["ministack"]
    app.main()  # type: ignore[no-untyped-call]  # MiniStack has few types


if __name__ == "__main__":
    main()
