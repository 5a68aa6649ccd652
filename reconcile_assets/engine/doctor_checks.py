"""`doctor` at one check: its queries parsed, planned and run over one partition on both sides.

A query that doesn't run would make every partition inconclusive at night; here it fails
by day, with the names of the check and the side.
"""

from collections.abc import Collection, Iterator

from reconcile_assets.configuration.checks import CheckConfig, SqlCheck
from reconcile_assets.core.measures import read_figure
from reconcile_assets.core.placeholders import has_placeholders
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Database, PartitionFilter
from reconcile_assets.databases.figures import FigureQuery
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.findings import Finding, on_side
from reconcile_assets.engine.reconcile import reconcile_partitions
from reconcile_assets.engine.tables import ResolvedTable
from reconcile_assets.errors import ReconcileAssetsError

STATEMENT_SECONDS = 120.0


def diagnose_check(
    check: CheckConfig,
    table: ResolvedTable,
    sample: Partition,
    connections: Connections,
    *,
    reached: Collection[str],
) -> Iterator[Finding]:
    """Run a check over one partition; what it finds there is not judged, only that it can find out.

    Args:
        reached: the connections that answered.
    """
    subject = f"check {table.name}.{check.check_name}"
    config = connections.config
    source = check.against or config.source_of(table.config)
    if source not in reached:
        yield Finding.fail(subject, f"not run: connection {source} failed", f"mend connection {source} first")
        return
    if isinstance(check, SqlCheck):
        reading, writing = table.source_windows((sample,)), table.target_windows((sample,))
        yield from _diagnose_query(check, "source", check.source, connections.database(source), reading, subject)
        target = connections.database(config.target_of(table.config))
        yield from _diagnose_query(check, "target", check.target, target, writing, subject)
        return
    for verdict in reconcile_partitions(table.config, (sample,), connections=connections, checks={check.check_name}):
        if verdict.verdict is Verdict.INCONCLUSIVE:
            yield Finding.fail(subject, "; ".join(verdict.notes) or f"could not verify {sample.key}")
        else:
            yield Finding.ok(subject, f"runs on both sides; {sample.key} is {verdict.verdict}")


def _diagnose_query(
    check: SqlCheck, side: str, text: str, database: Database, windows: PartitionFilter, subject: str
) -> Iterator[Finding]:
    sample = windows.partitions[0]
    query = FigureQuery.of(text, windows, sample, what=f"the {side} query of check {check.check_name}")
    try:
        with database.session(statement_timeout=STATEMENT_SECONDS) as session:
            session.explain_figure(query)
            read_figure(session.fetch_figure(query))
    except ReconcileAssetsError as error:
        yield Finding.fail(subject, on_side(side, error), f"correct the {side} query")
        return
    yield Finding.ok(subject, f"{side}: the query is planned and runs over {sample.key}")
    if not has_placeholders(text):
        message = f"{side}: the query does not use :partition_start and :partition_end: one figure for all partitions"
        yield Finding.warning(subject, message, "use both, so that a difference names its partition")
