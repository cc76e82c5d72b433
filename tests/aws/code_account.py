"""What AWS keeps of a stage's code, as far as `chalice deploy` and `tools/` ask for it.

One object stands for the clients of Lambda, API Gateway and EventBridge. It answers as AWS does
where moto and MiniStack don't: a second event source mapping of a function and a queue is refused
(docs/fidelity.md, L6), a mapping outlives its function, and a rule with targets isn't deleted.
"""

import functools
import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

from botocore.exceptions import ClientError

REGION = "eu-central-1"
PREFIX = f"arn:aws:lambda:{REGION}:111122223333:function:"

Json = dict[str, Any]
R = TypeVar("R")


class Broken(Exception):
    """The process that deploys ended here: its network, its laptop, or a Ctrl-C."""


class ResourceNotFoundException(ClientError):
    """Lambda's and EventBridge's error for something that isn't there."""


class NotFoundException(ClientError):
    """API Gateway's."""


class BadRequestException(ClientError):
    """API Gateway's error for a call that it can't take."""


class ResourceConflictException(ClientError):
    """Lambda's error for something that is there already."""


class ValidationException(ClientError):
    """EventBridge's error for a rule that still has targets."""


class InvalidParameterValueException(ClientError):
    """Lambda's error for a parameter that it can't take."""


class ResourceInUseException(ClientError):
    """Lambda's error for something that is changing."""


E = TypeVar("E", bound=ClientError)


def refusal(kind: type[E], what: str) -> E:
    """Return the error with its own name as code."""
    return kind({"Error": {"Code": kind.__name__, "Message": what}}, "Call")


def change(method: Callable[..., R]) -> Callable[..., R]:
    """Count the calls that change something; the chosen one is done, and its answer is lost."""

    @functools.wraps(method)
    def counted(self: "CodeAccount", **parameters: Any) -> R:
        answer = method(self, **parameters)
        self.changes.append(method.__name__)
        self.sent.setdefault(method.__name__, set()).update(parameters)
        if len(self.changes) == self.break_at:
            raise Broken(method.__name__)
        return answer

    return counted


