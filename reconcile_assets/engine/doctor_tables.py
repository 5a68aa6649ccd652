"""`doctor` at one table: both sides, the key, the partition column, the privileges, what gets in the way."""

from collections.abc import Collection, Generator, Iterator
from datetime import datetime

from reconcile_assets.configuration.checks import RowsCheck
from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.canonical import ColumnForm, natural_form
from reconcile_assets.core.tables import Column, TableName
from reconcile_assets.core.windows import Partition
from reconcile_assets.core.write_modes import WriteMode
from reconcile_assets.databases.base import PartitionFilter, Relation, RowsetQuery, Session
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.doctor_checks import diagnose_check
from reconcile_assets.engine.findings import Finding, Level, on_side
from reconcile_assets.engine.tables import ResolvedTable, resolve_table, source_relation
from reconcile_assets.engine.write_proofs import refuse_unwritable
from reconcile_assets.errors import ReconcileAssetsError

STATEMENT_SECONDS = 120.0
MOST_ROWS_COUNTED = 1_000_000  # a larger table is counted in one partition only, about a second a million
_PRIVILEGES = {
    WriteMode.REPLACE: ("SELECT", "INSERT", "DELETE"),
    WriteMode.UPSERT: ("SELECT", "INSERT", "UPDATE"),
    WriteMode.APPEND: ("SELECT", "INSERT"),
}
_OBSTACLES = {
    "cascade": (
        "rows of {name} refer to it and go or change with the rows that a backfill replaces",
        "declare that foreign key without ON DELETE CASCADE or SET",
    ),
    "reference": (
        "rows of {name} refer to it: a partition whose rows are referred to can't be replaced",
        "drop that foreign key, or use write: upsert",
    ),
    "engine": (
        "{name} is of an engine without transactions: it is read without a snapshot, and can't be a target",
        "ALTER TABLE {name} ENGINE=InnoDB",
    ),
    "trigger": (
        "the trigger {name} runs while a partition is written, and may change what is written",
        "disable it, or check that it leaves the rows as they are",
    ),
    "row security": (
        "row security hides rows of {name} from the role: what is hidden cannot be proved",
        "connect with a role that has BYPASSRLS or owns the table",
    ),
}


def diagnose_table(
    table: TableConfig,
    connections: Connections,
    *,
    reached: Collection[str],
    now: datetime,
    partition: str | None = None,
) -> Iterator[Finding]:
    """Look at a table on both sides and run each of its checks over one partition.

    Args:
        reached: the connections that answered; a table of another one is not looked at.
        now: aware.
        partition: the key of the partition to run over; None for the latest that has ended.
    """
    subject = f"table {table.name}"
    names = (connections.config.source_of(table), connections.config.target_of(table))
    for name in dict.fromkeys(names):
        if name not in reached:
            yield Finding.fail(subject, f"not looked at: connection {name} failed", f"mend connection {name} first")
            return
    try:
        sample = _sample(table, now, partition)
        source, target = (connections.database(name) for name in names)
        with (
            source.session(statement_timeout=STATEMENT_SECONDS) as here,
            target.session(statement_timeout=STATEMENT_SECONDS) as there,
        ):
            resolved = yield from _diagnose_sides(table, here, there, sample)
    except ReconcileAssetsError as error:
        yield Finding.fail(subject, str(error).removeprefix(f"{subject}: "))
        return
    if resolved is not None and sample is not None:
        for check in table.checks:
            yield from diagnose_check(check, resolved, sample, connections, reached=reached)


def _sample(table: TableConfig, now: datetime, key: str | None) -> Partition | None:
    scheme = table.partition.scheme()
    if key is not None:
        return scheme.select(now, keys=(key,))[0]
    ended = scheme.partitions(now)
    return ended[-1] if ended else None


def _diagnose_sides(
    table: TableConfig, source: Session, target: Session, sample: Partition | None
) -> Generator[Finding, None, ResolvedTable | None]:
    """The findings, and the table when both of its sides are there and can be read."""
    reading, writing = source_relation(table), Relation(table=TableName.parse(table.target_table))
    failed = False
    for side, session, relation in (("source", source, reading), ("target", target, writing)):
        for finding in _diagnose_side(table, side, session, relation):
            failed = failed or finding.level is Level.FAIL
            yield finding
    if failed:
        return None
    resolved = resolve_table(table, source, target)
    column = resolved.partition.source
    message = f"{len(resolved.pairs)} columns pair, partitioned by {column.name} ({column.type.native})"
    yield Finding.ok(f"table {table.name}", message)
    for note in resolved.notes:
        yield Finding.warning(f"table {table.name}", note, "check that this is meant")
    try:
        refuse_unwritable(resolved)
    except ReconcileAssetsError as error:
        yield Finding.fail(f"table {table.name}", str(error))
    yield from _diagnose_names(resolved)
    yield from _diagnose_indexes(resolved)
    if sample is not None:
        yield from _diagnose_key(resolved, source, target, sample)
    return resolved


