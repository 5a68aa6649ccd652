"""``diff``: any two tables, without a configuration."""

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
from reconcile_assets.databases.base import Database, Session
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.diff_sides import Side, describe_sides, resolve_sides
from reconcile_assets.engine.moving_data import WITHOUT_SNAPSHOT, refuse_unsteady
from reconcile_assets.engine.progress import UNHEARD, Progress
from reconcile_assets.engine.recheck import Recheck
from reconcile_assets.errors import NotComparable

__all__ = ["diff"]


def diff(
    source: "Side",
    source_table: "Side | None" = None,
    target: "Side | None" = None,
    target_table: "Side | None" = None,
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
    """Compare two tables, views or DataFrames, each in one read-only snapshot.

    ::

        diff(source_url, "orders", target_url, "orders")
        diff(engine, "orders", frame)
        diff(frame, url, "orders", key=["id"])

    Args:
        source, target: a database's URL; an Engine of SQLAlchemy's, read as its URL where it does nothing but connect
            by it; a Connection, read as it is, in its own transaction; or a pandas DataFrame, whose index counts as
            columns where its levels have names.
        source_table, target_table: ``name`` or ``schema.name``, literal after the first dot; a part in
            double quotes is unquoted first. For DuckDB also a Parquet or CSV file, or a query. A DataFrame has none:
            None, or nothing, stands for it.
        key: columns that identify a row; empty takes the primary key, else a unique key without NULLs.
        keyless: compare whole rows as a multiset.
        columns: compare these only; ``source:target`` pairs columns of different names.
        exclude: columns of either side that are left out.
        where: a condition on both sides, in SQL; ``where_source`` and ``where_target`` on one. Not for a DataFrame.
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
        ConfigurationError: a side or its table is missing, or is nothing that can be compared.
        TransientError, PermanentError: a database could not be reached or refused: nothing is known then.
    """
    if key and keyless:
        raise NotComparable("a key and keyless exclude each other; give one of them")
    if limit < 0:
        raise NotComparable(f"the limit is 0 or more, not {limit}")
    sides = resolve_sides(
        (source, source_table, target, target_table),
        (where if where_source is None else where_source, where if where_target is None else where_target),
    )
    databases = sides[0].database, sides[1].database
    relations = sides[0].relation, sides[1].relation
    recheck = (
        None if recheck_after is None else Recheck(recheck_after, snapshot=snapshot, sleep=sleep, progress=progress)
    )
    began = datetime.now(UTC)
    with _open(databases, statement_timeout, snapshot=snapshot) as sessions:
        progress.begin(sessions[0].cost, sessions[1].cost)
        tables = describe_sides(sessions, relations)
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
            *sessions,
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
                *sessions[0].notes,
                *sessions[1].notes,
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
        with _open(databases, statement_timeout, snapshot=snapshot) as sessions:
            found = recheck.settle(*sessions, found)
    return replace(found[None], source_name=sides[0].shown, target_name=sides[1].shown, compared_at=began)


@contextmanager
def _open(
    databases: tuple[Database, Database], statement_timeout: float | None, *, snapshot: bool
) -> Iterator[tuple[Session, Session]]:
    with (
        databases[0].session(statement_timeout=statement_timeout, repeatable=snapshot) as source,
        databases[1].session(statement_timeout=statement_timeout, repeatable=snapshot) as target,
    ):
        yield source, target
