"""The sql check: a query of a person's own on each side, giving one figure for each partition."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from reconcile_assets.configuration.checks import SqlCheck
from reconcile_assets.core.measures import Figure, compare_figures, read_figure, show_figure
from reconcile_assets.core.placeholders import has_placeholders
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Session
from reconcile_assets.databases.figures import FigureQuery
from reconcile_assets.engine.checking import UNVERIFIED, Sides, judge
from reconcile_assets.errors import ConnectionLost, ReconcileAssetsError

logger = logging.getLogger(__name__)

Found = Figure | ReconcileAssetsError
WHOLE = "the query names no partition bounds: one figure for all partitions"


def sql_verdicts(check: SqlCheck, sides: Sides) -> tuple[CheckVerdict, ...]:
    """The verdict of each partition; a query that fails for one leaves the others as they are."""
    with sides.open() as opened:
        reading = opened.table.source_windows(sides.partitions)
        writing = opened.table.target_windows(sides.partitions)
        here, there = opened.both(
            lambda: _figures(opened.source, check, check.source, reading),
            lambda: _figures(opened.target, check, check.target, writing),
        )
    notes = () if has_placeholders(check.source) or has_placeholders(check.target) else (WHOLE,)
    return tuple(_verdict(check, sides, each, here[each.key], there[each.key], notes) for each in sides.partitions)


def _figures(session: Session, check: SqlCheck, text: str, partitions: PartitionFilter) -> Mapping[str, Found]:
    if not has_placeholders(text):
        figure = _figure(session, check, text, partitions, partitions.partitions[0])
        return {each.key: figure for each in partitions.partitions}
    found: dict[str, Found] = {}
    lost: ConnectionLost | None = None
    for each in partitions.partitions:
        figure = lost if lost is not None else _figure(session, check, text, partitions, each)
        lost = figure if isinstance(figure, ConnectionLost) else None
        found[each.key] = figure
    return found


def _figure(session: Session, check: SqlCheck, text: str, partitions: PartitionFilter, partition: Partition) -> Found:
    query = FigureQuery.of(text, partitions, partition, what=f"the query of check {check.check_name}")
    try:
        return read_figure(session.fetch_figure(query))
    except ReconcileAssetsError as error:
        return error


def _verdict(
    check: SqlCheck, sides: Sides, partition: Partition, source: Found, target: Found, notes: tuple[str, ...]
) -> CheckVerdict:
    troubles = [each for each in (source, target) if isinstance(each, ReconcileAssetsError)]
    if troubles or isinstance(source, ReconcileAssetsError) or isinstance(target, ReconcileAssetsError):
        bare = sides.verdict(check, partition, Verdict.INCONCLUSIVE)
        return replace(bare, notes=(*(f"{UNVERIFIED}{each}" for each in troubles), *notes))
    found = compare_figures(source, target, abs_tol=check.abs_tol, rel_tol=check.rel_tol)
    if source is target is None:
        notes = (*notes, "the query gives NULL on both sides: no value was compared")
    elif found.agrees and not found.same:
        notes = (*notes, "not the same, but within the tolerance")
    measures = {"source": _shown(source), "target": _shown(target)}
    if found.difference is not None and not found.same:
        measures["difference"] = show_figure(found.difference)
    return replace(sides.verdict(check, partition, judge(found.agrees)), notes=notes, measures=measures)


def _shown(figure: Figure) -> str:
    return f"a text of {len(figure)} characters" if isinstance(figure, str) else show_figure(figure)
