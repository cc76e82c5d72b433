"""The calls of AWS that `make deploy`, `chalice deploy` and `make destroy` make, as IAM names them.

`tests/sandbox/test_deployer.py` records them, `tests/unit/tools/test_deployer_policy.py` compares
them with docs/deployer-policy.json.
"""

ALWAYS = {
    *("cloudformation:CreateStack", "cloudformation:DeleteStack", "cloudformation:UpdateStack"),
    *("cloudformation:DescribeStackResources", "cloudformation:DescribeStacks"),
    *("dynamodb:DeleteTable", "dynamodb:DescribeTable", "dynamodb:Query"),
    *("events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"),
    "iam:ListEntitiesForPolicy",
    *("lambda:CreateFunction", "lambda:DeleteFunction"),
    *("lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:ListTags"),
    *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration"),
    *("lambda:AddPermission", "lambda:GetPolicy"),
    *("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
    *("lambda:GetEventSourceMapping", "lambda:UpdateEventSourceMapping"),
    *("lambda:DeleteFunctionConcurrency", "lambda:PutFunctionEventInvokeConfig"),
    *("apigateway:GET", "apigateway:POST", "apigateway:PUT", "apigateway:PATCH"),
    "apigateway:DELETE",
    *("sns:DeleteTopic", "sns:ListTopics"),
    *("states:DescribeStateMachine", "states:ListExecutions", "states:StopExecution"),
}
"""A deploy, a second one, and a destroy with STOP_RUNNING and DELETE_DATA make each of these."""

AT_TIMES = {
    # The reasons of a stack that failed.
    "cloudformation:DescribeStackEvents",
    # A function's role, and the tags that Chalice gives to functions: the emulator doesn't ask.
    *("iam:PassRole", "lambda:TagResource", "lambda:UntagResource"),
    # Settings of config.json, and what a deploy that broke off left behind.
    *("lambda:PutFunctionConcurrency", "lambda:GetFunctionConcurrency"),
    "lambda:GetAccountSettings",
    *("lambda:ListEventSourceMappings", "events:DescribeRule", "events:ListTargetsByRule"),
}

FREE = {"sts:GetCallerIdentity"}
"""Calls that need no permission (docs/fidelity.md, C21)."""
