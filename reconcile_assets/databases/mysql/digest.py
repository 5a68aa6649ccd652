"""Row digests and their sums in MySQL, bit for bit those of the other engines' portable form.

A row's text is what :mod:`reconcile_assets.core.row_digest` tells. The first half of its md5 is
summed as a signed 64-bit number, exactly: a sum of BIGINT is a DECIMAL. No derived table stands
between: it would be written to the server's disk row by row.

Where a row is longer than ``max_allowed_packet`` its text is NULL; that a sum would just leave it
out must never be, so a number beyond every range is computed then, which the server refuses.
Groups are told by their places, as a table may have columns of any name.
"""

from collections.abc import Sequence

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.row_digest import INTEGER_SHIFTS, is_long
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.base import Bucket, RowsetQuery
from reconcile_assets.databases.mysql.canonical import column_sql, read_column, size_sql
from reconcile_assets.databases.mysql.statements import Sql, fill, identifier, integer_literal, join, sql
from reconcile_assets.databases.mysql.values import literal, value_sql
from reconcile_assets.databases.mysql.windows import Windows

_NULL = sql("'*'")
_SUMS = "SELECT {w}, {bucket}, COUNT(*), {sum}, 0, 0 FROM {source} WHERE {inside} GROUP BY {groups} ORDER BY NULL"
_SUMS_WITH_KEYS = (
    "SELECT w, {bucket}, SUM(c), SUM(s), SUM(nulls), SUM(c - 1) FROM ("
    "SELECT {w} AS w, {i} AS i, {k} AS k, COUNT(*) AS c, {sum} AS s, SUM({n}) AS nulls"
    " FROM {source} WHERE {inside} GROUP BY 1, 2, 3 ORDER BY NULL) AS g GROUP BY 1, 2 ORDER BY NULL"
)
_SUM = "SUM(CAST(CONV(LEFT(IFNULL(MD5({record}), EXP(710 + RAND())), 16), 16, -10) AS SIGNED))"
_WINDOW_STEP = 2**31


