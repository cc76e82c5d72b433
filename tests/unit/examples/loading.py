"""Loads an example's `app.py` as Lambda does: with its own `chalicelib` and variables."""

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest

from examples.deployment import variables
from examples.example import HERE
from tools.template import load_template


def load(name: str) -> Any:
    """Return the module `app` of an example.

    In Lambda an example's `chalicelib` is the only package of that name. Here Assent's has the
    name. While `app` is loaded it is replaced by the example's, whose modules are the same objects
    that tests import by their full names.
    """
    outputs = load_template(HERE / name / "infrastructure.yaml")["Outputs"]
    package = f"examples.{name}.chalicelib"
    stems = sorted(path.stem for path in (HERE / name / "chalicelib").glob("*.py"))
    with pytest.MonkeyPatch.context() as patch:
        for variable in variables(outputs):
            patch.setenv(variable, "documents")
        for module in [module for module in sys.modules if module.split(".")[0] == "chalicelib"]:
            patch.delitem(sys.modules, module)
        for suffix in ["" if stem == "__init__" else f".{stem}" for stem in stems]:
            patch.setitem(sys.modules, f"chalicelib{suffix}", import_module(package + suffix))
        spec = spec_from_file_location(f"app_of_{name}", HERE / name / "app.py")
        assert spec is not None
        assert spec.loader is not None
        loaded = module_from_spec(spec)
        spec.loader.exec_module(loaded)
    return loaded
