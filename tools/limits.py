"""Limits on what anybody can call: a throttle for public methods, a cap for the API's function.

API Gateway answers 429 above the throttle, before it calls the function. The cap keeps a flood from
taking the concurrency of the account, which the tick and other functions need. Both are kept in
config.json (docs/decisions/0020-*.md).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.account import Account
from tools.echo import Echo
from tools.errors import ToolError
from tools.rest_api import methods
from tools.stage import API_STAGE, Stage
from tools.stage_settings import FunctionSettings, Limits

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import PatchOperationTypeDef

API_CONCURRENCY = 50
"""The cap if none was ever given, and the account can afford it."""
UNRESERVED = 100
"""Lambda keeps so many of an account's concurrent executions for functions without a cap."""

PATCHES_A_CALL = 80
"""API Gateway refuses a longer UpdateStage as "too large" (docs/fidelity.md, A14)."""


@dataclass(frozen=True)
class GivenLimits:
    """The limits that a deploy was called with; None keeps the recorded one, or the default."""

    rate: str | None = None
    burst: str | None = None
    api_concurrency: str | None = None
    """A number, or `none` for no cap."""


def limits(
    stage: Stage, account: Account, *, given: GivenLimits, recorded: dict[str, Any], echo: Echo
) -> Limits:
    """Return the limits to deploy with: the given, else the `recorded` ones of config.json.

    Raises ToolError, before anything is deployed, if one is no limit, or if the account can't
    reserve as much concurrency.
    """
    default = Limits()
    return Limits(
        rate=_positive("RATE", given.rate, recorded.get("public_rate", default.rate)),
        burst=_positive("BURST", given.burst, recorded.get("public_burst", default.burst)),
        api_function=_api_function(
            stage,
            account,
            given.api_concurrency,
            recorded.get("lambda_functions", {}).get("api_handler", {}),
            echo,
        ),
    )


def _positive(option: str, given: str | None, recorded: object) -> int:
    """Return the given number, or else the recorded one."""
    value: object = recorded if given is None else given
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        where = " in .chalice/config.json" if given is None else ""
        none = ", or none" if option == "API_CONCURRENCY" else ""
        raise ToolError(
            f"{option} is {value}{where}: it has to be a whole number, 1 or more{none}. Nothing "
            "was deployed"
        )
    return value


def _api_function(
    stage: Stage, account: Account, given: str | None, recorded: dict[str, Any], echo: Echo
) -> FunctionSettings:
    """Return the function's cap; without one, Chalice takes away what the function has."""
    chosen = given is not None or "reserved_concurrency" in recorded
    before = recorded.get("reserved_concurrency", API_CONCURRENCY)
    if given == "none" or (given is None and before is None):
        return {"reserved_concurrency": None}
    cap = _positive("API_CONCURRENCY", given, before)
    free, total = _affordable(stage, account)
    if cap <= free:
        return {"reserved_concurrency": cap}
    why = (
        f"a cap of {cap} concurrent executions for {stage.prefix} needs {cap + UNRESERVED} that no "
        f"function has reserved; of this account's {total}, {max(free, 0) + UNRESERVED} at most are"
    )
    if chosen:
        raise ToolError(
            f"{why}: nothing was deployed. Give a lower API_CONCURRENCY, or none, or have AWS "
            "raise the limit (Service Quotas, Lambda, Concurrent executions)"
        )
    echo(f"no cap: {why}. A deploy sets it once AWS has raised the limit")
    return {}


def _affordable(stage: Stage, account: Account) -> tuple[int, int]:
    """Return what the API's function may reserve, and the account's limit."""
    limit = account.lambda_.get_account_settings()["AccountLimit"]
    try:
        found = account.lambda_.get_function_concurrency(FunctionName=stage.prefix)
    except account.lambda_.exceptions.ResourceNotFoundException:
        own = 0
    else:
        own = found.get("ReservedConcurrentExecutions", 0)
    free = limit["UnreservedConcurrentExecutions"] + own - UNRESERVED
    return free, limit["ConcurrentExecutions"]


def throttle_public_methods(account: Account, api_id: str, found: Limits) -> None:
    """Set the limits of each method that anybody may call, on the API's stage.

    Methods that need a signature keep the account's limit, so operators get through a flood.
    """
    patches = [
        patch
        for path, verb, method in methods(api_id, account)
        if method.get("authorizationType") == "NONE"
        for patch in throttle(path, verb, rate=found.rate, burst=found.burst)
    ]
    for start in range(0, len(patches), PATCHES_A_CALL):
        account.apigateway.update_stage(
            restApiId=api_id,
            stageName=API_STAGE,
            patchOperations=patches[start : start + PATCHES_A_CALL],
        )


def throttle(path: str, verb: str, *, rate: float, burst: int) -> "Iterator[PatchOperationTypeDef]":
    """Yield what changes the limits of one method in a stage's settings; `/` is `~1` there."""
    method = f"{path.replace('/', '~1')}/{verb}"
    yield {"op": "replace", "path": f"/{method}/throttling/rateLimit", "value": str(rate)}
    yield {"op": "replace", "path": f"/{method}/throttling/burstLimit", "value": str(burst)}
