"""The loader of few files: its clients are the same as boto3's, in every partition and region."""

from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import NoRegionError

import chalicelib.wiring
from chalicelib.adapters.botocore_data import SERVICES, FewFiles
from chalicelib.wiring import Wiring

pytestmark = pytest.mark.usefixtures("credentials")

UNKNOWN_REGIONS = ["eu-central-9", "cn-south-9", "us-gov-north-9", "mx-north-9"]
"""Regions that this botocore doesn't know: its pattern for a partition finds theirs."""


def session(loader: FewFiles | None) -> boto3.Session:
    """Return a session with that loader, or with botocore's own."""
    core = botocore.session.get_session()
    if loader:
        core.register_component("data_loader", loader)
    return boto3.Session(botocore_session=core)


def regions() -> Iterator[str]:
    """Yield every region of every partition."""
    ordinary = boto3.Session()
    for partition in ordinary.get_available_partitions():
        yield from ordinary.get_available_regions("dynamodb", partition)
    yield from UNKNOWN_REGIONS


def described(client: Any) -> dict[str, Any]:
    """Return where a client sends its calls, and how it signs them."""
    signer = client._request_signer
    return {
        "url": client.meta.endpoint_url,
        "region": client.meta.region_name,
        "partition": client.meta.partition,
        "signature": client.meta.config.signature_version,
        "signed for": (signer.signing_name, signer.region_name, signer.signature_version),
    }


def test_its_clients_are_the_ordinary_ones() -> None:
    """URL, partition and signature are the same, for each service in each region."""
    few: Any = session(FewFiles())
    ordinary: Any = session(None)
    found = list(regions())
    assert len(found) > 30
    for region in found:
        for service in SERVICES:
            ours, theirs = (
                described(one.client(service, region_name=region)) for one in (few, ordinary)
            )
            assert ours == theirs


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "https://dynamodb-fips.us-east-1.amazonaws.com"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "https://dynamodb.us-east-1.api.aws"),
    ],
)
def test_a_variant_of_an_endpoint_is_the_ordinary_clients(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`partitions` has no variants, so boto3 is asked."""
    monkeypatch.setenv(variable, "true")
    assert Wiring({})._client("dynamodb").meta.endpoint_url == url


def test_a_botocore_that_needs_more_gets_the_ordinary_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Lambda's botocore changes without a deployment, and a stage has to outlive that."""

    class Broken(FewFiles):
        def load_data_with_path(self, name: str) -> Any:
            raise KeyError(name)

    monkeypatch.setattr(chalicelib.wiring, "FewFiles", Broken)
    client: Any = Wiring({})._client("sns")
    assert client.meta.endpoint_url == "https://sns.us-east-1.amazonaws.com"
    assert client.meta.config.connect_timeout == 1


def test_what_an_ordinary_client_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second try has the error that counts."""
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(NoRegionError):
        Wiring({})._client("sns")
