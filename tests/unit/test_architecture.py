"""The arrows between the layers, read from the modules' paths, and what importing does."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "chalicelib"
PURE = {"domain", "presentation"}
MAY_IMPORT = {
    "domain": {"domain"},
    "presentation": {"domain", "presentation"},
    "application": {"domain", "presentation", "application"},
    "adapters": {"domain", "adapters"},
    "entrypoints": {"domain", "presentation", "application", "entrypoints"},
    "settings": {"domain"},
    "wiring": {"domain", "adapters", "settings"},
    "cold_start": set(),
    "app": {"domain", "presentation", "application", "entrypoints", "wiring", "cold_start"},
}
"""Layer -> the layers it may import, as docs/architecture.md draws them."""
FOR_TYPES = {"adapters": {"application.ports", "presentation.mail_text", "presentation.json_types"}}
"""Layer -> modules it may import besides, under TYPE_CHECKING alone: the shapes of the ports."""
IMPURE = {
    "boto3", "botocore", "chalice", "os", "time", "random", "secrets", "uuid", "socket", "logging",
    "subprocess", "urllib", "http", "threading",
}  # fmt: skip
SHIPPED = {"msgspec", "markupsafe", "wcwidth", "boto3", "botocore", "chalice"}
"""The packages in Lambda: those of requirements.txt, of the runtime, and of Chalice itself."""


def _files() -> list[Path]:
    found = sorted((ROOT / PACKAGE).rglob("*.py"))
    return [path for path in found if path.name != "__init__.py"] + [ROOT / "app.py"]


def _name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def _layer(name: str) -> str:
    """Return the layer of a module: the folder in the package, or the module beside them."""
    parts = name.removeprefix(f"{PACKAGE}.").split(".")
    return parts[0]


def _imports(path: Path, *, typing_too: bool = True) -> Iterator[str]:
    """Yield the full name of everything the file imports, wherever in it."""
    package = _name(path).split(".")[:-1]
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
    """Return the packages that the file imports; `urllib.parse` does no I/O, and is one itself."""
    names = _imports(path, typing_too=typing_too)
    return {"urllib.parse" if n.startswith("urllib.parse") else n.partition(".")[0] for n in names}


MODULES = {_name(path) for path in _files()}
every_module = pytest.mark.parametrize("path", _files(), ids=_name)


def test_every_layer_has_modules_and_every_module_a_layer() -> None:
    """No arrow would apply to a folder that isn't in the table."""
    assert {_layer(name) for name in MODULES} == set(MAY_IMPORT)


def test_every_init_file_is_empty() -> None:
    """One that imports would hide arrows."""
    packages = list((ROOT / PACKAGE).rglob("__init__.py"))
    assert len(packages) > 5
    assert [path for path in packages if path.read_text()] == []


@every_module
def test_a_module_opens_with_what_it_is_for(path: Path) -> None:
    """In a docstring that begins with one sentence."""
    opening = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
    assert opening.endswith((".", ":"))


@every_module
def test_imports_follow_the_arrows(path: Path) -> None:
    """A module imports only what its layer allows."""
    name = _name(path)
    allowed = MAY_IMPORT[_layer(name)]
    run = set(_imports(path, typing_too=False)) & MODULES
    for found in set(_imports(path)) & MODULES - {name}:
        for_types = found.removeprefix(f"{PACKAGE}.") in FOR_TYPES.get(_layer(name), ())
        assert _layer(found) in allowed or (for_types and found not in run), f"imports {found}"


@every_module
def test_code_in_lambda_imports_only_what_is_deployed(path: Path) -> None:
    """Neither tools nor tests."""
    allowed = SHIPPED | {PACKAGE, "urllib.parse"} | set(sys.stdlib_module_names)
    assert _roots(path, typing_too=False) <= allowed


@every_module
def test_only_adapters_and_wiring_know_aws_the_clock_and_the_environment(path: Path) -> None:
    """Domain, presentation and use cases are given the time and everything else as arguments."""
    layer = _layer(_name(path))
    if layer in PURE | {"application"}:
        assert not _roots(path) & IMPURE
        tree = ast.parse(path.read_text())
        used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        clock = {"now"} if layer == "application" else set()
        assert not used & {"now", "today", "utcnow", "environ", "getenv", "urandom"} - clock


@every_module
def test_each_framework_is_imported_in_one_place(path: Path) -> None:
    """Botocore is in adapters and wiring, boto3 in wiring, chalice in app."""
    roots, layer = _roots(path), _layer(_name(path))
    assert "boto3" not in roots or layer == "wiring"
    assert "botocore" not in roots or layer in ("adapters", "wiring")
    assert "chalice" not in roots or layer == "app"
    assert "os" not in roots or layer in ("wiring", "app")


def test_only_wiring_makes_clients() -> None:
    """`boto3.client` and its like are called in one module."""
    makers = [_name(p) for p in _files() if ".client" in p.read_text().replace("self._client", "")]
    assert makers == [f"{PACKAGE}.wiring"]


def _callbacks(tree: ast.AST) -> list[str]:
    """Return the functions that are defined inside others, lambdas, and `nonlocal`s."""
    inner = [
        node.name
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef)
        for node in ast.walk(outer)
        if isinstance(node, ast.FunctionDef) and node is not outer
    ]
    others = [
        type(node).__name__
        for node in ast.walk(tree)
        if isinstance(node, ast.Lambda | ast.Nonlocal)
    ]
    return inner + others


@every_module
def test_a_use_case_reads_downwards(path: Path) -> None:
    """No function is passed on to be called back, and none changes its caller's variables."""
    if _layer(_name(path)) in ("application", "entrypoints") and path.stem != "answering":
        assert _callbacks(ast.parse(path.read_text())) == []


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
    "clients": [m for m in sys.modules if m.startswith("botocore.loaders.")],
    "asked": sorted(k for k in Watched.asked if k.startswith("ASSENT_")),
    "foreign": sorted(m for m in ("tools", "tests", "moto", "wcwidth") if m in sys.modules),
}))
"""


def test_importing_the_app_reads_the_stages_name_alone_and_makes_no_client() -> None:
    """In a fresh process with an empty environment.

    Chalice reads the queues' names at import, and they have the stage's (docs/decisions/0010-*.md).
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
