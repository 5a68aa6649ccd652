"""A comparison as one page: the verdict, what was counted, how each column was compared, and rows that differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconcile_assets.core.difference import Difference, DifferenceKind, Value
from reconcile_assets.core.page import render_page
from reconcile_assets.core.report import DIGEST_BITS
from reconcile_assets.core.side_by_side import NO_ROW, Shown, escape_text, show_pair, show_value
from reconcile_assets.core.verdicts import Verdict

if TYPE_CHECKING:
    from reconcile_assets.core.compare import Comparison

MOST_DIFFERENCES = 1_000
"""How many differences a page shows; beyond that nobody reads on, and no browser scrolls well."""

_MOST_COLUMNS = 50  # of a row whose values differ
_MOST_COLUMNS_OF_A_ROW = 12  # of a row that one side lacks
_ROOM = 240  # characters of a value
_ROOM_OF_A_KEY = 160

_HEADLINES = {
    Verdict.MATCHED: "The target is proved equal to the source",
    Verdict.MISMATCHED: "Differences were found",
    Verdict.INCONCLUSIVE: "Not everything could be verified",
}
_KINDS = {
    DifferenceKind.VALUE_DIFFERS: "value differs",
    DifferenceKind.MISSING_IN_TARGET: "missing in target",
    DifferenceKind.MISSING_IN_SOURCE: "missing in source",
}


@dataclass(frozen=True)
class ShownColumn:
    """A column's two values."""

    name: str
    source: Shown
    target: Shown


@dataclass(frozen=True)
class ShownDifference:
    """A difference as the page shows it.

    Attributes:
        more: columns that are not shown.
    """

    kind: str
    key: tuple[tuple[str, Shown], ...]
    columns: tuple[ShownColumn, ...]
    more: int


def render_comparison(comparison: "Comparison") -> str:
    """The whole page."""
    return render_page(
        "comparison.html",
        {"escaped": escape_text, "how": describe_how},
        comparison=comparison,
        headline=_headline(comparison),
        total=comparison.missing_in_target + comparison.missing_in_source + comparison.value_differs,
        digest_bits=DIGEST_BITS,
        shown=[_show(item) for item in comparison.differences[:MOST_DIFFERENCES]],
    )


def describe_how(comparison: str) -> str:
    """How a column was compared, for people: the kind and the reason."""
    kind, _, reason = comparison.partition(":")
    return f"{kind}: {reason}" if reason else kind


def pair_values(difference: Difference) -> Iterator[tuple[str, Value, Value]]:
    """Each listed column of a row that stands on both sides, with its two values."""
    source, target = difference.source or {}, difference.target or {}
    for name in dict.fromkeys((*source, *target)):
        yield name, source.get(name), target.get(name)


def _headline(comparison: "Comparison") -> str:
    headline = _HEADLINES[comparison.verdict]
    within = comparison.verdict is Verdict.MATCHED and comparison.within_tolerance
    return f"{headline} within tolerance" if within else headline


def _show(difference: Difference) -> ShownDifference:
    key = tuple((escape_text(name), show_value(value, _ROOM_OF_A_KEY)) for name, value in difference.key.items())
    if difference.source is not None and difference.target is not None:
        pairs = list(pair_values(difference))
        columns = [
            ShownColumn(escape_text(name), *show_pair(source, target, _ROOM))
            for name, source, target in pairs[:_MOST_COLUMNS]
        ]
        return ShownDifference(_KINDS[difference.kind], key, tuple(columns), len(pairs) - len(columns))
    values: Mapping[str, Value] = difference.source or difference.target or {}
    names: Sequence[str] = list(values)[:_MOST_COLUMNS_OF_A_ROW]
    columns = [_one_sided(name, values[name], in_source=difference.source is not None) for name in names]
    return ShownDifference(_KINDS[difference.kind], key, tuple(columns), len(values) - len(columns))


def _one_sided(name: str, value: Value, *, in_source: bool) -> ShownColumn:
    shown = show_value(value, _ROOM)
    return ShownColumn(escape_text(name), shown if in_source else NO_ROW, NO_ROW if in_source else shown)
