"""Row digests and their sums in DuckDB's SQL, for columns that DuckDB writes exactly; see :mod:`..core.row_digest`.

A value whose text DuckDB writes in another way than the canonical form has it (a double with an
exponent, a year before Christ) makes its row *unsure*: such rows are left out of the sums, and
hashed one by one. A table with a column of another kind is streamed as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form
from reconcile_assets.core.row_digest import INTEGER_SHIFTS, NULL, is_long
from reconcile_assets.core.tables import ColumnType, TypeKind
from reconcile_assets.databases.base import Bucket, BucketSums, RowsetQuery
from reconcile_assets.databases.duckdb.windows import moment_literal
from reconcile_assets.databases.quoting import quote_name, quote_text

SURE = "true"
_WORDS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
)  # integers that have shifts as every engine has them
_SUMS = (
    "SELECT w, b, count(*), sum(d)::VARCHAR, count(*) FILTER (d >= 9223372036854775808), 0, 0, s"
    " FROM ({rows}) GROUP BY w, b, s"
)
_SUMS_WITH_KEYS = (
    "SELECT w, b, sum(c)::BIGINT, sum(t)::VARCHAR, sum(g)::BIGINT, sum(n)::BIGINT, sum(c - 1)::BIGINT, s FROM ("
    "SELECT w, b, s, k, count(*) AS c, sum(d) AS t, count(*) FILTER (d >= 9223372036854775808) AS g,"
    " count(*) FILTER (n) AS n FROM ({rows}) GROUP BY w, b, s, k) GROUP BY w, b, s"
)


@dataclass(frozen=True)
class _Text:
    """A column's canonical form as SQL, and when it is that surely."""

    text: str
    sure: str = SURE


