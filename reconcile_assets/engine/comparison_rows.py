"""Finding the rows that differ, inside the buckets that differ."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from reconcile_assets.core.compare_rows import Row, RowComparer, Tally, Texts
from reconcile_assets.core.compare_sums import (
    SMALL,
    WindowSums,
    choose_buckets,
    differing_buckets,
    sum_windows,
)
from reconcile_assets.databases.base import Bucket, RowsetQuery, Session, ShippedRow
from reconcile_assets.engine.key_spool import Keys, KeySpool
from reconcile_assets.engine.progress import UNHEARD, Progress
from reconcile_assets.engine.sides import on_both_sides
from reconcile_assets.errors import CouldNotVerify

_KEYS_PER_QUERY = 500
_COARSE = 1_024  # rows in a bucket from which a finer second scan is cheaper than shipping them
_MANY = 20_000

Identity = tuple[Hashable, ...]
Group = tuple[list[ShippedRow], list[ShippedRow]]


class RowSearch:
    """Ships what differs of two row sets and tallies the differences of each window.

    Args:
        queries: the source's and the target's.
        limit: differences listed for each window.
        progress: hears how far the search is.
    """

    def __init__(
        self,
        sessions: tuple[Session, Session],
        queries: tuple[RowsetQuery, RowsetQuery],
        comparer: RowComparer,
        limit: int,
        progress: Progress = UNHEARD,
    ) -> None:
        self._sessions = sessions
        self._queries = queries
        self._comparer = comparer
        self._limit = limit
        self._progress = progress
        self._tallies: dict[str | None, Tally] = {}

    def search(
        self, different: Mapping[Bucket, int], buckets: int, windows: Mapping[str | None, WindowSums]
    ) -> dict[str | None, Tally]:
        """The tallies of the windows that have differing buckets.

        Args:
            different: the buckets that differ -> their rows.
            buckets: for each window, as they were summed.
            windows: the sums of both sides.
        """
        apart = self._one_sided(different, windows)
        self._count_one_sided([bucket for bucket in different if bucket[0] in apart], buckets, windows)
        rest = {bucket: rows for bucket, rows in different.items() if bucket[0] not in apart}
        if rest:
            summed = {window for window, _ in rest}
            rest, buckets, windows = self._refine(rest, buckets, windows)
            if summed - {window for window, _ in rest}:
                raise CouldNotVerify("what differed in one scan was the same in the next: a side does not hold still")
        if rest and self._ships_values(rest, buckets, windows):
            self._compare_values(list(rest), buckets)
        elif rest:
            self._compare_digests(list(rest), buckets)
        return self._tallies

    def _one_sided(self, different: Mapping[Bucket, int], windows: Mapping[str | None, WindowSums]) -> set[str | None]:
        """The windows that are counted from the sums alone.

        Where others must be read anyway, and these are small, one scan reads them all.
        """
        apart = {window for window, sums in windows.items() if sums.is_one_sided}
        rows = sum(count for (window, _), count in different.items() if window in apart)
        others = any(window not in apart for window, _ in different)
        return set() if others and rows <= _MANY and self._limit > 0 else apart

    def _tally(self, window: str | None) -> Tally:
        return self._tallies.setdefault(window, Tally(self._limit))

    def _count_one_sided(
        self, wanted: Sequence[Bucket], buckets: int, windows: Mapping[str | None, WindowSums]
    ) -> None:
        """A window that one side lacks wholly is counted from the sums; only what is listed is read."""
        for side in (0, 1):
            mine = [bucket for bucket in wanted if (windows[bucket[0]].source.rows > 0) == (side == 0)]
            if mine and self._limit > 0:
                session, query = self._sessions[side], _within(self._queries[side], mine)
                for row in session.stream_rows(query, buckets, mine, values=True, per_window=self._limit):
                    found = self._comparer.missing(Row(row.key, row.content), in_target=side == 0)
                    self._tally(row.window).differences.append(found)
            for window in {bucket[0] for bucket in mine}:
                sums = windows[window]
                self._tally(window).missing_in_target = sums.source.rows
                self._tally(window).missing_in_source = sums.target.rows

    def _refine(
        self, different: Mapping[Bucket, int], buckets: int, windows: Mapping[str | None, WindowSums]
    ) -> tuple[dict[Bucket, int], int, Mapping[str | None, WindowSums]]:
        """Sum finer buckets, where the estimate of the rows was far too low."""
        rows = sum(different.values())
        finer = choose_buckets(rows, len({window for window, _ in different}))
        if rows < _MANY or rows // len(different) < _COARSE or finer <= buckets * 4 or not self._queries[0].key:
            return dict(different), buckets, windows
        self._progress.phase("dividing what differs")
        left, right = (_within(query, different) for query in self._queries)
        source, target = self._sessions
        sums = on_both_sides(
            source, target, lambda: source.fetch_buckets(left, finer), lambda: target.fetch_buckets(right, finer)
        )
        return differing_buckets(*sums), finer, sum_windows(*sums)

    def _ships_values(
        self, different: Mapping[Bucket, int], buckets: int, windows: Mapping[str | None, WindowSums]
    ) -> bool:
        """Whether to ship values at once: few rows, differences in every bucket, or no way to fetch rows by key.

        While a single bucket is the same, hardly more than one row in ten differs.
        """
        names = {window for window, _ in different}
        null_keys = any(windows[name].source.null_keys or windows[name].target.null_keys for name in names)
        if sum(different.values()) <= SMALL or null_keys or not all(self._can_look_up(side) for side in (0, 1)):
            return True
        return buckets > 1 and len(different) >= sum(windows[name].buckets for name in names)

    def _can_look_up(self, side: int) -> bool:
        query = self._queries[side]
        session = self._sessions[side]
        if query.relation.table is None or not query.key or not query.unique or not session.looks_up_keys:
            return False
        indexed = session.describe(query.relation).indexed
        return any(form.column.name in indexed for form in query.key) and not any(form.zone for form in query.key)

    def _compare_values(self, wanted: Sequence[Bucket], buckets: int) -> None:
        for window, group in self._groups(wanted, buckets, values=True):
            left, right = ([Row(row.key, row.content) for row in rows] for rows in group)
            self._comparer.compare(left, right, self._tally(window))

    def _compare_digests(self, wanted: Sequence[Bucket], buckets: int) -> None:
        listed: tuple[list[Texts], list[Texts]] = ([], [])
        with KeySpool(_KEYS_PER_QUERY) as changed:
            self._read_digests(wanted, buckets, changed, listed)
            self._progress.phase("comparing the rows that differ", len(changed), unit="keys")
            for batch in changed.batches():
                self._look_up(batch)
                self._progress.advance(len(batch))
        for side in (0, 1):
            self._list_missing(listed[side], side)

    def _read_digests(
        self, wanted: Sequence[Bucket], buckets: int, changed: KeySpool, listed: tuple[list[Texts], list[Texts]]
    ) -> None:
        room: dict[str | None, int] = {}
        for window, (left, right) in self._groups(wanted, buckets, values=False):
            if left and right:
                changed.add([row.key for row in left], [row.key for row in right])
                continue
            tally = self._tally(window)
            tally.missing_in_target += len(left)
            tally.missing_in_source += len(right)
            free = room.setdefault(window, self._limit)
            room[window] = max(0, free - len(left) - len(right))
            listed[0].extend(row.key for row in left[:free])
            listed[1].extend(row.key for row in right[:free])
        if not len(changed) and not any(listed) and not any(tally.total for tally in self._tallies.values()):
            raise CouldNotVerify("what differed in one scan was the same in the next: a side does not hold still")

    def _look_up(self, changed: Sequence[Keys]) -> None:
        source, target = self._sessions
        left_keys = [key for keys, _ in changed for key in keys]
        right_keys = [key for _, keys in changed for key in keys]
        rows = on_both_sides(
            source,
            target,
            lambda: source.fetch_rows_by_key(self._queries[0], left_keys),
            lambda: target.fetch_rows_by_key(self._queries[1], right_keys),
        )
        asked = {self._comparer.identity(key, source=True) for key in left_keys}
        groups: dict[tuple[str | None, Identity], tuple[list[Row], list[Row]]] = {}
        for side in (0, 1):
            for row in rows[side]:
                identity = self._comparer.identity(row.key, source=side == 0)
                if identity in asked:  # the column's own equality may find more: 'a' for 'A'
                    group = groups.setdefault((row.window, identity), ([], []))
                    group[side].append(Row(row.key, row.content))
        if len(groups) != len(changed) or not all(left and right for left, right in groups.values()):
            raise CouldNotVerify("rows whose digests differ were not found again by their keys; nothing was proved")
        for (window, _), (left, right) in groups.items():
            self._comparer.compare(left, right, self._tally(window))

    def _list_missing(self, keys: Sequence[Texts], side: int) -> None:
        for start in range(0, len(keys), _KEYS_PER_QUERY):
            batch = keys[start : start + _KEYS_PER_QUERY]
            asked = set(batch)
            for row in self._sessions[side].fetch_rows_by_key(self._queries[side], batch):
                tally = self._tally(row.window)
                if row.key in asked and not tally.is_full:
                    tally.differences.append(self._comparer.missing(Row(row.key, row.content), in_target=side == 0))

    def _groups(self, wanted: Sequence[Bucket], buckets: int, *, values: bool) -> Iterator[tuple[str | None, Group]]:
        """The rows of each key whose rows are not the same on both sides, bucket by bucket."""
        alike_are_same = not values or self._comparer.texts_tell
        for rows in self._buckets(wanted, buckets, values=values):
            left, right = _without_same(rows) if alike_are_same else rows
            groups: dict[Identity, Group] = {}
            for row in left:
                groups.setdefault(self._comparer.identity(row.key, source=True), ([], []))[0].append(row)
            for row in right:
                groups.setdefault(self._comparer.identity(row.key, source=False), ([], []))[1].append(row)
            for group in groups.values():
                if values or not _is_same(group):
                    yield (group[0] or group[1])[0].window, group

    def _buckets(self, wanted: Sequence[Bucket], buckets: int, *, values: bool) -> Iterator[Group]:
        """All rows of a bucket on both sides, one bucket after the other."""
        self._progress.phase("reading what differs", len(wanted), unit="buckets")
        left, right = (
            session.stream_rows(_within(query, wanted), buckets, wanted, values=values)
            for session, query in zip(self._sessions, self._queries, strict=True)
        )
        heads = list(on_both_sides(*self._sessions, lambda: next(left, None), lambda: next(right, None)))
        order = self._window_order()
        while any(head is not None for head in heads):
            _, number, window = min((order[head[0]], head[1], head[0]) for head in heads if head is not None)
            found: Group = ([], [])
            for side, rows in enumerate((left, right)):
                head, kept = heads[side], found[side]
                while head is not None and head[1] == number and head[0] == window:
                    kept.append(head)
                    head = next(rows, None)
                heads[side] = head
            self._progress.advance()
            yield found

    def _window_order(self) -> dict[str | None, int]:
        partitions = self._queries[0].partitions
        if partitions is None:
            return {None: 0}
        return {partition.key: index for index, partition in enumerate(partitions.partitions)}


def _is_same(group: Group) -> bool:
    """Whether digests tell that the rows of a key are the same."""
    left, right = group
    return sorted(row.content for row in left) == sorted(row.content for row in right)


def _without_same(rows: Group) -> Group:
    """The rows of a bucket without those that are written alike on both sides; all, where some are there twice."""
    left, right = ({row[2:] for row in side} for side in rows)
    if len(left) != len(rows[0]) or len(right) != len(rows[1]):
        return rows
    same = left & right
    return [row for row in rows[0] if row[2:] not in same], [row for row in rows[1] if row[2:] not in same]


def _within(query: RowsetQuery, buckets: Iterable[Bucket]) -> RowsetQuery:
    """The same query, of the windows of these buckets only, which an index may find."""
    if query.partitions is None:
        return query
    names = {window for window, _ in buckets}
    kept = [partition for partition in query.partitions.partitions if partition.key in names]
    return replace(query, partitions=replace(query.partitions, partitions=kept))
