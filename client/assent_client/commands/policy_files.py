"""Files of policies: found, read and checked without an API."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from ..errors import Forbidden
from ..policy_rules import find_name_problem, find_problem
from ..shapes import Problem
from .inputs import document_in

ENDINGS = (".json", ".yaml", ".yml")
"""The files of a folder that hold policies."""

PATHS = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
"""The argument of commands that read them."""


class PolicyFile(NamedTuple):
    """A file with one policy; `problem` is the first thing wrong with it, None if nothing is."""

    path: Path
    name: str
    policy: dict[str, Any]
    problem: Problem | None = None


def read_files(paths: Sequence[Path]) -> list[PolicyFile]:
    """Return the policies in files and folders, each checked as far as that needs no stage.

    Raises UsageError for a folder without any.
    """
    found, owners = list[PolicyFile](), dict[str, Path]()
    for path in _files(paths):
        one = _read(path)
        owner = owners.setdefault(one.name, path)
        if one.problem is None and owner != path:
            twice = Problem("name", f"{one.name} is the policy of {owner} already")
            one = one._replace(problem=twice)
        found.append(one)
    return found


def said(file: PolicyFile) -> str:
    """Return in one line that a file is ok, or what is wrong with it."""
    if file.problem is None:
        return f"{file.path}: ok"
    parts = (str(file.path), file.problem.field, file.problem.why)
    return ": ".join(part for part in parts if part)


def _files(paths: Sequence[Path]) -> Iterable[Path]:
    """Return the files, each once; of a folder those in it, sorted by name."""
    found: dict[Path, Path] = {}
    for path in paths:
        inside = [path]
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if _is_policy(one))
            if not inside:
                raise click.UsageError(f"{path}: holds no *{', *'.join(ENDINGS)}")
        for one in inside:
            found.setdefault(one.resolve(), one)
    return found.values()


def _is_policy(path: Path) -> bool:
    return path.suffix in ENDINGS and not path.name.startswith(".") and path.is_file()


def _read(path: Path) -> PolicyFile:
    try:
        policy = document_in(path.read_text("utf-8-sig"), "", "policy")
    except UnicodeDecodeError:
        return PolicyFile(path, path.stem, {}, Problem("", "isn't text in UTF-8"))
    except OSError as e:
        return PolicyFile(path, path.stem, {}, Problem("", f"can't be read: {e.strerror}"))
    except click.UsageError as e:
        return PolicyFile(path, path.stem, {}, Problem("", e.message.removeprefix(": ")))
    name = policy.pop("name", path.stem)
    problem = find_name_problem(name) or find_problem(policy)
    return PolicyFile(path, str(name), policy, problem)


@contextmanager
def authors_alone() -> Iterator[None]:
    """Say whose permission is needed where the API forbids a call that writes policies."""
    try:
        yield
    except Forbidden as e:
        advice = "writing policies needs the stack's PolicyAuthorPolicyArn"
        raise Forbidden(e.status, e.code, f"{e.message}; {advice}") from None