class DigestQueries:
    """The statements by which one side's rows are read.

    Args:
        source: the relation as it stands after FROM.
    """

    def __init__(self, query: RowsetQuery, source: Sql) -> None:
        self.query = query
        self._source = source
        found = query.partitions
        self._windows = None if found is None else Windows(found.column, found.kind, found.partitions)

    @property
    def window_keys(self) -> dict[int, str | None]:
        """The window's number in SQL -> the partition's key; 0 stands for the whole relation."""
        return {0: None} if self._windows is None else dict(self._windows.keys)

    def sums(self, buckets: int) -> Sql:
        """One scan: window, bucket, rows, their sum, NULL keys, duplicate keys."""
        parts = {
            "w": self._window(),
            "sum": fill(_SUM, record=self._row_record()),
            "source": self._source,
            "inside": self._inside(),
        }
        if self.query.unique or not self.query.key:
            groups = join(", ", [*([] if self._windows is None else [sql("1")]), sql("2")])  # a constant costs time
            return fill(_SUMS, bucket=self._bucket(buckets), groups=groups, **parts)
        return fill(
            _SUMS_WITH_KEYS,
            bucket=_cut(sql("i"), buckets) if self.query.integer_key else _bucket_of(sql("k"), buckets),
            i=self._integer() if self.query.integer_key else sql("0"),
            k=fill("MD5({record})", record=self._key_record()),
            n=self._any_null(),
            **parts,
        )

    def large_floats(self) -> Sql | None:
        """A row whose key holds a float that other engines may write otherwise; None where no such float can be.

        From 2^53 on a shortest decimal may lie halfway between two doubles, which PostgreSQL does not count as the
        double: elsewhere the values decide, but keys are found by their digests.
        """
        tests = [
            fill("ABS({x}) >= 9007199254740992", x=identifier(form.column.name))
            for form in self.query.key
            if form.column.type.kind in (TypeKind.FLOAT32, TypeKind.FLOAT64) and not form.native
        ]
        if not tests:
            return None
        return fill(
            "SELECT 1 FROM {source} WHERE ({tests}) AND {inside} LIMIT 1",
            source=self._source,
            tests=join(" OR ", tests),
            inside=self._inside(),
        )

    def shipped(self, buckets: int, wanted: Sequence[Bucket], *, values: bool, per_window: int | None = None) -> Sql:
        """The rows of the wanted buckets, ordered by window and bucket: window, bucket, key, values or digest."""
        bucket = self._bucket(buckets)
        items = [fill("{w} AS w", w=self._window()), fill("{b} AS b", b=bucket), *self._shipped_items(values=values)]
        inside = join(" AND ", [self._inside(), self._is_wanted(bucket, buckets, wanted)])
        if per_window is None or self._windows is None:
            limit = sql("") if per_window is None else fill(" LIMIT {n}", n=integer_literal(per_window))
            return fill(
                "SELECT {items} FROM {source} WHERE {inside} ORDER BY w, b{limit}",
                items=join(", ", items),
                source=self._source,
                inside=inside,
                limit=limit,
            )
        items.append(fill("ROW_NUMBER() OVER (PARTITION BY {w}) AS number", w=self._window()))
        return fill(
            "SELECT * FROM (SELECT {items} FROM {source} WHERE {inside}) AS m WHERE number <= {n} ORDER BY w, b",
            items=join(", ", items),
            source=self._source,
            inside=inside,
            n=integer_literal(per_window),
        )

    def by_key(self, keys: Sequence[tuple[str | None, ...]]) -> Sql:
        """The rows of these keys with their values; each key is compared by the column's own index.

        Raises:
            ValueError: a key is none of its columns' types.
        """
        columns = [identifier(form.column.name) for form in self.query.key]
        found = [
            [literal(form, text) for form, text in zip(self.query.key, key, strict=True) if text is not None]
            for key in dict.fromkeys(keys)
        ]
        if len(columns) == 1:
            choice = fill("{k} IN ({values})", k=columns[0], values=join(", ", [key[0] for key in found]))
        else:
            choice = join(
                " OR ",
                [
                    fill(
                        "({tests})",
                        tests=join(
                            " AND ",
                            [fill("{k} = {v}", k=column, v=value) for column, value in zip(columns, key, strict=True)],
                        ),
                    )
                    for key in found
                ],
            )
        return fill(
            "SELECT {w} AS w, {items} FROM {source} WHERE ({choice}) AND {inside}",
            w=self._window(),
            items=join(", ", self._shipped_items(values=True)),
            source=self._source,
            choice=choice,
            inside=self._inside(),
        )

    def _shipped_items(self, *, values: bool) -> list[Sql]:
        key = [value_sql(form, read_column(form)) for form in self.query.key]
        if not values:
            return [*key, fill("MD5({record})", record=self._row_record())]
        return [*key, *(value_sql(form, read_column(form)) for form in self.query.columns)]

    def _key_record(self) -> Sql:
        return record_sql(self.query.key)

    def _row_record(self) -> Sql:
        return record_sql((*self.query.key, *self.query.columns))

    def _bucket(self, buckets: int) -> Sql:
        if self.query.integer_key:
            return _cut(self._integer(), buckets)
        return _bucket_of(fill("MD5({record})", record=self._key_record()), buckets)

    def _integer(self) -> Sql:
        """The key, folded: its lowest bits tell the bucket; 0 for NULL."""
        key = identifier(self.query.key[0].column.name)
        shifted = [fill("({k} >> {n})", k=key, n=integer_literal(shift)) for shift in INTEGER_SHIFTS]
        return fill("IFNULL({folded}, 0)", folded=join(" ^ ", shifted))

    def _any_null(self) -> Sql:
        tests = [fill("{k} IS NULL", k=read_column(form)) for form in self.query.key if form.column.nullable]
        return fill("({tests})", tests=join(" OR ", tests)) if tests else sql("0")

    def _window(self) -> Sql:
        return sql("0") if self._windows is None else self._windows.number

    def _inside(self) -> Sql:
        return sql("TRUE") if self._windows is None else self._windows.condition

    def _is_wanted(self, bucket: Sql, buckets: int, wanted: Sequence[Bucket]) -> Sql:
        if buckets == 1 and self._windows is None:
            return sql("TRUE") if wanted else sql("FALSE")
        numbers = {key: number for number, key in self.window_keys.items()}
        pairs = [integer_literal(numbers[window] * _WINDOW_STEP + found) for window, found in wanted]
        return fill(
            "({w} * {step} + {b}) IN ({pairs})",
            w=self._window(),
            step=integer_literal(_WINDOW_STEP),
            b=bucket,
            pairs=join(", ", pairs) or sql("NULL"),
        )


def record_sql(forms: Sequence[ColumnForm]) -> Sql:
    """A row's text; NULL where it is too long for the server."""
    fields: list[Sql] = []
    texts: list[Sql] = []
    for form in forms:
        column = read_column(form)
        found = column_sql(form, column)
        if is_long(form.canonical.form):
            fields.append(_unless_null(form, column, size_sql(form, column, found), _NULL))
            texts.append(_unless_null(form, column, found, sql("''")))
        else:
            fields.append(_unless_null(form, column, found, _NULL))
    commas = [part for field in fields for part in (field, sql("','"))]
    return fill("CONCAT({parts})", parts=join(", ", [*commas, *texts] if texts else commas[:-1]))


def _unless_null(form: ColumnForm, column: Sql, found: Sql, null: Sql) -> Sql:
    """Only what is NULL itself passes for NULL: what is too long for a function makes the whole text NULL."""
    if not form.column.nullable:
        return found
    if found == column:
        return fill("IFNULL({column}, {null})", column=column, null=null)
    return fill("IF({column} IS NULL, {null}, {found})", column=column, null=null, found=found)


def _cut(number: Sql, buckets: int) -> Sql:
    return sql("0") if buckets == 1 else fill("({n} & {mask})", n=number, mask=integer_literal(buckets - 1))


def _bucket_of(digest: Sql, buckets: int) -> Sql:
    return _cut(fill("CAST(CONV(LEFT({digest}, 8), 16, 10) AS SIGNED)", digest=digest), buckets)
