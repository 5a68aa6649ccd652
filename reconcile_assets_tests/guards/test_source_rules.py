"""Rules of this code base that no linter knows."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "reconcile_assets"
SOURCES = {str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in SOURCES.items()}
MOST_LINES = 400
LONGEST_FUNCTION = 60
UNFINISHED = ("TO" + "DO", "FIX" + "ME", "X" + "XX")


def test_no_module_that_faces_dagster_postpones_its_annotations() -> None:
    """Dagster reads annotations when it builds assets, resources and configs."""
    facing = {name: text for name, text in SOURCES.items() if "import dagster" in text or "from dagster" in text}

    assert "assets.py" in facing
    assert [name for name, text in facing.items() if "from __future__ import annotations" in text] == []


def test_a_module_is_about_one_thing() -> None:
    assert [name for name in SOURCES if Path(name).name == "utils.py"] == []
    assert {name: len(text.splitlines()) for name, text in SOURCES.items() if text.count("\n") > MOST_LINES} == {}


def test_a_function_fits_on_a_page() -> None:
    """Without its docstring, and without its parameters, which a public call may have many of."""
    lengths = {
        f"{name}: {node.name}": _lines_of_code(node)
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION} == {}


def test_nothing_is_validated_by_assert() -> None:
    asserts = {
        name: [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)] for name, tree in TREES.items()
    }

    assert {name: lines for name, lines in asserts.items() if lines} == {}


def test_no_work_is_left_for_later() -> None:
    assert [name for name, text in SOURCES.items() if any(word in text for word in UNFINISHED)] == []


def test_everything_public_has_its_docstring() -> None:
    bare = [
        f"{name}: {node.name}"
        for name, tree in TREES.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]

    assert bare == []
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


def _lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0
