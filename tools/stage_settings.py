"""What `.chalice/config.json` holds for a stage, and the settings of a stage of Assent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from tools.stage import API_STAGE


class FunctionSettings(TypedDict, total=False):
    """Chalice's settings of one function. A time-out is in seconds."""

    manage_iam_role: bool
    iam_role_arn: str
    lambda_timeout: int
    lambda_memory_size: int
    reserved_concurrency: int | None


class StageSettings(TypedDict, total=False):
    """Chalice's settings of a stage. Time-outs are in seconds, memory in MB, sizes in bytes.

    Settings beside `lambda_functions` are the API's function's, or hold for all functions. Chalice
    doesn't read three of them: `tools/limits.py` reads those that begin with `public_`, and
    `existing_stack` names the stack that something else deploys, or is None.
    """

    api_gateway_stage: str
    api_gateway_endpoint_type: str
    autogen_policy: bool
    manage_iam_role: bool
    iam_role_arn: str
    lambda_timeout: int
    lambda_memory_size: int
    minimum_compression_size: int
    public_rate: int
    public_burst: int
    existing_stack: str | None
    lambda_functions: dict[str, FunctionSettings]


TUNABLE = (
    *("lambda_timeout", "lambda_memory_size", "minimum_compression_size"),
    "api_gateway_endpoint_type",
)
"""A deploy writes these settings once; afterwards a value in the file stays."""


MEMORY = 512
"""MB of each function that isn't named below: docs/performance.md has the table by which the sizes
were chosen."""
API_MEMORY = 1769
"""A person waits for its answer, and this gives it a whole processor."""
ASKING_MEMORY = 256
"""Nobody waits for functions that ask, or that look after an ended execution; this is cheapest."""


@dataclass(frozen=True)
class Limits:
    """How often anybody may call each public method, and what the API's function may take."""

    rate: int = 50
    """Calls of one method a second, in the long run."""
    burst: int = 100
    """Calls of one method at once."""
    api_function: FunctionSettings = field(default_factory=FunctionSettings)
    """`reserved_concurrency`, None for no cap; empty if the account can't afford the default."""


def assent_settings(
    outputs: Mapping[str, str], limits: Limits, existing_stack: str | None = None
) -> StageSettings:
    """Return the settings of a stage of Assent, with the roles from the stack's outputs.

    API Gateway gives up after 29 seconds, so the API's function times out before. Chalice's default
    endpoint type, EDGE, doesn't exist in the China regions.
    """
    return {
        "api_gateway_stage": API_STAGE,
        "api_gateway_endpoint_type": "REGIONAL",
        "autogen_policy": False,
        "manage_iam_role": False,
        "iam_role_arn": outputs["ApiRoleArn"],
        "lambda_timeout": 28,
        "lambda_memory_size": MEMORY,
        "minimum_compression_size": 4096,
        "public_rate": limits.rate,
        "public_burst": limits.burst,
        "existing_stack": existing_stack,
        "lambda_functions": {
            "api_handler": {"lambda_memory_size": API_MEMORY, **limits.api_function},
            "request_approval": {
                "iam_role_arn": outputs["RequestApprovalRoleArn"],
                "lambda_memory_size": ASKING_MEMORY,
                "lambda_timeout": 60,
            },
            "record_decision": {"iam_role_arn": outputs["RecordDecisionRoleArn"]},
            "decision_from_queue": {
                "iam_role_arn": outputs["DecisionFromQueueRoleArn"],
                "lambda_timeout": 30,
            },
            "request_from_queue": {
                "iam_role_arn": outputs["RequestFromQueueRoleArn"],
                "lambda_memory_size": ASKING_MEMORY,
                "lambda_timeout": 60,
            },
            "execution_ended": {
                "iam_role_arn": outputs["ExecutionEndedRoleArn"],
                "lambda_memory_size": ASKING_MEMORY,
                "lambda_timeout": 30,
            },
            "tick": {"iam_role_arn": outputs["TickRoleArn"], "lambda_timeout": 300},
        },
    }
