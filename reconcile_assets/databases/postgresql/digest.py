"""Row digests and their sums in PostgreSQL.

* fast, where both sides hash alike: see :mod:`~reconcile_assets.databases.postgresql.fast_hash`;
* portable, where another engine must compute the same: see :mod:`~reconcile_assets.databases.postgresql.portable`.
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.tables import Table
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import Bucket, BucketSums, PartitionFilter, RowsetQuery
from reconcile_assets.databases.postgresql import fast_hash, portable
from reconcile_assets.databases.postgresql.canonical import value_sql
from reconcile_assets.databases.postgresql.catalog import source_of, user_sql
from reconcile_assets.databases.postgresql.windows import Windows

_WINDOW_STEP = 2**31
_WANTED = "reconcile_assets key {}"  # no column of a table is likely to be called so
_FEW_KEY_COLUMNS = 3  # of these a bucket is computed by itself; of more, from what the digest is made of

_SUMS = sql.SQL("SELECT {window}, {bucket}, count(*), sum(d)::text FROM ({rows}) AS d {grouped}")
_SUMS_WITH_KEYS = sql.SQL("""
SELECT w, b, sum(c), sum(s)::text, sum(nulls), sum(c - 1)
FROM (
  SELECT w, b, k, count(*) AS c, sum(d) AS s, count(*) FILTER (WHERE n) AS nulls FROM ({rows}) AS d GROUP BY w, b, k
)
AS g GROUP BY w, b
""")
_SHIPPED = sql.SQL("SELECT {columns} FROM ({rows}) AS s ORDER BY w, b")
_SHIPPED_SOME = sql.SQL("""
SELECT {columns} FROM (SELECT *, row_number() OVER (PARTITION BY w) AS number FROM ({rows}) AS s) AS m
WHERE number <= {most} ORDER BY w, b
""")


class DigestQueries:
    """The statements by which one side's rows are read.

    Args:
        table: as described, so that its name is resolved and quoted; None for a query.
        recode: the server keeps text in another encoding than UTF-8.
    """

    def __init__(self, query: RowsetQuery, table: Table | None, *, recode: bool = False) -> None:
        self.query = query
        self._recode = recode
        self._table = table.name if table is not None and query.relation.query is None else None
        self._windows = windows_of(query.partitions)
        self.window_keys: Mapping[int, str | None] = {0: None} if self._windows is None else self._windows.keys
        """The partition's key by its window's number in SQL."""
        self._counts_keys = not query.unique and bool(query.key)

    def sums(self, buckets: int) -> sql.Composed:
        """One scan, which gives a row for each bucket that has rows; see :meth:`read_sums`."""
        if self._counts_keys:
            return _SUMS_WITH_KEYS.format(rows=self._rows(buckets, {"k": self._key_record()}))
        window = sql.SQL("0") if self._windows is None else sql.SQL("w")
        bucket = sql.SQL("0") if buckets == 1 else sql.SQL("b")
        groups = [*([window] if self._windows is not None else []), *([bucket] if buckets > 1 else [])]
        grouped = sql.SQL("GROUP BY {}").format(_list(groups)) if groups else sql.SQL("HAVING count(*) > 0")
        return _SUMS.format(window=window, bucket=bucket, rows=self._rows(buckets), grouped=grouped)

    def read_sums(self, row: Sequence[object]) -> tuple[Bucket, BucketSums]:
        """What a row of :meth:`sums` tells of which bucket."""
        window, bucket, rows, total, *rest = (int(str(value)) for value in row)
        nulls, duplicates = rest if self._counts_keys else (0, 0)
        return (self.window_keys[window], bucket), BucketSums(rows, total, 0, nulls, duplicates)

    def shipped(
        self, buckets: int, wanted: Sequence[Bucket], *, values: bool, per_window: int | None = None
    ) -> sql.Composed:
        """The rows of the wanted buckets, ordered by window and bucket: window, bucket, key, values or digest."""
        keys, columns = self._keys(), self._values() if values else {}
        rows = self._rows(buckets, {**keys, **columns}, digest=not values, wanted=wanted)
        names = ["w", "b", *keys, *(columns if values else ("d",))]
        shown = _list([sql.Identifier(name) for name in names])
        if per_window is None:
            return _SHIPPED.format(columns=shown, rows=rows)
        return _SHIPPED_SOME.format(columns=shown, rows=rows, most=sql.Literal(per_window))

    def by_key(self, keys: Sequence[tuple[str | None, ...]]) -> sql.Composed:
        """The rows of these keys with their values; each key is compared by the column's own index."""
        casts = [
            sql.SQL("{}::{}").format(sql.Identifier("wanted", _WANTED.format(index)), user_sql(form.column.type.native))
            for index, form in enumerate(self.query.key)
        ]
        on = [
            sql.SQL("{} = {}").format(sql.Identifier("t", form.column.name), cast)
            for form, cast in zip(self.query.key, casts, strict=True)
        ]
        arrays = [sql.SQL("{}::text[]").format([key[index] for key in keys]) for index in range(len(self.query.key))]
        aliases = sql.SQL(", ").join(sql.Identifier(_WANTED.format(index)) for index in range(len(self.query.key)))
        return sql.SQL(
            "SELECT {shown} FROM (SELECT DISTINCT * FROM unnest({arrays}) AS u({aliases}))"
            " AS wanted JOIN (SELECT * FROM {source}) AS t ON {on} WHERE {inside}"
        ).format(
            shown=_named({"w": self._window(), **self._keys(), **self._values()}),
            arrays=sql.SQL(", ").join(arrays),
            aliases=aliases,
            source=source_of(self.query.relation, self._table),
            on=sql.SQL(" AND ").join(on),
            inside=self._inside(),
        )

    def _rows(
        self,
        buckets: int,
        more: Mapping[str, sql.Composable] | None = None,
        *,
        digest: bool = True,
        wanted: Sequence[Bucket] | None = None,
    ) -> sql.Composed:
        """A query of each row's window, bucket, NULL in the key, digest, and more; or of the wanted buckets' rows."""
        found = {"w": self._window(), "n": self._any_null(), **(more or {})}
        source, condition = source_of(self.query.relation, self._table), self._inside()
        once = self._once(buckets, digest=digest)
        if once:  # OFFSET 0 keeps the planner from computing it in each place that names it
            items = _named({**found, **once})
            source = sql.SQL("(SELECT {} FROM {} WHERE {} OFFSET 0) AS o").format(items, source, condition)
            condition = sql.SQL("true")
            found = {name: sql.Identifier(name) for name in found}
        found["b"] = self._bucket(buckets)
        if digest:
            found["d"] = self._digest(buckets)
        if wanted is not None:
            condition = sql.SQL("{} AND {}").format(condition, self._is_wanted(wanted, found["w"], found["b"]))
        return sql.SQL("SELECT {} FROM {} WHERE {}").format(_named(found), source, condition)

    def _once(self, buckets: int, *, digest: bool) -> dict[str, sql.Composable]:
        """What more than one expression of a row is made of."""
        if self._shares_key_record(buckets):
            return {"k": self._key_record()} | ({"r": self._row_record()} if digest else {})
        if not self._shares_key_hash(buckets):
            return {}
        joint = {"h": fast_hash.row_hash(self.query.key)}
        rest = fast_hash.row_hash(self.query.columns, first=len(self.query.key))
        return joint | ({"c": rest} if digest else {})

    def _shares_key_hash(self, buckets: int) -> bool:
        return self.query.fast and buckets > 1 and len(self.query.key) > _FEW_KEY_COLUMNS

    def _shares_key_record(self, buckets: int) -> bool:
        return not self.query.fast and buckets > 1 and self._counts_keys and not self.query.integer_key

    def _bucket(self, buckets: int) -> sql.Composable:
        if buckets == 1:
            return sql.SQL("0")
        if self.query.fast:
            shared = self._shares_key_hash(buckets)
            found = sql.Identifier("h") if shared else fast_hash.bucket_hash(self.query.key)
        elif self.query.integer_key:
            found = portable.integer_sql(self.query.key[0])
        else:
            shared = self._shares_key_record(buckets)
            found = portable.bucket_sql(sql.Identifier("k") if shared else self._key_record())
        return sql.SQL("({} & {})::int4").format(found, sql.Literal(buckets - 1))

    def _digest(self, buckets: int) -> sql.Composable:
        if not self.query.fast:
            shared = self._shares_key_record(buckets)
            return portable.digest_sql(sql.Identifier("r") if shared else self._row_record())
        if self._shares_key_hash(buckets):
            return fast_hash.digest(sql.SQL("h # c"))
        return fast_hash.digest(fast_hash.row_hash([*self.query.key, *self.query.columns]))

    def _row_record(self) -> sql.Composable:
        return portable.record_sql((*self.query.key, *self.query.columns), recode=self._recode)

    def _key_record(self) -> sql.Composable:
        return portable.record_sql(self.query.key, recode=self._recode)

    def _any_null(self) -> sql.Composable:
        tests = [sql.SQL("{} IS NULL").format(_column(form)) for form in self.query.key if form.column.nullable]
        return sql.SQL("({})").format(sql.SQL(" OR ").join(tests)) if tests else sql.SQL("false")

    def _keys(self) -> dict[str, sql.Composable]:
        return {f"k{index}": value_sql(form, _column(form)) for index, form in enumerate(self.query.key)}

    def _values(self) -> dict[str, sql.Composable]:
        return {f"v{index}": value_sql(form, _column(form)) for index, form in enumerate(self.query.columns)}

    def _window(self) -> sql.Composable:
        return sql.SQL("0") if self._windows is None else self._windows.number

    def _inside(self) -> sql.Composable:
        return sql.SQL("true") if self._windows is None else self._windows.condition

    def _is_wanted(self, wanted: Sequence[Bucket], window: sql.Composable, bucket: sql.Composable) -> sql.Composable:
        if self._windows is None:
            return sql.SQL("{} = ANY({}::int4[])").format(bucket, [number for _, number in wanted])
        numbers = {key: number for number, key in self._windows.keys.items()}
        pairs = [numbers[key] * _WINDOW_STEP + number for key, number in wanted if key is not None]
        place = sql.SQL("{}::int8 * {} + {}").format(window, sql.Literal(_WINDOW_STEP), bucket)
        return sql.SQL("{} = ANY({}::int8[])").format(place, pairs)


def windows_of(partitions: PartitionFilter | None) -> Windows | None:
    """The windows of a filter in this engine's SQL."""
    if partitions is None:
        return None
    found: Sequence[Partition] = partitions.partitions
    return Windows(partitions.column, partitions.kind, found)


def _named(items: Mapping[str, sql.Composable]) -> sql.Composed:
    return _list([sql.SQL("{} AS {}").format(item, sql.Identifier(name)) for name, item in items.items()])


def _list(items: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(items)


def _column(form: ColumnForm) -> sql.Composable:
    return sql.Identifier(form.column.name)
