"""What `.chalice/config.json` holds for a stage, and the settings of a stage of Assent."""

from collections.abc import Mapping
from typing import TypedDict

from tools.stage import API_STAGE


class FunctionSettings(TypedDict, total=False):
    """Chalice's settings of one function. A time-out is in seconds."""

    manage_iam_role: bool
    iam_role_arn: str
    lambda_timeout: int


class StageSettings(TypedDict, total=False):
    """Chalice's settings of a stage. Time-outs are in seconds, memory in MB, sizes in bytes.

    Settings beside `lambda_functions` are the API's function's, or hold for all functions.
    """

    api_gateway_stage: str
    autogen_policy: bool
    manage_iam_role: bool
    iam_role_arn: str
    lambda_timeout: int
    lambda_memory_size: int
    minimum_compression_size: int
    lambda_functions: dict[str, FunctionSettings]


TUNABLE = ("lambda_timeout", "lambda_memory_size", "minimum_compression_size")
"""A deploy writes these settings once; afterwards a value in the file stays."""


def assent_settings(outputs: Mapping[str, str]) -> StageSettings:
    """Return the settings of a stage of Assent, with the roles from the stack's outputs.

    API Gateway gives up after 29 seconds, so the API's function times out before.
    """
    return {
        "api_gateway_stage": API_STAGE,
        "autogen_policy": False,
        "manage_iam_role": False,
        "iam_role_arn": outputs["ApiRoleArn"],
        "lambda_timeout": 28,
        "lambda_memory_size": 512,
        "minimum_compression_size": 4096,
        "lambda_functions": {
            "request_approval": {
                "iam_role_arn": outputs["RequestApprovalRoleArn"],
                "lambda_timeout": 60,
            },
            "record_decision": {"iam_role_arn": outputs["RecordDecisionRoleArn"]},
            "decision_from_queue": {
                "iam_role_arn": outputs["DecisionFromQueueRoleArn"],
                "lambda_timeout": 30,
            },
            "request_from_queue": {
                "iam_role_arn": outputs["RequestFromQueueRoleArn"],
                "lambda_timeout": 60,
            },
            "execution_ended": {
                "iam_role_arn": outputs["ExecutionEndedRoleArn"],
                "lambda_timeout": 30,
            },
            "tick": {"iam_role_arn": outputs["TickRoleArn"], "lambda_timeout": 300},
        },
    }
