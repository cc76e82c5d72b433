"""A stage's settings, from its environment variables."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from .domain.errors import Misconfigured

MOST_RETENTION_DAYS = 36_500


class Settings(NamedTuple):
    """The stage this code runs in. `tools/config.py` writes the variables."""

    stage: str
    table: str
    state_machine_arn: str
    topic_arn_prefix: str
    dead_letters_url: str
    public_url: str
    approver_domains: tuple[str, ...]
    retention_days: int | None = None
    """How long an approval is kept after it is closed and delivered; None: for ever."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Return the settings in `ASSENT_*`; raise Misconfigured naming all that are missing.

        ASSENT_RETENTION_DAYS alone may be missing. A URL at `.invalid` counts as missing: a first
        deploy has it until its API is made.
        """
        names = [f"ASSENT_{f.upper()}" for f in cls._fields if f not in cls._field_defaults]
        missing = [name for name in names if not _is_set(env.get(name, ""))]
        if missing:
            raise Misconfigured(
                f"environment variables missing: {', '.join(missing)}; "
                "`make deploy STAGE=...` records them in .chalice/config.json"
            )
        stage, table, state_machine, topics, letters, public_url, domains = map(
            env.__getitem__, names
        )
        split = tuple(d.strip().lower() for d in domains.split(",") if d.strip())
        days = retention_days(env.get("ASSENT_RETENTION_DAYS", ""))
        url = public_url.rstrip("/")
        return cls(stage, table, state_machine, topics, letters, url, split, days)


def retention_days(written: str) -> int | None:
    """Return that number of days, None for `keep` or nothing; raise Misconfigured for the rest."""
    if written.strip() in ("", "keep"):
        return None
    days = int(written) if re.fullmatch(r"[0-9]{1,5}", written.strip()) else 0
    if not 1 <= days <= MOST_RETENTION_DAYS:
        raise Misconfigured(
            f"ASSENT_RETENTION_DAYS is {written[:20]!r}: 1 to {MOST_RETENTION_DAYS} days, or keep"
        )
    return days


def _is_set(value: str) -> bool:
    return bool(value.strip(" ,")) and not value.rstrip("/").endswith(".invalid")
