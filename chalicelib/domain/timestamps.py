"""Times as text: ISO 8601, UTC, whole seconds, as the wire and the table write them."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Return the time as `2026-11-29T17:31:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
