"""The rows of each key on both sides, bucket by bucket, so that memory stays flat."""

import itertools
from collections.abc import Hashable, Iterator, Sequence

from reconcile_assets.core.compare_rows import Row, RowComparer
from reconcile_assets.databases.base import Bucket, RowsetQuery, Session, ShippedRow
from reconcile_assets.engine.sides import on_both_sides

Queries = tuple[RowsetQuery, RowsetQuery]
Window = str | None
Place = tuple[Window, tuple[Hashable, ...]]
"""A key in its window."""
Rows = tuple[list[Row], list[Row]]
"""Of the source and of the target, with their values."""


def row_groups(
    sessions: tuple[Session, Session],
    queries: Queries,
    comparer: RowComparer,
    buckets: int,
    wanted: Sequence[Bucket],
) -> Iterator[tuple[Place, int, Rows]]:
    """Each key of the wanted buckets, its bucket and its rows, whether they are the same or not.

    Args:
        buckets: of each window.
    """
    if not wanted:
        return
    streams = [
        session.stream_rows(query, buckets, wanted, values=True)
        for session, query in zip(sessions, queries, strict=True)
    ]
    heads = on_both_sides(*sessions, lambda: next(streams[0], None), lambda: next(streams[1], None))
    runs = [
        itertools.groupby(itertools.chain([] if head is None else [head], stream), key=_bucket_of)
        for head, stream in zip(heads, streams, strict=True)
    ]
    order = _numbers(queries[0])
    found = [next(run, None) for run in runs]
    while any(found):
        at = min((each[0] for each in found if each is not None), key=lambda each: (order[each[0]], each[1]))
        groups: dict[tuple[Hashable, ...], Rows] = {}
        for side, each in enumerate(found):
            if each is not None and each[0] == at:
                for row in each[1]:
                    identity = comparer.identity(row.key, source=side == 0)
                    groups.setdefault(identity, ([], []))[side].append(Row(row.key, row.content))
                found[side] = next(runs[side], None)
        for identity, rows in groups.items():
            yield (at[0], identity), at[1], rows


def _bucket_of(row: ShippedRow) -> Bucket:
    return row.window, row.bucket


def _numbers(query: RowsetQuery) -> dict[Window, int]:
    if query.partitions is None:
        return {None: 0}
    partitions = query.partitions.partitions
    return {partition.key: number for number, partition in enumerate(partitions)}
