"""The arrows of import, from each module's own label, and that importing has no effects."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "chalicelib"
MAY_IMPORT = {
    "CORE": {"CORE"},
    "USE CASES": {"CORE", "USE CASES"},
    "ADAPTER": {"CORE", "ADAPTER"},
    "EDGE": {"CORE", "ADAPTER", "EDGE"},
    "DOORS": {"CORE", "USE CASES", "EDGE", "DOORS"},
}
"""Label -> the labels of what it may import.

CORE <- workflow <- app, and CORE <- adapters <- wiring <- app.
"""
IMPURE = {
    "boto3", "botocore", "chalice", "os", "time", "random", "secrets", "uuid", "socket", "logging",
    "subprocess", "urllib", "http", "threading",
}  # fmt: skip
SHIPPED = {"msgspec", "markupsafe", "botocore", "chalice"}
"""What is there in Lambda beside Python itself: requirements.txt, the runtime's, chalice's own."""


def _files() -> list[Path]:
    found = sorted((ROOT / PACKAGE).rglob("*.py"))
    return [path for path in found if path != ROOT / PACKAGE / "__init__.py"] + [ROOT / "app.py"]


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _label(path: Path) -> str:
    """Return the label that opens the module's docstring: `CORE: what it is for`."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition(":")[0]


def _imports(path: Path, *, typing_too: bool = True) -> Iterator[str]:
    """Yield the full name of everything the file imports, wherever in it."""
    package = _name(path).split(".") if path.name == "__init__.py" else _name(path).split(".")[:-1]
    tree = ast.parse(path.read_text())
    skipped = set[ast.AST]()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            skipped |= {inner for statement in node.body for inner in ast.walk(statement)}
    for node in ast.walk(tree):
        if node in skipped and not typing_too:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            raise AssertionError(f"{_name(path)} imports by a call, which hides an arrow")


def _roots(path: Path, *, typing_too: bool = True) -> set[str]:
    return {name.partition(".")[0] for name in _imports(path, typing_too=typing_too)}


LABELS = {_name(path): _label(path) for path in _files()}
every_module = pytest.mark.parametrize("path", _files(), ids=_name)


def test_there_are_modules_to_judge() -> None:
    """Each label is some module's, so that no arrow is held by nothing."""
    assert set(LABELS.values()) == set(MAY_IMPORT)
    assert sorted(name for name, label in LABELS.items() if label == "DOORS") == [
        "app",
        f"{PACKAGE}.linked",
        f"{PACKAGE}.listed",
        f"{PACKAGE}.messages",
    ]


@every_module
def test_every_module_says_where_it_stands(path: Path) -> None:
    """A module's docstring opens with its label; one without has no place on the map."""
    assert _label(path) in MAY_IMPORT


@every_module
def test_imports_follow_the_arrows(path: Path) -> None:
    """A module imports only what its label allows."""
    for name in set(_imports(path)) & set(LABELS) - {_name(path)}:
        assert LABELS[name] in MAY_IMPORT[LABELS[_name(path)]], f"{_name(path)} imports {name}"


@every_module
def test_nothing_that_ships_imports_what_does_not(path: Path) -> None:
    """Tools, tests and the rest stay on a person's machine."""
    allowed = SHIPPED | {PACKAGE} | set(sys.stdlib_module_names)
    assert _roots(path, typing_too=False) <= allowed


@every_module
def test_core_and_use_cases_know_neither_aws_nor_the_clock_nor_the_environment(path: Path) -> None:
    """What rules and the order of effects need of the world is handed to them."""
    if LABELS[_name(path)] in ("CORE", "USE CASES"):
        assert not _roots(path) & IMPURE
        called = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
        }
        assert not called & {"now", "today", "utcnow", "environ", "getenv", "urandom"} - (
            {"now"} if LABELS[_name(path)] == "USE CASES" else set()
        )


@every_module
def test_botocore_stays_in_adapters_and_edge_and_chalice_in_the_doors(path: Path) -> None:
    """Each framework has one place; boto3, slower to import, has none."""
    roots, label = _roots(path), LABELS[_name(path)]
    assert "boto3" not in roots
    assert "botocore" not in roots or label == "ADAPTER" or _name(path) == f"{PACKAGE}.wiring"
    assert "chalice" not in roots or _name(path) == "app"
    assert "os" not in roots or label in ("EDGE", "DOORS")


def test_only_wiring_makes_clients() -> None:
    """`create_client` and `boto3.client` are called in one module."""
    makers = [_name(p) for p in _files() if "create_client" in p.read_text()]
    assert makers == [f"{PACKAGE}.wiring"]


IMPORTED = """
import json, os, sys

class Watched(dict):
    asked = set()
    def __getitem__(self, key): self.asked.add(key); return super().__getitem__(key)
    def get(self, key, default=None): self.asked.add(key); return super().get(key, default)
    def __contains__(self, key): self.asked.add(key); return super().__contains__(key)

os.environ = Watched(os.environ)
import app
print(json.dumps({
    "made": sorted(vars(app.wiring)),
    "clients": [m for m in sys.modules if m == "boto3" or m.startswith("botocore.loaders.")],
    "asked": sorted(k for k in Watched.asked if k.startswith("ASSENT_")),
    "foreign": sorted(m for m in ("tools", "tests", "moto", "boto3") if m in sys.modules),
}))
"""


def test_importing_the_app_reads_the_stages_name_alone_and_makes_no_client() -> None:
    """In a fresh process with an empty environment `import app` works and does nothing.

    The name is in those of the queues, which Chalice wants then (docs/decisions/0010-*.md).
    """
    run = subprocess.run(
        [sys.executable, "-B", "-c", IMPORTED],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert found == {"made": ["_env"], "clients": [], "asked": ["ASSENT_STAGE"], "foreign": []}
