"""Row digests and their sums in MySQL, bit for bit those of the other engines' portable form.

A row's bytes are what PostgreSQL's ``record_send`` gives for its canonical texts: the number
of columns, then for each the OID of ``text``, the length (-1 for NULL) and the bytes. The two
halves of their md5 are summed as signed 64-bit numbers, exactly: a sum of BIGINT is a DECIMAL.

The rows' digests are computed in a derived table with a LIMIT that limits nothing: it keeps the
server from merging the table into the outer query, where each digest would be computed twice.
Where a row is longer than ``max_allowed_packet`` its digest is NULL: ``hashes`` counts the others.
"""

from collections.abc import Sequence

from reconcile_assets.core.canonical import ColumnForm
from reconcile_assets.core.tables import TypeKind
from reconcile_assets.databases.base import Bucket, RowsetQuery
from reconcile_assets.databases.mysql.canonical import column_sql, fixed_length, is_its_own_bytes, read_column
from reconcile_assets.databases.mysql.statements import (
    Sql,
    bytes_literal,
    fill,
    identifier,
    integer_literal,
    join,
    sql,
)
from reconcile_assets.databases.mysql.values import literal, value_sql
from reconcile_assets.databases.mysql.windows import Windows

_OID_OF_TEXT = (25).to_bytes(4, "big")
_NULL = bytes_literal(_OID_OF_TEXT + b"\xff\xff\xff\xff")
_NULLABLE = "IF({column} IS NULL, {null}, CONCAT({field}))"
_SHORT = "CHAR(0, 0, 0, 25, 0, 0, 0, LENGTH({x}))"
_LONG = "CHAR(0, 0, 0, 25), UNHEX(LPAD(HEX(LENGTH({x})), 8, '0'))"
_SHORT_KINDS = frozenset(
    {
        TypeKind.INTEGER,
        TypeKind.DECIMAL,
        TypeKind.DATE,
        TypeKind.TIME,
        TypeKind.TIMESTAMP,
        TypeKind.TIMESTAMPTZ,
        TypeKind.BIT,
        TypeKind.UUID,
    }
)
_ONE_BYTE = 255
_FIRST = sql("SUM(CAST(CONV(LEFT(h, 16), 16, -10) AS SIGNED))")
_SECOND = sql("SUM(CAST(CONV(SUBSTRING(h, 17, 16), 16, -10) AS SIGNED))")
_SUMS = (
    "SELECT w, {bucket} AS b, COUNT(*), {first}, {second}, 0, 0, COUNT(h)"
    " FROM ({rows} LIMIT 18446744073709551615) AS d GROUP BY w, b ORDER BY NULL"
)
_SUMS_WITH_KEYS = (
    "SELECT w, b, SUM(c), SUM(s1), SUM(s2), SUM(nulls), SUM(c - 1), SUM(hashes) FROM ("
    "SELECT w, {bucket} AS b, k, COUNT(*) AS c, {first} AS s1, {second} AS s2, SUM(n) AS nulls, COUNT(h) AS hashes"
    " FROM ({rows} LIMIT 18446744073709551615) AS d GROUP BY w, b, k ORDER BY NULL) AS g GROUP BY w, b ORDER BY NULL"
)
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
        """One scan: window, bucket, rows, both sums, NULL keys, duplicate keys, rows with a digest."""
        counted = not self.query.unique and bool(self.query.key)
        items = [fill("{w} AS w", w=self._window())]
        if counted or buckets > 1:
            items.append(fill("MD5({record}) AS k", record=self._key_record()))
        if counted:
            items.append(fill("{any_null} AS n", any_null=self._any_null()))
        items.append(fill("MD5({record}) AS h", record=self._row_record()))
        rows = fill(
            "SELECT {items} FROM {source} WHERE {inside}",
            items=join(", ", items),
            source=self._source,
            inside=self._inside(),
        )
        template = _SUMS_WITH_KEYS if counted else _SUMS
        return fill(template, bucket=_bucket(sql("k"), buckets), first=_FIRST, second=_SECOND, rows=rows)

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
        bucket = _bucket(fill("MD5({record})", record=self._key_record()), buckets)
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
    """A row's bytes; no value, NULL or length can pass for another."""
    parts = [bytes_literal(len(forms).to_bytes(4, "big")), *(_field_sql(form) for form in forms)]
    return fill("CONCAT({parts})", parts=join(", ", parts))


def _field_sql(form: ColumnForm) -> Sql:
    """Type, length and bytes; written out twice, the bytes are computed twice: the length is had more cheaply."""
    column = read_column(form)
    found = column_sql(form, column)
    size = fixed_length(form)
    if size is not None:
        field = join(", ", [bytes_literal(_OID_OF_TEXT + size.to_bytes(4, "big")), found])
    else:
        measured = column if is_its_own_bytes(form) else found
        field = join(", ", [fill(_SHORT if _is_short(form) else _LONG, x=measured), found])
    return fill(_NULLABLE, column=column, null=_NULL, field=field) if form.column.nullable else field


def _is_short(form: ColumnForm) -> bool:
    """Whether one byte always tells the length, which is cheaper to write."""
    kind, length = form.column.type.kind, form.column.type.length
    if kind in (TypeKind.TEXT, TypeKind.CHAR):
        return length is not None and 4 * length + 2 <= _ONE_BYTE
    return kind in _SHORT_KINDS


def _bucket(digest: Sql, buckets: int) -> Sql:
    if buckets == 1:
        return sql("0")
    return fill(
        "(CAST(CONV(LEFT({digest}, 8), 16, 10) AS SIGNED) & {mask})", digest=digest, mask=integer_literal(buckets - 1)
    )
