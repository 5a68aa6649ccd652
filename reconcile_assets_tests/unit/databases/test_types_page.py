"""docs/types.md is what the code does."""

from itertools import combinations_with_replacement

from reconcile_assets.core.tables import TypeKind
from reconcile_assets_tests.conformance.types_page import PAGE, page


def test_the_page_is_what_the_code_does() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make types`"


def test_every_pair_of_kinds_has_a_line() -> None:
    lines = page().partition("## Pairs")[2].splitlines()
    cells = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in lines if line.startswith("| ")]
    shown = {frozenset(_kind(name) for name in pair) for pair in cells}

    assert {frozenset(pair) for pair in combinations_with_replacement(TypeKind, 2)} <= shown


def _kind(name: str) -> TypeKind | None:
    words = name.replace("another ", "").replace("(", " ").replace(",", " ").split()
    return next((kind for kind in TypeKind if words and words[0] == kind.value), None)
