"""What every `chalice deploy` sets anew, whatever was set by hand: docs/operating.md lists it."""

import json

from .checkout import Checkout
from .conftest import CHECKOUT, DEV


def test_a_deploy_sends_the_settings_that_the_docs_list_and_no_others(checkout: Checkout) -> None:
    """An upgrade of Chalice that sets more would undo somebody's settings without a word."""
    checkout.deploy()
    checkout.aws.sent.clear()
    checkout.chalice.deploy(DEV)
    assert checkout.aws.sent == {
        "update_function_code": {"FunctionName", "ZipFile", "Architectures"},
        "update_function_configuration": {
            *("FunctionName", "Environment", "Runtime", "Timeout", "MemorySize", "Role", "Layers"),
            "VpcConfig",
        },
        "put_function_concurrency": {"FunctionName", "ReservedConcurrentExecutions"},
        "delete_function_concurrency": {"FunctionName"},
        "update_event_source_mapping": {"UUID", "BatchSize", "MaximumBatchingWindowInSeconds"},
        "put_rule": {"Name", "ScheduleExpression", "Description"},
        "put_targets": {"Rule", "Targets"},
        "put_rest_api": {"restApiId", "mode", "body"},
        "update_rest_api": {"restApiId", "patchOperations"},
        "create_deployment": {"restApiId", "stageName", "tracingEnabled"},
    }


def test_tags_of_your_own_are_removed_unless_config_json_has_them(checkout: Checkout) -> None:
    """Chalice removes every tag that it wasn't told of."""
    checkout.deploy()
    checkout.aws.functions["assent-dev"]["tags"]["team"] = "ours"
    checkout.chalice.deploy(DEV)
    assert "team" not in checkout.aws.functions["assent-dev"]["tags"]
    path = checkout.folder / ".chalice" / "config.json"
    config = json.loads(path.read_text())
    config["stages"]["dev"]["tags"] = {"team": "ours"}
    path.write_text(json.dumps(config))
    checkout.chalice.deploy(DEV)
    assert checkout.aws.functions["assent-dev"]["tags"]["team"] == "ours"


def test_the_docs_name_the_settings() -> None:
    """Each one that Chalice resets, in one section."""
    page = (CHECKOUT / "docs" / "operating.md").read_text("utf-8")
    _, _, section = page.partition("## What each deploy sets anew")
    section, _, _ = section.partition("\n## ")
    for setting in (
        *("reserved_concurrency", "layers", "environment_variables", "tags", "lambda_timeout"),
        *(
            "lambda_memory_size",
            "lambda_architecture",
            "iam_role_arn",
            "rule",
            "batch size",
            "xray",
        ),
    ):
        assert setting in section, setting
