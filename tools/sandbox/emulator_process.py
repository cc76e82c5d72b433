"""The process that MiniStack runs in; `emulator.py` starts it.

MiniStack lacks things that Assent needs. They are added here by wrapping its functions:

- Mail to e-mail subscriptions: each mail becomes a line of a file that the inbox reads.
- The IAM condition keys `sns:Protocol` and `sns:Endpoint`, and the value of `aws:PrincipalArn` for
  the session of a role.
- The name of the error that a Lambda function raised.
- TLS: calls come by plain HTTP on loopback, and count as secure.
- The actions and resources that IAM knows some calls by, and a record of IAM users' calls
  (emulator_iam.py).
- Alarms of metric math: the alarm is made, of its first metric alone. No alarm rings here anyway.
- The stack's name, Sub and Join in the conditions of a template (emulator_conditions.py).

After an upgrade of MiniStack run tests/integration/tools/test_emulator.py: its internals change.

The process ends with its parent, even if that is killed: the pipe on stdin closes.
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
from ministack.core import iam_actions, iam_evaluator
from ministack.services import cloudformation, lambda_svc, sns
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from tools.sandbox.emulator_conditions import with_functions, with_stack_name
from tools.sandbox.emulator_iam import with_lambda_actions, with_record, with_resources

SNS_DEFAULT_SUBJECT = "AWS Notification Message"

Topic = dict[str, Any]
Context = dict[str, Any]
Result = dict[str, Any]
Properties = dict[str, Any]


def with_mail(
    fanout: Callable[..., None], find_topic: Callable[[str], Topic | None], mail: Path
) -> Callable[..., None]:
    """Wrap MiniStack's SNS fan-out: each confirmed e-mail subscription gets a line in `mail`."""
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


def with_sns_condition_keys(context: Callable[..., Context]) -> Callable[..., Context]:
    """Wrap MiniStack's IAM request context: add the condition keys of `sns:Subscribe`."""

    def request_context(service: str, action: str, body: bytes, parameters: Context) -> Context:
        keys = context(service, action, body, parameters)
        if action != "sns:Subscribe":
            return keys
        added = {f"sns:{key}": _first(parameters.get(key)) for key in ("Protocol", "Endpoint")}
        return {**keys, **added}

    return request_context


def with_role_arns(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap MiniStack's reading of condition keys: a session has its role's ARN, as on AWS."""

    def resolve_key(key: str, context: Any) -> Any:
        value = resolve(key, context)
        if key.lower() != "aws:principalarn":
            return value
        return re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", value)

    return resolve_key


def with_error_types(execute: Callable[..., Result]) -> Callable[..., Result]:
    """Wrap MiniStack's run of a Lambda function: `errorType` is the exception's class, as on AWS.

    MiniStack answers `Runtime.HandlerError` for every exception; the class is in the logged trace.
    """

    def execute_with_error_type(*arguments: Any) -> Result:
        result = execute(*arguments)
        if result.get("error") and isinstance(result.get("body"), dict):
            message = result["body"].get("errorMessage")
            end = f": {re.escape(message)}$" if message else "$"
            names = re.findall(rf"^(?:\w+\.)*(\w+){end}", result.get("log", ""), re.MULTILINE)
            if names and result["body"].get("errorType") == "Runtime.HandlerError":
                result["body"]["errorType"] = names[-1]
        return result

    return execute_with_error_type


def as_tls(pin: Callable[[str, bool], None]) -> Callable[[str, bool], None]:
    """Wrap MiniStack's note of a request's origin: `aws:SecureTransport` is true."""
    return lambda address, _: pin(address, True)


def with_metric_math(record: Callable[[str, Properties], Any]) -> Callable[[str, Properties], Any]:
    """Wrap MiniStack's alarm of a template: one with an expression watches its first metric."""

    def alarm_record(name: str, properties: Properties) -> Any:
        for metric in properties.get("Metrics", []):
            if "MetricStat" in metric:
                first = metric["MetricStat"]
                more = {"Statistic": first["Stat"], "Period": first["Period"]}
                return record(name, {**properties, "Metrics": [], **first["Metric"], **more})
        return record(name, properties)

    return alarm_record


def _first(value: object) -> str:
    return str(value[0] if isinstance(value, list) and value else value or "")


def _end_with_parent() -> None:
    """Kill this process group, Lambda functions included, when the parent's end of stdin closes."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def main() -> None:
    """Run MiniStack with the additions; the arguments are the files for mail and for calls."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sns._fanout = with_mail(sns._fanout, sns._topic_by_arn_any_scope, Path(sys.argv[1]))
    iam_evaluator.enforce = with_record(iam_evaluator.enforce, Path(sys.argv[2]))
    iam_actions.extract_iam_action = with_lambda_actions(iam_actions.extract_iam_action)
    iam_actions.extract_resource_arn = with_resources(
        iam_actions.extract_resource_arn, iam_actions.extract_iam_action
    )
    iam_actions.request_tag_context = with_sns_condition_keys(iam_actions.request_tag_context)
    iam_evaluator._resolve_condition_key = with_role_arns(iam_evaluator._resolve_condition_key)
    lambda_svc._execute_function_warm = with_error_types(lambda_svc._execute_function_warm)
    record = with_metric_math(provisioners._cw_metric_alarm_record)
    provisioners._cw_metric_alarm_record = record
    actions = vars(cloudformation)["_ACTION_HANDLERS"]
    actions.update({action: with_stack_name(handle) for action, handle in actions.items()})
    for functions in (vars(handlers), vars(changesets), vars(stacks)):
        functions["_evaluate_conditions"] = with_functions(functions["_evaluate_conditions"])
    setattr(app, "pin_request_origin", as_tls(iam_evaluator.pin_request_origin))  # noqa: B010  # app has imported it, for itself
    sys.argv = ["ministack"]
    app.main()  # type: ignore[no-untyped-call]  # MiniStack has few types


if __name__ == "__main__":
    main()
