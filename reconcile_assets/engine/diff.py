"""``diff``: any two tables by URL, without a configuration."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.compare_choice import (
    choose_key,
    choose_pairs,
    choose_uuids,
    merge_tolerances,
    resolve_names,
)
from reconcile_assets.core.tables import TableName
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Database, Relation, Session
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.moving_data import WITHOUT_SNAPSHOT, refuse_unsteady
from reconcile_assets.engine.progress import UNHEARD, Progress
from reconcile_assets.engine.recheck import Recheck
from reconcile_assets.errors import ConfigurationError, NotComparable

__all__ = ["diff"]


def diff(
    source_url: str,
    source_table: str,
    target_url: str,
    target_table: str,
    *,
    key: Sequence[str] = (),
    keyless: bool = False,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    where: str | None = None,
    where_source: str | None = None,
    where_target: str | None = None,
    abs_tol: Mapping[str, float] | None = None,
    rel_tol: Mapping[str, float] | None = None,
    seconds: Mapping[str, float] | None = None,
    ignore_case: Sequence[str] = (),
    ignore_trailing_space: Sequence[str] = (),
    zones: Mapping[str, str] | None = None,
    key_types: Mapping[str, str] | None = None,
    zero_date_as_null: bool = False,
    mask: Sequence[str] = (),
    limit: int = 100,
    strict: bool = False,
    snapshot: bool = True,
    recheck_after: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
    statement_timeout: float | None = None,
    progress: Progress = UNHEARD,
) -> Comparison:
    """Compare two tables or views, each in one read-only snapshot.

    Args:
        source_table, target_table: ``name`` or ``schema.name``, literal after the first dot; a part in
            double quotes is unquoted first. For DuckDB also a Parquet or CSV file, or a query.
        key: columns that identify a row; empty takes the primary key, else a unique key without NULLs.
        keyless: compare whole rows as a multiset.
        columns: compare these only; ``source:target`` pairs columns of different names.
        exclude: columns of either side that are left out.
        where: a condition on both sides, in SQL; ``where_source`` and ``where_target`` on one.
        abs_tol, rel_tol, seconds: tolerances by column, inclusive.
        ignore_case, ignore_trailing_space: text columns whose case, or spaces at the end, may differ.
        zones: the IANA zone of a column's zoneless times.
        key_types: ``uuid`` for columns, in the key or not, whose texts or bytes are UUIDs in whatever spelling.
        zero_date_as_null: MySQL's ``0000-00-00`` is read as NULL.
        mask: columns whose values are never shown.
        limit: differences listed; all are counted.
        strict: a coarser type on one side is a difference.
        snapshot: False reads without one: each statement sees its own moment.
        recheck_after: seconds after which the keys that differ are looked at again, in new snapshots: what is equal
            then is no difference, what differs in another way than before is not known.
        sleep: waits for it.
        statement_timeout: seconds for each statement.
        progress: hears how far the comparison is.

    Raises:
        NotComparable: what was asked for is not defined: no key, a tolerance on text.
        TransientError, PermanentError: a database could not be reached or refused: nothing is known then.
    """
    if key and keyless:
        raise NotComparable("a key and keyless exclude each other; give one of them")
    if limit < 0:
        raise NotComparable(f"the limit is 0 or more, not {limit}")
    databases = open_database(source_url, name="source"), open_database(target_url, name="target")
    relations = (
        _relation(databases[0], source_table, where if where_source is None else where_source),
        _relation(databases[1], target_table, where if where_target is None else where_target),
    )
    recheck = (
        None if recheck_after is None else Recheck(recheck_after, snapshot=snapshot, sleep=sleep, progress=progress)
    )
    began = datetime.now(UTC)
    with _open(databases, statement_timeout, snapshot=snapshot) as (source, target):
        progress.begin(source.cost, target.cost)
        tables = source.describe(relations[0]), target.describe(relations[1])
        pairs, notes = choose_pairs(*tables, columns=columns, exclude=exclude, key=key)
        chosen, key_notes = ((), ()) if keyless else choose_key(*tables, pairs, key)
        tolerances = merge_tolerances(
            pairs,
            abs_tol or {},
            rel_tol or {},
            seconds or {},
            ignore_case=ignore_case,
            ignore_trailing_space=ignore_trailing_space,
        )
        found = compare_tables(
            source,
            target,
            source_relation=relations[0],
            target_relation=relations[1],
            key=chosen,
            columns=pairs,
            tolerances=tolerances,
            limit=limit,
            strict=strict,
            mask=resolve_names(mask, pairs),
            zones=zones,
            zero_date_as_null=zero_date_as_null,
            uuids=choose_uuids(pairs, key_types or {}),
            notes=(
                *key_notes,
                *notes,
                *((WITHOUT_SNAPSHOT,) if not snapshot else ()),
                *(("MySQL's 0000-00-00 was read as NULL",) if zero_date_as_null else ()),
            ),
            progress=progress,
            recheck=recheck,
        )
        if not snapshot:
            refuse_unsteady(found[None], pairs, zones or {})
    if recheck is not None and recheck.is_needed:
        recheck.wait()
        with _open(databases, statement_timeout, snapshot=snapshot) as (source, target):
            found = recheck.settle(source, target, found)
    names = map(_shown_name, databases, (source_table, target_table), relations)
    return replace(found[None], source_name=next(names), target_name=next(names), compared_at=began)


@contextmanager
def _open(
    databases: tuple[Database, Database], statement_timeout: float | None, *, snapshot: bool
) -> Iterator[tuple[Session, Session]]:
    with (
        databases[0].session(statement_timeout=statement_timeout, repeatable=snapshot) as source,
        databases[1].session(statement_timeout=statement_timeout, repeatable=snapshot) as target,
    ):
        yield source, target


def _shown_name(database: Database, table: str, relation: Relation) -> str:
    """What a side's rows are: a table or file (a query is not repeated), where it is, and the condition on it."""
    name = table if relation.query != table else str(relation)
    where = ", ".join(part for part in (database.engine, database.place) if part)
    return f"{name} ({where})" + (f" where {relation.where}" if relation.where else "")


def _relation(database: Database, table: str, where: str | None) -> Relation:
    query = database.file_query(table)
    if query is not None:
        return Relation(query=query, where=where)
    try:
        return Relation(TableName.parse(table), where=where)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