class DigestQueries:
    """The statements by which rows are summed up.

    Args:
        source: the relation as it stands after FROM.
        condition: true for the rows of the windows.
    """

    def __init__(self, query: RowsetQuery, source: str, condition: str) -> None:
        self.query = query
        self._source = source
        self._condition = condition
        self._key = [_column(form) for form in query.key]
        self._columns = [_column(form) for form in query.columns]

    @property
    def can_sum(self) -> bool:
        """Whether DuckDB can compute the digests."""
        if self.query.integer_key and not _is_word(self.query.key[0]):
            return False
        return None not in self._key and None not in self._columns

    def sums(self, buckets: int) -> str:
        """One scan: window, bucket, rows, sum of the unsigned digests, how many are negative, NULL and duplicate keys,
        and whether the rows are sure."""
        forms, texts = (*self.query.key, *self.query.columns), [*self._key, *self._columns]
        digest = "".join(("('0x' || left(md5(", _record(forms, texts), "), 16))::UBIGINT"))
        items = {"w": self._window(), "b": self._bucket(buckets), "d": digest, "s": self._sure(texts)}
        if self.query.unique or not self.query.key:
            return _SUMS.format(rows=self._rows(items))
        items["k"] = "".join(("md5_number(", _record(self.query.key, self._key), ")"))
        items["n"] = " OR ".join(_is_null(form) for form in self.query.key)
        return _SUMS_WITH_KEYS.format(rows=self._rows(items))

    def read_sums(self, row: Sequence[Any]) -> tuple[Bucket, BucketSums]:
        """What a row of :meth:`sums` tells of which bucket."""
        window, bucket, rows, total, negative, nulls, duplicates, _ = row
        partitions = self.query.partitions
        key = None if partitions is None else partitions.partitions[window].key
        return (key, bucket), BucketSums(rows, int(total) - (negative << 64), 0, nulls, duplicates)

    def unsure(self) -> str:
        """True for the rows whose digest DuckDB can't compute."""
        return _and(self._condition, "".join(("NOT (", self._sure([*self._key, *self._columns]), ")")))

    def wanted(self, buckets: int, wanted: Sequence[Bucket]) -> str:
        """True for the rows of these buckets, in any window, and for those whose bucket DuckDB can't compute."""
        if buckets == 1 or not self.can_sum:
            return self._condition
        numbers = ", ".join(str(number) for number in sorted({number for _, number in wanted}))
        unsure = "".join(("NOT (", self._sure(self._key), ")"))
        return _and(
            self._condition, "".join(("(", self._bucket(buckets), " IN (", numbers or "-1", ") OR ", unsure, ")"))
        )

    def _rows(self, items: dict[str, str]) -> str:
        named = ", ".join(" AS ".join((item, name)) for name, item in items.items())
        return " ".join(("SELECT", named, "FROM", self._source, "WHERE", self._condition))

    def _window(self) -> str:
        """The window's place among the partitions, found by halving; the condition keeps other rows out."""
        partitions = self.query.partitions
        if partitions is None:
            return "0"
        instants = partitions.kind is TypeKind.TIMESTAMPTZ
        starts = [item.start if instants else item.local_start for item in partitions.partitions]
        name = quote_name(partitions.column)

        def place(first: int, last: int) -> str:
            if last - first <= 1:
                return str(first)
            middle = (first + last) // 2
            return "".join(
                ("CASE WHEN ", name, " < ", moment_literal(starts[middle]), " THEN ", place(first, middle), " ELSE ",
                 place(middle, last), " END")
            )  # fmt: skip

        return place(0, len(starts))

    def _bucket(self, buckets: int) -> str:
        if buckets == 1:
            return "0"
        mask = str(buckets - 1)
        if not self.query.integer_key:
            record = _record(self.query.key, self._key)
            return "".join(("(('0x' || left(md5(", record, "), 8))::BIGINT & ", mask, ")::INTEGER"))
        form = self.query.key[0]
        wide = "UBIGINT" if form.column.type.native == "UBIGINT" else "BIGINT"
        number = "".join(("CAST(", quote_name(form.column.name), " AS ", wide, ")"))
        first, second, third = ("".join(("(", number, " >> ", str(shift), ")")) for shift in INTEGER_SHIFTS)
        return "".join(("coalesce((xor(xor(", first, ", ", second, "), ", third, ") & ", mask, ")::INTEGER, 0)"))

    def _sure(self, texts: Sequence[_Text | None]) -> str:
        tests = dict.fromkeys(text.sure for text in texts if text is not None and text.sure != SURE)
        return " AND ".join(tests) or SURE


def _and(*conditions: str) -> str:
    return " AND ".join(condition for condition in conditions if condition != SURE) or SURE


def _is_null(form: ColumnForm) -> str:
    return " ".join((quote_name(form.column.name), "IS NULL"))


def _is_word(form: ColumnForm) -> bool:
    return form.column.type.native in _WORDS


def _record(forms: Sequence[ColumnForm], texts: Sequence[_Text | None]) -> str:
    """A row's text."""
    fields: list[str] = []
    tail: list[str] = []
    for form, text in zip(forms, texts, strict=True):
        if text is None:
            raise ValueError("a column that DuckDB can't write")
        found = text.text
        if is_long(form.canonical.form):
            tail.append(found)
            found = "".join(("strlen(", found, ")::VARCHAR"))
        fields.append("".join(("coalesce(", found, ", ", quote_text(NULL), ")")))
    if tail:
        fields.append("".join(("concat(", ", ".join(tail), ")")))
    return "".join(("concat_ws(',', ", ", ".join(fields), ")"))


def _column(form: ColumnForm) -> _Text | None:
    """A column's canonical form; None where DuckDB can't write it."""
    render = _RENDERERS.get((form.column.type.kind, form.canonical.form))
    if render is None or form.zone is not None:
        return None
    return render(form.column.type, form.canonical, quote_name(form.column.name))


