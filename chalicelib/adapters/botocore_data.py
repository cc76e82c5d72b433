"""botocore's data files: a loader that reads few of them, because each is read at a cold start."""

from typing import Any

from botocore.loaders import Loader

SERVICES = ["dynamodb", "events", "sns", "sqs", "stepfunctions"]


class FewFiles(Loader):
    """A loader for SERVICES. boto3 is asked instead if it can't make a client with it.

    The gains are parts of a bare handler's cold first page (docs/decisions/0030-*.md).
    """

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 (botocore's)
        """Return SERVICES, without botocore's search of 400 folders (0.06)."""
        return SERVICES

    def load_data_with_path(self, name: str) -> Any:
        """Return a data file; from the 7 kB of `partitions` in place of `endpoints` (0.06).

        `endpoints` has 1.25 MB, of which a client of SERVICES needs each partition's regions and
        domain. Its URL comes from the service's endpoint rules, which read `partitions` as well.
        """
        if name != "endpoints":
            return super().load_data_with_path(name)
        found, path = super().load_data_with_path("partitions")
        return {"version": 3, "partitions": list(map(_endpoints, found["partitions"]))}, path


def _endpoints(partition: Any) -> dict[str, Any]:
    """Return a partition as `endpoints` has it, with no exceptions for services."""
    return {
        "partition": partition["id"],
        "dnsSuffix": partition["outputs"]["dnsSuffix"],
        "regionRegex": partition["regionRegex"],
        "regions": {name: {} for name in partition["regions"]},
        "services": {},
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
        },
    }
