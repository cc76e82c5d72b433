"""A stage's code as AWS has it, in the form of Chalice's record `.chalice/deployed/<stage>.json`.

Chalice writes the record after its last call, and knows event source mappings and the REST API by
it alone: after a deploy that broke off, `chalice deploy` would create both again. `make deploy` and
`make destroy` therefore begin by making the record anew (docs/decisions/0019-*.md).
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TYPE_CHECKING, TypedDict

from tools.account import Account
from tools.errors import ToolError
from tools.rest_api import methods
from tools.rules import calls, rule_of, targets
from tools.stage import API_STAGE, Code, Stage

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import (
        EventSourceMappingConfigurationTypeDef,
        FunctionConfigurationResponseTypeDef,
    )

FOUND_IN_AWS = ("lambda_function", "sqs_event", "cloudwatch_event", "rest_api")
"""Entries of these types are made anew; other entries of a record stay as they are."""
_PAUSES, _PAUSE_SECONDS = 24, 5.0
"""Lambda changes a function, or deletes a mapping, within a minute or so; until then it refuses."""
_STILL_CHANGING = "Lambda is still changing {}: nothing was deployed or deleted. Try again later"


class RecordedResource(TypedDict, total=False):
    """One entry of `resources` in the record, with the keys that are read or written here."""

    name: str
    resource_type: str
    lambda_arn: str
    """Of a `lambda_function` or `sqs_event`."""
    event_uuid: str
    queue: str
    queue_arn: str
    """Of an `sqs_event`."""
    rule_name: str
    """Of a `cloudwatch_event`."""
    rest_api_id: str
    rest_api_url: str
    """Of a `rest_api`."""


def deployed_resources(
    stage: Stage,
    code: Code,
    account: Account,
    recorded: list[RecordedResource],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> list[RecordedResource]:
    """Return the record that Chalice would have written, of what there is in AWS now.

    Functions and rules in the old record are looked up too: you may have added some to `app.py`.
    A second mapping of the same queue and a second API get entries as well, under names that
    Chalice doesn't use. The order is that of a deploy: `chalice delete` goes backwards.
    """
    functions = dict.fromkeys([*code.functions, *_recorded(stage, recorded, "lambda_function")])
    rules = dict.fromkeys(
        [*map(rule_of, code.scheduled), *_recorded(stage, recorded, "cloudwatch_event")]
    )
    known = {r.get("event_uuid", "") for r in recorded if _is(r, "sqs_event")}
    return [
        *_functions(stage, functions, account, pause),
        *(r for r in recorded if not _is(r, *FOUND_IN_AWS)),
        *_mappings(stage, functions, account, code.queues, known, pause),
        *_rules(stage, rules, account),
        *_apis(stage, account),
    ]


def name(resource: RecordedResource) -> str:
    """Return what AWS calls the function, mapping, rule or API."""
    function = resource.get("lambda_arn", "").rpartition(":")[2]
    others = (resource.get("event_uuid"), resource.get("rule_name"), resource.get("rest_api_id"))
    return next(filter(None, others), function)


def names(resources: Iterable[RecordedResource], kind: str) -> list[str]:
    """Return what AWS calls the resources of one type."""
    return [name(resource) for resource in resources if _is(resource, kind)]


def _is(resource: RecordedResource, *types: str) -> bool:
    return resource.get("resource_type") in types


def _recorded(stage: Stage, resources: Iterable[RecordedResource], kind: str) -> list[str]:
    """Return the names in the record that Chalice can have given to something of this stage."""
    return [one for one in names(resources, kind) if one.startswith(f"{stage.prefix}-")]


def _resource_name(stage: Stage, function: str) -> str:
    """Return Chalice's own name of a function."""
    return function.removeprefix(f"{stage.prefix}-") if function != stage.prefix else "api_handler"


def _functions(
    stage: Stage, names: Iterable[str], account: Account, pause: Callable[[float], None]
) -> Iterator[RecordedResource]:
    """Yield the functions, each once it isn't changing; after two minutes raise ToolError."""
    for function in names:
        try:
            for _ in range(_PAUSES):
                found = account.lambda_.get_function_configuration(FunctionName=function)
                if not _is_changing(found):
                    break
                pause(_PAUSE_SECONDS)
            else:
                raise ToolError(_STILL_CHANGING.format(function))
        except account.lambda_.exceptions.ResourceNotFoundException:
            continue
        yield {
            "name": _resource_name(stage, function),
            "resource_type": "lambda_function",
            "lambda_arn": found["FunctionArn"],
        }


