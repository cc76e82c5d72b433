"""A stage's settings, from its environment variables."""

from collections.abc import Mapping
from typing import NamedTuple

from .domain.errors import Misconfigured


class Settings(NamedTuple):
    """The stage this code runs in. `tools/config.py` writes the variables."""

    stage: str
    table: str
    state_machine_arn: str
    topic_arn_prefix: str
    dead_letters_url: str
    public_url: str
    approver_domains: tuple[str, ...]

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Return the settings in `ASSENT_*`; raise Misconfigured naming all that are missing.

        A URL at `.invalid` counts as missing: a first deploy has it until its API is made.
        """
        names = [f"ASSENT_{field.upper()}" for field in cls._fields]
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
        return cls(stage, table, state_machine, topics, letters, public_url.rstrip("/"), split)


def _is_set(value: str) -> bool:
    return bool(value.strip(" ,")) and not value.rstrip("/").endswith(".invalid")
