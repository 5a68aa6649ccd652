"""Checks of single figures per partition: row counts, aggregates, freshness; one grouped scan a side for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from reconcile_assets.configuration.checks import AggregateCheck, FreshnessCheck, RowCountCheck
from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.measures import Figure, compare_figures, read_number, show_figure, show_lag
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.figures import NUMBERS, Aggregate, FigureFunction
from reconcile_assets.engine.checking import OpenSides, Sides, judge
from reconcile_assets.engine.tables import ResolvedTable
from reconcile_assets.errors import MissingObject, NotComparable

FigureCheck = RowCountCheck | AggregateCheck | FreshnessCheck

ROWS = Aggregate(FigureFunction.ROWS)
MASKED = "***"
WITHIN = "not the same, but within the tolerance"


@dataclass(frozen=True)
class _Plan:
    """Which figures a check needs of each side; both in the same order."""

    check: FigureCheck
    source: tuple[Aggregate, ...]
    target: tuple[Aggregate, ...]


Texts = tuple[str | None, ...]


def figure_verdicts(checks: Sequence[FigureCheck], sides: Sides) -> tuple[CheckVerdict, ...]:
    """The verdicts of all these checks."""
    with sides.open() as opened:
        plans = [_plan(check, opened.table) for check in checks]
        here, there = opened.both(
            lambda: opened.source.fetch_aggregates(
                opened.table.source,
                opened.table.source_windows(sides.partitions),
                [each for plan in plans for each in plan.source],
            ),
            lambda: opened.target.fetch_aggregates(
                opened.table.target,
                opened.table.target_windows(sides.partitions),
                [each for plan in plans for each in plan.target],
            ),
        )
    return tuple(_verdicts(plans, opened, here, there))


def count_verdicts(
    check: RowCountCheck, sides: Sides, counts: Mapping[str, tuple[int, int]]
) -> tuple[CheckVerdict, ...]:
    """The row_count check over counts (source, target) that another check has made already."""
    return tuple(_count_verdict(check, sides, each, *counts[each.key]) for each in sides.partitions)


def _count_verdict(check: RowCountCheck, sides: Sides, partition: Partition, source: int, target: int) -> CheckVerdict:
    found = compare_figures(Decimal(source), Decimal(target), abs_tol=check.abs_tol, rel_tol=check.rel_tol)
    notes: tuple[str, ...] = ("no rows on either side",) if source == target == 0 else ()
    if found.agrees and not found.same:
        notes = (WITHIN,)
    bare = sides.verdict(check, partition, judge(found.agrees))
    return replace(bare, notes=notes, source_rows=source, target_rows=target)


def _verdicts(
    plans: Sequence[_Plan], opened: OpenSides, here: Mapping[str, Texts], there: Mapping[str, Texts]
) -> list[CheckVerdict]:
    verdicts, begin = [], 0
    for plan in plans:
        end = begin + len(plan.source)
        for partition in opened.sides.partitions:
            source = here.get(partition.key, _nothing(plan, begin))[begin:end]
            target = there.get(partition.key, _nothing(plan, begin))[begin:end]
            verdicts.append(_verdict(plan, opened, partition, source, target))
        begin = end
    return verdicts


def _nothing(plan: _Plan, begin: int) -> Texts:
    """What a grouped query leaves out: the figures of no rows."""
    counts = (FigureFunction.ROWS, FigureFunction.COUNT, FigureFunction.COUNT_DISTINCT)
    return (None,) * begin + tuple("0" if each.function in counts else None for each in plan.source)


def _plan(check: FigureCheck, table: ResolvedTable) -> _Plan:
    if isinstance(check, RowCountCheck):
        return _Plan(check, (ROWS,), (ROWS,))
    if isinstance(check, FreshnessCheck):
        return _both(check, table.partition, (FigureFunction.ROWS, FigureFunction.MAX))
    if check.column is None:
        return _Plan(check, (ROWS,), (ROWS,))
    pair = _pair(check, table)
    average = (FigureFunction.SUM, FigureFunction.COUNT)
    functions = average if check.function == "avg" else (FigureFunction(check.function),)
    if check.function in ("sum", "avg") and not {pair.source.type.kind, pair.target.type.kind} <= NUMBERS:
        native = pair.source.type.native
        raise NotComparable(f"{check.function} needs a column of numbers, {pair.source.name} is {native}")
    return _both(check, pair, functions)


def _both(check: FigureCheck, pair: ColumnPair, functions: tuple[FigureFunction, ...]) -> _Plan:
    return _Plan(
        check,
        tuple(Aggregate(function, pair.source) for function in functions),
        tuple(Aggregate(function, pair.target) for function in functions),
    )


def _pair(check: AggregateCheck, table: ResolvedTable) -> ColumnPair:
    for pair in table.pairs:
        if pair.source.name == check.column:
            return pair
    names = ", ".join(sorted(pair.source.name for pair in table.pairs)[:12])
    raise MissingObject(f"check {check.check_name}: no compared column {check.column!r}; there are {names}")


def _verdict(plan: _Plan, opened: OpenSides, partition: Partition, source: Texts, target: Texts) -> CheckVerdict:
    if isinstance(plan.check, FreshnessCheck):
        return _freshness(plan.check, opened, partition, source, target)
    if isinstance(plan.check, RowCountCheck):
        return _count_verdict(plan.check, opened.sides, partition, int(source[0] or 0), int(target[0] or 0))
    return _aggregate(plan, plan.check, opened, partition, (_figure(plan, source), _figure(plan, target)))


def _aggregate(
    plan: _Plan, check: AggregateCheck, opened: OpenSides, partition: Partition, figures: tuple[Figure, Figure]
) -> CheckVerdict:
    found = compare_figures(*figures, abs_tol=check.abs_tol, rel_tol=check.rel_tol)
    notes: tuple[str, ...] = ()
    if figures == (None, None):
        notes = ("no values on either side",)
    elif found.agrees and not found.same:
        notes = (WITHIN,)
    masked = check.column in opened.table.config.columns.mask
    measures = {"source": _shown(figures[0], plan, masked), "target": _shown(figures[1], plan, masked)}
    if found.difference is not None and not found.same and not masked:
        measures["difference"] = show_figure(found.difference)
    return replace(opened.sides.verdict(check, partition, judge(found.agrees)), notes=notes, measures=measures)


def _figure(plan: _Plan, texts: Texts) -> Figure:
    if len(texts) == 1:
        kinds = {each.column.type.kind for each in plan.source if each.column is not None}
        counted = plan.source[0].function not in (FigureFunction.MIN, FigureFunction.MAX)
        return read_number(texts[0]) if counted or kinds <= NUMBERS else texts[0]
    total, count = read_number(texts[0]), int(texts[1] or 0)
    if total is None or isinstance(total, str | Fraction) or not total.is_finite():
        return total
    return Fraction(total) / count  # exact: a database would round the quotient


def _shown(figure: Figure, plan: _Plan, masked: bool) -> str:
    """A text may be a row's value, and so may a masked column's figure: neither is shown."""
    column = plan.source[0].column
    if figure is None:
        return "NULL"
    if masked:
        return MASKED
    moment = column is not None and column.type.kind in (TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ)
    return f"a text of {len(figure)} characters" if isinstance(figure, str) and not moment else show_figure(figure)


def _freshness(
    check: FreshnessCheck, opened: OpenSides, partition: Partition, source: Texts, target: Texts
) -> CheckVerdict:
    sides = opened.sides
    here, there = _moment(source[1]), _moment(target[1])
    verdict, measures = Verdict.MATCHED, dict[str, str]()
    notes: tuple[str, ...] = ("no rows on either side",)
    if here is not None and there is None:
        verdict, notes = Verdict.MISMATCHED, ("no rows in the target",)
    elif here is not None and there is not None:
        lag = max(here - there, timedelta())
        verdict, notes = judge(lag <= check.max_lag), ()
        measures = {"lag": show_lag(lag), "max_lag": show_lag(check.max_lag)}
    elif there is not None:
        notes = ("no rows in the source",)
    return replace(
        sides.verdict(check, partition, verdict),
        notes=notes,
        measures=measures,
        source_rows=int(source[0] or 0),
        target_rows=int(target[0] or 0),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