def _is_changing(function: "FunctionConfigurationResponseTypeDef") -> bool:
    return function.get("State") == "Pending" or function.get("LastUpdateStatus") == "InProgress"


def _mappings(
    stage: Stage,
    names: Iterable[str],
    account: Account,
    queues: Collection[str],
    known: set[str],
    pause: Callable[[float], None],
) -> Iterator[RecordedResource]:
    """Yield the mappings that are `known` by their UUID, and those of the `queues`.

    A mapping outlives its function. Mappings of other queues were made by somebody else.
    """
    for function in names:
        entry = f"{_resource_name(stage, function)}-sqs-event-source"
        found = _mappings_at_rest(function, account, pause)
        found.sort(key=lambda m: (m["UUID"] not in known, m["UUID"]))
        seen: set[str] = set()
        for mapping in found:
            queue_arn = mapping["EventSourceArn"]
            queue = queue_arn.rpartition(":")[2]
            if mapping["UUID"] not in known and queue not in queues:
                continue
            yield {
                "name": f"{entry}-{mapping['UUID']}" if seen else entry,
                "resource_type": "sqs_event",
                "queue_arn": queue_arn,
                "queue": queue,
                "event_uuid": mapping["UUID"],
                "lambda_arn": mapping["FunctionArn"],
            }
            seen.add(queue_arn)


def _mappings_at_rest(
    function: str, account: Account, pause: Callable[[float], None]
) -> "list[EventSourceMappingConfigurationTypeDef]":
    """Return the function's mappings, once none is being deleted; as `_functions`."""
    for _ in range(_PAUSES):
        found = _listed_mappings(function, account)
        if not any(mapping.get("State") == "Deleting" for mapping in found):
            return found
        pause(_PAUSE_SECONDS)
    raise ToolError(_STILL_CHANGING.format(f"an event source mapping of {function}"))


def _listed_mappings(
    function: str, account: Account
) -> "list[EventSourceMappingConfigurationTypeDef]":
    try:
        pages = account.lambda_.get_paginator("list_event_source_mappings").paginate(
            FunctionName=function
        )
        return [mapping for page in pages for mapping in page["EventSourceMappings"]]
    except account.lambda_.exceptions.ResourceNotFoundException:
        return []


def _rules(stage: Stage, rules: Iterable[str], account: Account) -> Iterator[RecordedResource]:
    """Yield the rules that call their function, or nothing yet. Another rule is somebody else's."""
    for rule in rules:
        found = targets(rule, account)
        if found is not None and (not found or any(calls(rule, arn) for arn in found.values())):
            yield {
                "name": _resource_name(stage, rule),
                "resource_type": "cloudwatch_event",
                "rule_name": rule,
            }


def _apis(stage: Stage, account: Account) -> Iterator[RecordedResource]:
    """Yield the APIs with the app's name whose integration calls the stage's API function.

    The name keeps other people's APIs in front of that function out: a deploy would overwrite
    them, and a destroy delete them. All stages' APIs have it, so the integration is looked at too.
    The function's policy can't tell: a deploy may have broken off before it let the API in.
    """
    entry, region = "rest_api", account.session.region_name
    suffix = "amazonaws.com.cn" if str(region).startswith("cn-") else "amazonaws.com"
    for page in account.apigateway.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            if api["name"] != stage.app or not _calls(stage.prefix, api["id"], account):
                continue
            url = f"https://{api['id']}.execute-api.{region}.{suffix}/{API_STAGE}/"
            yield {
                "name": entry,
                "resource_type": "rest_api",
                "rest_api_id": api["id"],
                "rest_api_url": url,
            }
            entry = f"rest_api-{api['id']}"


def _calls(function: str, api_id: str, account: Account) -> bool:
    return any(
        f":function:{function}/invocations" in method.get("methodIntegration", {}).get("uri", "")
        for _, _, method in methods(api_id, account)
    )
