"""Row digests and their sums in PostgreSQL.

A row's bytes are ``record_send(ROW(...))`` of its canonical columns: for each column a
type, a length (-1 for NULL) and the bytes, so no value, NULL or length can pass for
another, and 150 columns are no more than one argument. Two independent 64-bit hashes
of these bytes are summed as exact numerics; being hashes of the whole row, with its
key, they are linear over nothing.

* fast: the 64-bit hash of bytea with two seeds, where both sides hash alike; through an
  array of one, because before PostgreSQL 18 SQL can't call it directly;
* portable: the two halves of md5.

``enable_sort`` is off for the grouped scan only: the planner takes each computed group
for a single row and would sort the table.
"""

from collections.abc import Sequence

from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.tables import Table
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Bucket, PartitionFilter, RowsetQuery
from reconcile_assets.databases.postgresql.canonical import column_sql, value_sql
from reconcile_assets.databases.postgresql.catalog import source_of, user_sql
from reconcile_assets.databases.postgresql.windows import Windows

_LANES = {
    True: (sql.SQL("hash_array_extended(ARRAY[r], 1)"), sql.SQL("hash_array_extended(ARRAY[r], 2)")),
    False: (
        sql.SQL("('x' || substr(md5(r), 1, 16))::bit(64)::int8"),
        sql.SQL("('x' || substr(md5(r), 17, 16))::bit(64)::int8"),
    ),
}
_BUCKET = {
    True: sql.SQL("(hash_array_extended(ARRAY[k], 3) & {})::int4"),
    False: sql.SQL("(('x' || left(md5(k), 8))::bit(32)::int8 & {})::int4"),
}

_SUMS = sql.SQL("""
SELECT w, b, count(*), sum(l1), sum(l2), {null_keys}, 0
FROM (SELECT w, {bucket} AS b, n, {first} AS l1, {second} AS l2 FROM ({rows}) AS r) AS d
GROUP BY w, b
""")

_SUMS_WITH_KEYS = sql.SQL("""
SELECT w, b, sum(c), sum(s1), sum(s2), sum(nulls), sum(c - 1)
FROM (
  SELECT w, b, k, count(*) AS c, sum(l1) AS s1, sum(l2) AS s2, {null_keys} AS nulls
  FROM (SELECT w, {bucket} AS b, k, n, {first} AS l1, {second} AS l2 FROM ({rows}) AS r) AS d
  GROUP BY w, b, k
) AS g GROUP BY w, b
""")


