"""Times as text."""

from datetime import UTC, datetime, timedelta, timezone

from chalicelib.domain.timestamps import iso


def test_times_are_whole_seconds_of_utc() -> None:
    """They end in Z and have no fraction, so they sort as text."""
    moment = datetime(2026, 2, 3, 4, 5, 6, 999_999, tzinfo=UTC)
    assert iso(moment) == "2026-02-03T04:05:06Z"
    assert iso(moment.astimezone(timezone(timedelta(hours=2)))) == "2026-02-03T04:05:06Z"
