"""Clients of one session, so that botocore reads its models once; and an account in moto."""

from functools import cache
from typing import Any

import boto3
from moto import mock_aws


@cache
def session() -> boto3.Session:
    """Return a session whose credentials open nothing."""
    return boto3.Session("testing", "testing", "testing", "us-east-1")


def an_account() -> Any:
    """Return an empty account in moto, to start; its state machines run, in this process."""
    return mock_aws(
        config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    )
