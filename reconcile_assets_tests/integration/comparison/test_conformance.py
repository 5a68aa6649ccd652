"""A part of the conformance cases: each fourth one, on one of the pairs of engines that can hold it.

``make conformance`` runs them all, on all pairs, and writes docs/conformance.md.
"""

from collections.abc import Iterator

import pytest

from reconcile_assets_tests.conformance.all_cases import CASES, pairs, run_case
from reconcile_assets_tests.conformance.cases import ENGINES, MATCHED, MISMATCHED, MY, Case, Expected
from reconcile_assets_tests.conformance.sides import Sides
from reconcile_assets_tests.conftest import require_service

STEP = 4


@pytest.fixture(scope="module")
def sides(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Two databases of each engine."""
    require_service("mariadb")
    made = Sides(tmp_path_factory.mktemp("conformance"), postgres_server)
    yield made
    made.close()


def _run(case: Case, at: int, sides: Sides) -> list[str]:
    """The case on one pair; the pair, the direction and the size change from case to case."""
    chosen = pairs(case, sides)
    source, target = chosen[at * 7 % len(chosen)]
    padded = case.sizes[-1] if at % 8 == 0 else case.sizes[0]
    return [
        f"{case.name}: {fault}" for fault in run_case(case, sides, only=[(source, target, at % 3 == 1, padded)]).faults
    ]


@pytest.mark.parametrize("number", sorted({case.number for case in CASES}))
def test_answers_are_right(sides: Sides, number: int) -> None:
    chosen = [(at, case) for at, case in enumerate(CASES) if case.number == number][::STEP]
    assert [fault for at, case in chosen for fault in _run(case, at, sides)] == []


def test_a_wrong_answer_is_told(sides: Sides) -> None:
    """Else the tests above could not fail."""
    case = next(case for case in CASES if case.name == "numeric 1.2 and 1.3")
    only = [(MY, "sqlite", False, False)]
    assert run_case(case, sides, only=only).faults == []
    wrong = run_case(Case(12, case.name, case.source, case.target, Expected(MATCHED)), sides, only=only)
    assert (len(wrong.faults), wrong.false_equal) == (1, 0)
    same = run_case(
        Case(12, case.name, case.source, case.source, Expected(MISMATCHED, value_differs=1)), sides, only=only
    )
    assert (len(same.faults), same.false_equal) == (1, 1)


def test_every_engine_can_hold_many_cases() -> None:
    for engine in ENGINES:
        assert sum(engine in case.source.engines and engine in case.target.engines for case in CASES) > len(CASES) // 2
