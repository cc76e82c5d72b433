"""The witnesses: botocore's model of a service, and cfn-lint's findings in a template.

The model holds AWS's own limits and documentation, as published with botocore; cfn-lint holds
CloudFormation's schemas. Neither of them calls anything.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel, ServiceModel, Shape, StringShape
from botocore.session import get_session
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]  # it has no stubs


@cache
def _service(name: str) -> ServiceModel:
    return get_session().get_service_model(name)


def operation(service: str, name: str) -> OperationModel:
    """Return the model of one operation."""
    return _service(service).operation_model(name)


def argument(service: str, name: str, member: str) -> Shape:
    """Return the model of one argument of an operation."""
    shape = operation(service, name).input_shape
    assert shape is not None
    return shape.members[member]


def answer(service: str, name: str) -> Mapping[str, Shape]:
    """Return the models of the members of an operation's answer."""
    shape = operation(service, name).output_shape
    assert shape is not None
    return shape.members


def errors(service: str, name: str) -> dict[str, str]:
    """Return the errors of an operation by name, with their documentation."""
    return {e.name: plain(e.documentation) for e in operation(service, name).error_shapes}


def values(service: str, shape: str) -> list[str]:
    """Return the values of an enumeration."""
    found = _service(service).shape_for(shape)
    assert isinstance(found, StringShape)
    return found.enum


def bounds(shape: Shape) -> tuple[int | None, int | None]:
    """Return the lowest and highest length or number; None if the model has no bound."""
    limits: dict[str, Any] = dict(shape.metadata)
    return limits.get("min"), limits.get("max")


def plain(documentation: str) -> str:
    """Return the model's documentation as one line of text, without tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", documentation).split())


def lint_codes(
    resources: Mapping[str, Mapping[str, Any]], *, hints: bool = False
) -> dict[str, set[str]]:
    """Return the codes of cfn-lint's findings in each of these resources, by name."""
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
    config = ManualArgs(regions=["us-east-1"], include_checks=["I"] if hints else [])
    found: dict[str, set[str]] = {name: set() for name in resources}
    for match in lint(json.dumps(template), config=config):
        found[match.path[1]].add(match.rule.id)
    return found
