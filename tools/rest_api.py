"""The methods of a REST API, as API Gateway has them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tools.account import Account

if TYPE_CHECKING:
    from mypy_boto3_apigateway.type_defs import MethodTypeDef


def methods(api_id: str, account: Account) -> "Iterator[tuple[str, str, MethodTypeDef]]":
    """Yield path, verb and settings of each method; settings that aren't set are missing."""
    pages = account.apigateway.get_paginator("get_resources").paginate(
        restApiId=api_id, embed=["methods"]
    )
    for page in pages:
        for resource in page["items"]:
            for verb, method in resource.get("resourceMethods", {}).items():
                yield resource["path"], verb, method
