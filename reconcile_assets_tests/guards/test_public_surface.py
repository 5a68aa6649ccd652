"""What the package offers by name is there, and nothing else is promised."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import reconcile_assets


@pytest.mark.parametrize("name", reconcile_assets.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(reconcile_assets, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'reconcile_everything'"):
        reconcile_assets.reconcile_everything  # noqa: B018  # looking is the test


def test_names_that_type_checkers_see_are_those_that_load() -> None:
    tree = ast.parse(Path(reconcile_assets.__file__).read_text())
    imported = {
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("reconcile_assets.")
        for alias in node.names
    }

    assert imported == {(f"reconcile_assets.{home}", name) for name, home in reconcile_assets._HOMES.items()}
    assert sorted(reconcile_assets.__all__) == sorted(reconcile_assets._HOMES)


@pytest.mark.parametrize("name", ["ReconciledTables", "ReconcileResource", "ReconcileTranslator"])
def test_what_can_be_overridden_shows_a_subclass(name: str) -> None:
    shown = inspect.getsource(getattr(reconcile_assets, name))

    assert re.search(rf"^ +class \w+\([\w.]*{name}\):$", shown, re.MULTILINE)
