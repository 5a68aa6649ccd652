"""Case and trailing spaces that may differ: on every pair of engines, small and bucketed."""

import pytest

from reconcile_assets.errors import NotComparable, ReconcileAssetsError
from reconcile_assets_tests.integration.options.engines import ALL, PAIRS, SIZES, EveryEngine

# Source, target, and what must be ignored for them to be equal; None: they never are.
TEXTS: list[tuple[str | None, str | None, set[str] | None]] = [
    ("same", "same", set()),
    ("a", "A", {"case"}),
    ("Stra\u00dfe", "STRASSE", {"case"}),
    ("\u00e9", "\u00c9", {"case"}),
    ("\u03c3", "\u03c2", {"case"}),
    ("a", "a  ", {"space"}),
    ("", " ", {"space"}),
    ("a", "A ", {"case", "space"}),
    ("a", "a\t", None),
    ("a", "a\u00a0", None),
    ("a", " a", None),
    ("\u00e9", "e\u0301", None),
    ("a", None, None),
    (None, "", None),
    ("a", "b", None),
]
OPTIONS = {"ignore_case": "case", "ignore_trailing_space": "space"}


@pytest.fixture(scope="module")
def texts(engines: EveryEngine) -> EveryEngine:
    for engine in ALL:
        for side in (0, 1):
            rows = [(number, row[side]) for number, row in enumerate(TEXTS)]
            engines.fill(engine, side, {"id": "BIGINT", "v": "TEXT"}, rows)
    return engines


@pytest.mark.parametrize(
    ("table", "chosen"),
    [
        ("small", ()),
        ("small", ("ignore_case",)),
        ("small", ("ignore_trailing_space",)),
        *((size, tuple(OPTIONS)) for size in SIZES),
    ],
)
def test_what_is_ignored_is_no_difference(texts: EveryEngine, table: str, chosen: tuple[str, ...]) -> None:
    ignored = {OPTIONS[name] for name in chosen}
    near = sum(needed is not None and bool(needed) and needed <= ignored for _, _, needed in TEXTS)
    expected = ("mismatched", len(TEXTS) - near - 1, near, f"tolerance:{','.join(chosen)}" if chosen else "exact")
    for source, target in PAIRS:
        found = texts.diff(source, target, table, table, **{name: ["v"] for name in chosen})
        comparison = found.columns["v"].comparison
        assert (found.verdict, found.value_differs, found.within_tolerance, comparison) == expected, (source, target)


@pytest.mark.parametrize("engine", ALL)
@pytest.mark.parametrize("option", OPTIONS)
def test_they_are_for_text_outside_of_the_key(texts: EveryEngine, engine: str, option: str) -> None:
    for wrong, kind in (
        ({option: ["id"]}, NotComparable),
        ({option: ["v"], "key": ["v"]}, NotComparable),
        ({option: ["v"], "keyless": True}, NotComparable),
        ({option: ["nothing"]}, ReconcileAssetsError),
        ({option: ["id"], "key": ["v"]}, NotComparable),
        ({option: ["v"], "abs_tol": {"v": 1}}, NotComparable),
    ):
        with pytest.raises(kind) as caught:
            texts.diff(engine, engine, "small", "small", **wrong)
        assert "\n" not in str(caught.value)
