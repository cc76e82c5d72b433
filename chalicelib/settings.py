"""A stage's settings, from its environment variables."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from .domain.errors import Misconfigured

MOST_DAYS = 36_500
NAME_CHARACTERS = 40
"""A longer name of organisation and stage would leave a mail's subject too little room."""
DETAILS_DAYS = 30
"""Days for which links show details, unless the stage says otherwise."""


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
    details_days: int | None = DETAILS_DAYS
    """How long after the outcome its links show details and reasons; None: for ever."""
    require_policy: bool = False
    """Whether each request must name a policy."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Return the settings in `ASSENT_*`; raise Misconfigured naming all that are missing.

        ASSENT_RETENTION_DAYS, ASSENT_DETAILS_DAYS and ASSENT_REQUIRE_POLICY may be missing. A URL
        at `.invalid` counts as missing: a first deploy has it until its API is made.
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
        kept = days("ASSENT_RETENTION_DAYS", env, default="keep")
        shown = days("ASSENT_DETAILS_DAYS", env, default=str(DETAILS_DAYS))
        url = public_url.rstrip("/")
        required = _yes_or_no("ASSENT_REQUIRE_POLICY", env)
        return cls(stage, table, state_machine, topics, letters, url, split, kept, shown, required)


def stage_name(env: Mapping[str, str]) -> str:
    """Return the name of organisation and stage in ASSENT_NAME, for people; "" if there is none.

    It stands on every page, also on one about faulty settings, so what is too long is left out.
    """
    name = " ".join(env.get("ASSENT_NAME", "").split())
    return "".join(filter(str.isprintable, name))[:NAME_CHARACTERS]


def days(name: str, env: Mapping[str, str], *, default: str) -> int | None:
    """Return the number of days in that variable, None for `keep`; Misconfigured for the rest."""
    written = env.get(name, "").strip() or default
    if written == "keep":
        return None
    number = int(written) if re.fullmatch(r"[0-9]{1,5}", written) else 0
    if not 1 <= number <= MOST_DAYS:
        raise Misconfigured(f"{name} is {written[:20]!r}: 1 to {MOST_DAYS} days, or keep")
    return number


def _yes_or_no(name: str, env: Mapping[str, str]) -> bool:
    """Return whether that variable says `yes`; Misconfigured for anything but yes, no and ""."""
    written = env.get(name, "").strip().lower()
    if written not in ("", "no", "yes"):
        raise Misconfigured(f"{name} is {written[:20]!r}: yes or no")
    return written == "yes"


def _is_set(value: str) -> bool:
    return bool(value.strip(" ,")) and not value.rstrip("/").endswith(".invalid")
