"""Pages of the fakes, in the order in which the adapters list."""

from datetime import datetime


def listed(
    dated: list[tuple[datetime, str]], most: int, after: str, *, newest: bool = False
) -> tuple[list[str], str]:
    """Return a page of ids in the order of their times, and where the next page begins."""
    places = sorted((f"{at:%Y-%m-%dT%H:%M:%SZ}_{one}" for at, one in dated), reverse=newest)
    behind = [
        place for place in places if not after or (place < after if newest else place > after)
    ]
    more = behind[most - 1] if len(behind) > most else ""
    return [place.partition("_")[2] for place in behind[:most]], more