def _diagnose_side(table: TableConfig, side: str, session: Session, relation: Relation) -> Iterator[Finding]:
    subject = f"table {table.name}"
    try:
        found = session.describe(relation)
    except ReconcileAssetsError as error:
        yield Finding.fail(subject, on_side(side, error))
        return
    if relation.table is None:
        yield Finding.ok(subject, f"{side}: the query gives {len(found.columns)} columns")
        return
    privileges = ("SELECT",) if side == "source" else _PRIVILEGES[WriteMode(table.write)]
    missing = session.diagnosis().missing_privileges(found.name, privileges)
    if missing:
        wanted = ", ".join(missing)
        yield Finding.fail(
            subject, f"{side}: the role lacks {wanted} on {found.name}", f"GRANT {wanted} ON {found.name}"
        )
        return
    yield Finding.ok(subject, f"{side}: {found.name} is there, with the privileges {', '.join(privileges)}")
    for kind, name in session.diagnosis().write_obstacles(found.name):
        message, mend = (text.format(name=name) for text in _OBSTACLES[kind])
        if kind == "row security":
            yield Finding.fail(subject, f"{side}: {message}", mend)
        elif side == "target":
            level = Level.FAIL if kind in ("cascade", "engine") else Level.WARNING
            yield Finding(level, subject, f"{side}: {message}", mend)


def _diagnose_names(resolved: ResolvedTable) -> Iterator[Finding]:
    """Names that stand for nothing: a mask that misses its column would show what it should hide."""
    table, known = resolved.config, {column.name for column in resolved.source_table.columns}
    compared = {pair.source.name for pair in resolved.pairs}
    for field, names in (("mask", table.columns.mask), ("exclude", table.columns.exclude)):
        for name in names:
            if name not in known:
                message = f"columns.{field}: the source has no column {name!r}"
                yield Finding.fail(f"table {table.name}", message, "correct the name or take it out")
    for check in table.checks:
        for name in check.tolerances if isinstance(check, RowsCheck) else ():
            if name not in compared:
                message = f"tolerances: no compared column {name!r}"
                yield Finding.fail(
                    f"check {table.name}.{check.check_name}", message, "use the source's name of a column"
                )


def _diagnose_indexes(resolved: ResolvedTable) -> Iterator[Finding]:
    sides = (
        ("source", resolved.source_table, resolved.partition.source),
        ("target", resolved.target_table, resolved.partition.target),
    )
    for side, found, column in sides:
        if found.is_view or column.name in found.indexed:
            continue
        message = f"{side}: no index begins with the partition column {column.name}: each run reads the whole table"
        mend = f"CREATE INDEX {found.name.name}_{column.name} ON {found.name} ({column.name})"
        yield Finding.warning(f"table {resolved.name}", message, mend)


def _diagnose_key(resolved: ResolvedTable, source: Session, target: Session, sample: Partition) -> Iterator[Finding]:
    subject, names = f"table {resolved.name}", ", ".join(resolved.config.key)
    if not resolved.key:
        yield Finding.ok(subject, "no key: rows are compared as a multiset")
        return
    sides = (
        ("source", source, resolved.source, resolved.source_windows((sample,)), [pair.source for pair in resolved.key]),
        ("target", target, resolved.target, resolved.target_windows((sample,)), [pair.target for pair in resolved.key]),
    )
    for side, session, relation, windows, columns in sides:
        if _is_declared_unique(session, relation, columns):
            yield Finding.ok(subject, f"{side}: the key ({names}) is unique, the catalog says so")
            continue
        whole = session.estimate_rows(relation) <= MOST_ROWS_COUNTED
        where = "all rows" if whole else sample.key
        nulls, duplicates = _count_odd_keys(session, relation, None if whole else windows, columns)
        if nulls or duplicates:
            message = f"{side}: the key ({names}) is not unique: {duplicates} duplicates, {nulls} with NULL, in {where}"
            yield Finding.fail(subject, message, "name columns that identify a row, or key: [] for a multiset")
        else:
            message = f"{side}: no unique key covers ({names}); it is unique in {where}, and counted by each comparison"
            yield Finding.warning(subject, message, "declare it as a primary key or UNIQUE with NOT NULL")


def _is_declared_unique(session: Session, relation: Relation, columns: list[Column]) -> bool:
    found, names = session.describe(relation), {column.name for column in columns}
    keys = (found.primary_key, *found.unique_keys)
    return any(key and names.issuperset(key) for key in keys)


def _count_odd_keys(
    session: Session, relation: Relation, windows: PartitionFilter | None, columns: list[Column]
) -> tuple[int, int]:
    """Rows with a NULL in the key, and rows beyond the first of each key."""
    forms = [(column, natural_form(column.type)) for column in columns]
    key = tuple(ColumnForm(column, form) for column, form in forms if form is not None)
    if len(key) < len(columns):
        return 0, 0  # a key without an exact form: the comparison says so
    sums = session.fetch_buckets(RowsetQuery(relation, key=key, columns=(), partitions=windows), 1).values()
    return sum(each.null_keys for each in sums), sum(each.duplicate_keys for each in sums)