class CodeAccount:
    """Functions, mappings, rules and REST APIs; `changes` names the calls that changed them."""

    exceptions = SimpleNamespace(
        ResourceNotFoundException=ResourceNotFoundException,
        NotFoundException=NotFoundException,
        ResourceConflictException=ResourceConflictException,
        InvalidParameterValueException=InvalidParameterValueException,
        ResourceInUseException=ResourceInUseException,
    )
    meta = SimpleNamespace(partition="aws", region_name=REGION)

    def __init__(self) -> None:
        self.functions: dict[str, Json] = {}
        self.mappings: dict[str, Json] = {}
        self.rules: dict[str, dict[str, str]] = {}
        """The ARNs of each rule's targets by their ids."""
        self.apis: dict[str, Json] = {}
        self.changes: list[str] = []
        self.sent: dict[str, set[str]] = {}
        """The names of the parameters that each changing call has had."""
        self.break_at = 0
        self.concurrency = 1000
        """The account's limit of concurrent executions."""
        self._ids = 0

    def create_client(self, service: str) -> "CodeAccount":
        """Stand in for the session from which Chalice makes its clients."""
        assert service in ("lambda", "apigateway", "events")
        return self

    def get_paginator(self, operation: str) -> SimpleNamespace:
        """Return a paginator whose only page is the operation's answer."""

        def paginate(**parameters: Any) -> Iterator[Json]:
            yield getattr(self, operation)(**parameters)

        return SimpleNamespace(paginate=paginate)

    def get_waiter(self, _: str) -> SimpleNamespace:
        """Return a waiter that needn't wait: everything is ready at once."""
        return SimpleNamespace(wait=lambda **_: None)

    def _new_id(self) -> str:
        self._ids += 1
        return f"id{self._ids}"

    def _function(self, name: str) -> Json:
        try:
            return self.functions[name.rpartition(":")[2]]
        except KeyError:
            raise refusal(ResourceNotFoundException, f"Function not found: {name}") from None

    # Lambda

    def get_function(self, FunctionName: str) -> Json:  # noqa: N803 (boto3's names)
        return {"Configuration": self._function(FunctionName)}

    def get_function_configuration(self, FunctionName: str) -> Json:  # noqa: N803
        return self._function(FunctionName)

    @change
    def create_function(self, FunctionName: str, **settings: Any) -> Json:  # noqa: N803
        if FunctionName in self.functions:
            raise refusal(ResourceConflictException, f"Function already exist: {FunctionName}")
        self.functions[FunctionName] = {
            "FunctionArn": PREFIX + FunctionName,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "Environment": settings["Environment"],
            "tags": settings["Tags"],
            "policy": [],
        }
        return self.functions[FunctionName]

    @change
    def update_function_code(self, FunctionName: str, **_: Any) -> Json:  # noqa: N803
        return self._function(FunctionName)

    @change
    def update_function_configuration(self, FunctionName: str, **settings: Any) -> Json:  # noqa: N803
        self._function(FunctionName)["Environment"] = settings["Environment"]
        return self._function(FunctionName)

    def list_tags(self, Resource: str) -> Json:  # noqa: N803
        return {"Tags": self._function(Resource)["tags"]}

    @change
    def tag_resource(self, Resource: str, Tags: dict[str, str]) -> None:  # noqa: N803
        self._function(Resource)["tags"] |= Tags

    @change
    def untag_resource(self, Resource: str, TagKeys: list[str]) -> None:  # noqa: N803
        for key in TagKeys:
            del self._function(Resource)["tags"][key]

    @change
    def put_function_concurrency(
        self,
        FunctionName: str,  # noqa: N803
        ReservedConcurrentExecutions: int,  # noqa: N803
    ) -> None:
        self._function(FunctionName)["reserved"] = ReservedConcurrentExecutions
        if self.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] < 100:
            del self._function(FunctionName)["reserved"]
            raise refusal(InvalidParameterValueException, "decreases ... below its minimum value")

    @change
    def delete_function_concurrency(self, FunctionName: str) -> None:  # noqa: N803
        self._function(FunctionName).pop("reserved", None)

    def get_function_concurrency(self, FunctionName: str) -> Json:  # noqa: N803
        function = self._function(FunctionName)
        if "reserved" in function:
            return {"ReservedConcurrentExecutions": function["reserved"]}
        return {}

    def get_account_settings(self) -> Json:
        reserved = sum(f.get("reserved", 0) for f in self.functions.values())
        return {
            "AccountLimit": {
                "ConcurrentExecutions": self.concurrency,
                "UnreservedConcurrentExecutions": self.concurrency - reserved,
            }
        }

    @change
    def delete_function(self, FunctionName: str) -> None:  # noqa: N803
        del self.functions[self._function(FunctionName)["FunctionArn"].rpartition(":")[2]]

    def get_policy(self, FunctionName: str) -> Json:  # noqa: N803
        if not (policy := self._function(FunctionName)["policy"]):
            raise refusal(ResourceNotFoundException, "No policy is associated")
        return {"Policy": json.dumps({"Statement": policy})}

    @change
    def add_permission(
        self,
        FunctionName: str,  # noqa: N803
        Principal: str,  # noqa: N803
        SourceArn: str,  # noqa: N803
        Action: str,  # noqa: N803
        **_: str,
    ) -> None:
        statement = {
            "Action": Action,
            "Principal": {"Service": Principal},
            "Condition": {"ArnLike": {"AWS:SourceArn": SourceArn}},
        }
        self._function(FunctionName)["policy"].append(statement)

    @change
    def put_function_event_invoke_config(self, FunctionName: str, **settings: Any) -> None:  # noqa: N803
        self._function(FunctionName)["on_failure"] = settings["DestinationConfig"]

    @change
    def create_event_source_mapping(
        self,
        EventSourceArn: str,  # noqa: N803
        FunctionName: str,  # noqa: N803
        **_: Any,
    ) -> Json:
        for mapping in self.mappings.values():
            if (mapping["EventSourceArn"], mapping["FunctionArn"]) == (
                EventSourceArn,
                FunctionName,
            ):
                raise refusal(ResourceConflictException, "An event source mapping already exists")
        return self.put_mapping(EventSourceArn, FunctionName)

    def put_mapping(self, queue_arn: str, function_arn: str, state: str = "Enabled") -> Json:
        """Add a mapping, also where AWS would refuse a second one."""
        uuid = self._new_id()
        self.mappings[uuid] = {
            "UUID": uuid,
            "EventSourceArn": queue_arn,
            "FunctionArn": function_arn,
            "State": state,
        }
        return self.mappings[uuid]

    def get_event_source_mapping(self, UUID: str) -> Json:  # noqa: N803
        if UUID not in self.mappings:
            raise refusal(ResourceNotFoundException, UUID)
        return self.mappings[UUID]

    def list_event_source_mappings(self, FunctionName: str) -> Json:  # noqa: N803
        end = f":{FunctionName}"
        found = [m for m in self.mappings.values() if m["FunctionArn"].endswith(end)]
        return {"EventSourceMappings": found}

    @change
    def update_event_source_mapping(self, UUID: str, **_: Any) -> Json:  # noqa: N803
        return self.get_event_source_mapping(UUID)

    @change
    def delete_event_source_mapping(self, UUID: str) -> Json:  # noqa: N803
        self.get_event_source_mapping(UUID)
        return self.mappings.pop(UUID)

    # EventBridge

    def describe_rule(self, Name: str) -> Json:  # noqa: N803
        if Name not in self.rules:
            raise refusal(ResourceNotFoundException, f"Rule {Name} does not exist")
        return {"Name": Name}

    def list_targets_by_rule(self, Rule: str) -> Json:  # noqa: N803
        self.describe_rule(Rule)
        return {"Targets": [{"Id": key, "Arn": arn} for key, arn in self.rules[Rule].items()]}

    @change
    def put_rule(self, Name: str, ScheduleExpression: str, Description: str) -> Json:  # noqa: N803
        assert (ScheduleExpression, Description) == ("rate(1 minute)", "")
        self.rules.setdefault(Name, {})
        return {"RuleArn": f"arn:aws:events:{REGION}:111122223333:rule/{Name}"}

    @change
    def put_targets(self, Rule: str, Targets: list[Json]) -> None:  # noqa: N803
        self.describe_rule(Rule)
        self.rules[Rule].update({target["Id"]: target["Arn"] for target in Targets})

    @change
    def remove_targets(self, Rule: str, Ids: list[str]) -> None:  # noqa: N803
        self.describe_rule(Rule)
        for key in Ids:
            self.rules[Rule].pop(key, None)

    @change
    def delete_rule(self, Name: str) -> None:  # noqa: N803
        if self.rules[Name]:
            raise refusal(ValidationException, "Rule can't be deleted since it has targets")
        del self.rules[Name]

    # API Gateway

    @change
    def import_rest_api(self, body: str, parameters: Json) -> Json:
        assert parameters.keys() == {"endpointConfigurationTypes"}
        return self.put_api(json.loads(body), parameters["endpointConfigurationTypes"])

    def put_api(self, swagger: Json, endpoint: str = "EDGE") -> Json:
        """Add an API of this Swagger document; any number of them may have one name."""
        api_id = self._new_id()
        self.apis[api_id] = {"swagger": swagger, "stages": {}, "endpoint": endpoint}
        return {"id": api_id}

    def _api(self, api_id: str) -> Json:
        if api_id not in self.apis:
            raise refusal(NotFoundException, "Invalid API identifier specified")
        return self.apis[api_id]

    def get_rest_api(self, restApiId: str) -> Json:  # noqa: N803
        endpoint = self._api(restApiId)["endpoint"]
        name = self._api(restApiId)["swagger"]["info"]["title"]
        return {"id": restApiId, "name": name, "endpointConfiguration": {"types": [endpoint]}}

    def get_rest_apis(self) -> Json:
        return {"items": [self.get_rest_api(restApiId=api_id) for api_id in self.apis]}

    def get_resources(self, restApiId: str, embed: list[Literal["methods"]]) -> Json:  # noqa: N803
        assert embed == ["methods"]
        return {
            "items": [
                {
                    "path": path,
                    "resourceMethods": {
                        verb.upper(): {
                            "authorizationType": "AWS_IAM" if method.get("security") else "NONE",
                            "methodIntegration": {
                                "uri": method["x-amazon-apigateway-integration"]["uri"]
                            },
                        }
                        for verb, method in methods.items()
                    },
                }
                for path, methods in self._api(restApiId)["swagger"]["paths"].items()
            ]
        }

    @change
    def put_rest_api(self, restApiId: str, mode: str, body: str) -> None:  # noqa: N803
        assert mode == "overwrite"
        self._api(restApiId)["swagger"] = json.loads(body)

    @change
    def update_rest_api(self, restApiId: str, patchOperations: list[Json]) -> None:  # noqa: N803
        api = self._api(restApiId)
        for patch in patchOperations:
            if patch["path"].startswith("/endpointConfiguration/types/"):
                assert patch["path"].endswith(api["endpoint"])
                api["endpoint"] = patch["value"]

    @change
    def create_deployment(
        self,
        restApiId: str,  # noqa: N803
        stageName: str,  # noqa: N803
        tracingEnabled: bool,  # noqa: N803
    ) -> None:
        assert tracingEnabled is False
        # A stage that exists is pointed to the new deployment and keeps its settings.
        self._api(restApiId)["stages"].setdefault(stageName, {})

    @change
    def update_stage(self, restApiId: str, stageName: str, patchOperations: list[Json]) -> None:  # noqa: N803
        if stageName not in self._api(restApiId)["stages"]:
            raise refusal(NotFoundException, "Invalid stage identifier specified")
        if len(patchOperations) > 80:
            raise refusal(BadRequestException, "Update size too large")
        for patch in patchOperations:
            assert patch["op"] == "replace"
            self._api(restApiId)["stages"][stageName][patch["path"]] = patch["value"]

    @change
    def delete_rest_api(self, restApiId: str) -> None:  # noqa: N803
        self._api(restApiId)
        del self.apis[restApiId]
