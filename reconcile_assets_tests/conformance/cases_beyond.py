"""Cases of values beyond the list (31), and what makes them."""

from typing import Any

from reconcile_assets_tests.conformance import cases
from reconcile_assets_tests.conformance.cases import Case, Held


def same(name: str, source: Held, target: Held | None = None, **options: Any) -> Case:
    return cases.same(31, name, source, target, **options)


def differ(name: str, source: Held, target: Held, **options: Any) -> Case:
    return cases.differ(31, name, source, target, **options)


def unsure(name: str, source: Held, target: Held | None = None, **options: Any) -> Case:
    return cases.unsure(31, name, source, target, **options)