class DigestQueries:
    """The statements by which one side's rows are read.

    Args:
        table: as described, so that its name is resolved and quoted; None for a query.
    """

    def __init__(self, query: RowsetQuery, table: Table | None) -> None:
        self.query = query
        self._table = table.name if table is not None and query.relation.query is None else None
        self._windows = windows_of(query.partitions)

    @property
    def windows(self) -> Windows | None:
        """The windows, None for the whole relation."""
        return self._windows

    def sums(self, buckets: int) -> sql.Composed:
        """One scan: window, bucket, rows, both sums, NULL keys, duplicate keys."""
        counted = not self.query.unique and bool(self.query.key)
        template = _SUMS_WITH_KEYS if counted else _SUMS
        first, second = _LANES[self.query.fast]
        return template.format(
            null_keys=sql.SQL("count(*) FILTER (WHERE n)") if counted else sql.SQL("0"),
            bucket=self._bucket(buckets),
            first=first,
            second=second,
            rows=self._rows(with_key=counted or buckets > 1),
        )

    def shipped(
        self, buckets: int, wanted: Sequence[Bucket], *, values: bool, per_window: int | None = None
    ) -> sql.Composed:
        """The rows of the wanted buckets, ordered by window and bucket: window, bucket, key, values or lanes."""
        keys = [sql.Identifier(f"k{index}") for index in range(len(self.query.key))]
        names = [sql.Identifier(f"v{index}") for index in range(len(self.query.columns))] if values else _LANE_NAMES
        content = self._values() if values else []
        rows = self._rows(
            with_key=buckets > 1, with_row=not values, extra=[*self._keys(keys), *self._as(content, names)]
        )
        lanes = [] if values else self._as(_LANES[self.query.fast], names)
        inner = sql.SQL("SELECT {} FROM ({}) AS r").format(
            _list([sql.SQL("w"), sql.SQL("{} AS b").format(self._bucket(buckets)), *keys, *(lanes or names)]), rows
        )
        inner = sql.SQL("SELECT * FROM ({}) AS s WHERE {}").format(inner, self._is_wanted(wanted))
        if per_window is None:
            return sql.SQL("{} ORDER BY w, b").format(inner)
        shown = _list([sql.SQL("w"), sql.SQL("b"), *keys, *names])
        numbered = sql.SQL("SELECT *, row_number() OVER (PARTITION BY w) AS number FROM ({}) AS n").format(inner)
        return sql.SQL("SELECT {} FROM ({}) AS m WHERE number <= {} ORDER BY w, b").format(
            shown, numbered, sql.Literal(per_window)
        )

    def by_key(self, keys: Sequence[tuple[str | None, ...]]) -> sql.Composed:
        """The rows of these keys with their values; each key is compared by the column's own index."""
        names = [sql.Identifier(f"k{index}") for index in range(len(self.query.key))]
        values = [sql.Identifier(f"v{index}") for index in range(len(self.query.columns))]
        casts = [
            sql.SQL("{}::{}").format(sql.Identifier("wanted", f"c{index}"), user_sql(form.column.type.native))
            for index, form in enumerate(self.query.key)
        ]
        on = [
            sql.SQL("{} = {}").format(sql.Identifier("t", form.column.name), cast)
            for form, cast in zip(self.query.key, casts, strict=True)
        ]
        arrays = [sql.SQL("{}::text[]").format([key[index] for key in keys]) for index in range(len(self.query.key))]
        aliases = sql.SQL(", ").join(sql.Identifier(f"c{index}") for index in range(len(self.query.key)))
        return sql.SQL(
            "SELECT {window} AS w, {keys}{comma}{values} FROM (SELECT DISTINCT * FROM unnest({arrays}) AS u({aliases}))"
            " AS wanted JOIN (SELECT * FROM {source}) AS t ON {on} WHERE {inside}"
        ).format(
            window=self._window(),
            keys=sql.SQL(", ").join(self._keys(names)),
            comma=sql.SQL(", ") if values else sql.SQL(""),
            values=sql.SQL(", ").join(self._as(self._values(), values)),
            arrays=sql.SQL(", ").join(arrays),
            aliases=aliases,
            source=source_of(self.query.relation, self._table),
            on=sql.SQL(" AND ").join(on),
            inside=self._inside(),
        )

    def _rows(self, *, with_key: bool, with_row: bool = True, extra: Sequence[sql.Composable] = ()) -> sql.Composable:
        """Window, key bytes, row bytes: computed once for each row (OFFSET 0 keeps the planner from copying them)."""
        keys = [column_sql(form, _column(form)) for form in self.query.key]
        columns = [column_sql(form, _column(form)) for form in self.query.columns]
        items: list[sql.Composable] = [sql.SQL("{} AS w").format(self._window())]
        if with_key:
            items.append(sql.SQL("record_send(ROW({})) AS k").format(sql.SQL(", ").join(keys)))
        items.append(sql.SQL("{} AS n").format(self._any_null()))
        if with_row:
            items.append(sql.SQL("record_send(ROW({})) AS r").format(sql.SQL(", ").join([*keys, *columns])))
        return sql.SQL("SELECT {} FROM {} WHERE {} OFFSET 0").format(
            sql.SQL(", ").join([*items, *extra]), source_of(self.query.relation, self._table), self._inside()
        )

    def _any_null(self) -> sql.Composable:
        tests = [sql.SQL("{} IS NULL").format(_column(form)) for form in self.query.key if form.column.nullable]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(tests)) if tests else sql.SQL("false")

    def _bucket(self, buckets: int) -> sql.Composable:
        return sql.SQL("0") if buckets == 1 else _BUCKET[self.query.fast].format(sql.Literal(buckets - 1))

    def _keys(self, names: Sequence[sql.Composable]) -> list[sql.Composable]:
        return self._as([value_sql(form, _column(form)) for form in self.query.key], names)

    def _values(self) -> list[sql.Composable]:
        return [value_sql(form, _column(form)) for form in self.query.columns]

    @staticmethod
    def _as(items: Sequence[sql.Composable], names: Sequence[sql.Composable]) -> list[sql.Composable]:
        return [sql.SQL("{} AS {}").format(item, name) for item, name in zip(items, names, strict=False)]

    def _window(self) -> sql.Composable:
        return sql.SQL("0") if self._windows is None else self._windows.number

    def _inside(self) -> sql.Composable:
        return sql.SQL("true") if self._windows is None else self._windows.condition

    def _is_wanted(self, wanted: Sequence[Bucket]) -> sql.Composable:
        numbers: dict[str | None, int] = {None: 0}
        if self._windows is not None:
            numbers = {key: number for number, key in self._windows.keys.items()}
        pairs = [numbers[window] * _WINDOW_STEP + bucket for window, bucket in wanted]
        return sql.SQL("w::int8 * {} + b = ANY({}::int8[])").format(sql.Literal(_WINDOW_STEP), pairs)


_WINDOW_STEP = 2**31
_LANE_NAMES = [sql.Identifier("l1"), sql.Identifier("l2")]


def windows_of(partitions: PartitionFilter | None) -> Windows | None:
    """The windows of a filter in this engine's SQL."""
    if partitions is None:
        return None
    found: Sequence[Partition] = partitions.partitions
    return Windows(partitions.column, partitions.kind, found)


def _list(items: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)


def _column(form: ColumnForm) -> sql.Composable:
    return sql.Identifier(form.column.name)