def _cast(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _Text("".join(("CAST(", name, " AS VARCHAR)")))


def _integer(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _cast(column_type, canonical, name) if column_type.native not in ("BIGNUM", "VARINT") else None


def _decimal(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    text = "".join(("CAST(", name, " AS VARCHAR)"))
    if canonical.scale is not None or column_type.scale == 0:
        return _Text(text)
    return _Text("".join(("rtrim(rtrim(", text, ", '0'), '.')")))


def _double(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    """Between 1e-4 and 1e15 DuckDB writes no exponent, and the shortest digits; a whole number with ``.0``."""
    text = "".join(("CAST(", name, " AS VARCHAR)"))
    plain = "".join(("CASE WHEN suffix(", text, ", '.0') THEN left(", text, ", -2) ELSE ", text, " END"))
    sure = "".join(("(", name, " IS NULL OR (abs(", name, ") >= 1e-4 AND abs(", name, ") < 1e15))"))
    return _Text(plain, sure)


def _single(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _double(column_type, canonical, "".join(("CAST(", name, " AS DOUBLE)")))


def _truth(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _Text("".join(("CAST(CAST(", name, " AS INTEGER) AS VARCHAR)")))


def _bytes(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _Text("".join(("('\\x' || lower(hex(", name, ")))")))


def _date(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    """Before Christ DuckDB writes the era elsewhere; and a date may be beyond what a timestamp is."""
    midnight = " || ' 00:00:00'" if canonical.form is Form.TIMESTAMP else ""
    usual = "".join(("(", name, " IS NULL OR ", name, " BETWEEN DATE '0001-01-01' AND DATE '9999-12-31')"))
    return _Text("".join(("(CAST(", name, " AS VARCHAR)", midnight, ")")), usual)


_CUTS = {0: "second", 3: "milliseconds", 6: "microseconds"}


def _moment(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    if column_type.native == "TIMESTAMP_NS":
        return None
    cut = name
    if canonical.digits is not None:
        if canonical.digits not in _CUTS:
            return None
        cut = "".join(("date_trunc('", _CUTS[canonical.digits], "', ", name, ")"))
    zone = "+00" if column_type.kind is TypeKind.TIMESTAMPTZ else ""
    first, last = quote_text(f"0001-01-01 00:00:00{zone}"), quote_text(f"9999-12-31 23:59:59.999999{zone}")
    usual = "".join(("(", name, " IS NULL OR ", name, " BETWEEN ", first, " AND ", last, ")"))
    return _Text("".join(("CAST(", cut, " AS VARCHAR)")), usual)


def _time(column_type: ColumnType, canonical: Canonical, name: str) -> _Text | None:
    return _cast(column_type, canonical, name) if canonical.digits is None and column_type.native == "TIME" else None


_Render = Callable[[ColumnType, Canonical, str], _Text | None]
_RENDERERS: dict[tuple[TypeKind, Form], _Render] = {
    (TypeKind.INTEGER, Form.NUMBER): _integer,
    (TypeKind.DECIMAL, Form.NUMBER): _decimal,
    (TypeKind.FLOAT64, Form.NUMBER): _double,
    (TypeKind.FLOAT32, Form.FLOAT32): _single,
    (TypeKind.BOOLEAN, Form.NUMBER): _truth,
    (TypeKind.BOOLEAN, Form.BOOLEAN): _cast,
    (TypeKind.TEXT, Form.TEXT): _cast,
    (TypeKind.ENUM, Form.TEXT): _cast,
    (TypeKind.BYTES, Form.BYTES): _bytes,
    (TypeKind.DATE, Form.DATE): _date,
    (TypeKind.DATE, Form.TIMESTAMP): _date,
    (TypeKind.TIMESTAMP, Form.TIMESTAMP): _moment,
    (TypeKind.TIMESTAMPTZ, Form.TIMESTAMPTZ): _moment,
    (TypeKind.TIME, Form.TIME): _time,
    (TypeKind.UUID, Form.UUID): _cast,
    (TypeKind.BIT, Form.BIT): _cast,
}
