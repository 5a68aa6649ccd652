"""The tables that comparisons are measured on: 12 columns of the types that business tables have."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

TABLE = "orders"
COLUMNS = """
    id bigint PRIMARY KEY,
    created_at timestamptz NOT NULL,
    customer_id integer NOT NULL,
    product_id integer NOT NULL,
    quantity smallint,
    price numeric(12,2) NOT NULL,
    rate double precision,
    status text NOT NULL,
    country varchar(2),
    note text,
    paid boolean NOT NULL,
    updated_at timestamptz
"""
NAMES = [line.split()[0] for line in COLUMNS.strip().splitlines()]
_ROWS = """
SELECT n, timestamptz '2023-01-01 00:00+00' + n * (interval '100 days' / {rows}),
       (n * 7919 % 100000)::int, (n * 104729 % 5000)::int, CASE WHEN n % 50 <> 0 THEN n % 100 END,
       (n * 31 % 1000000) / 100.0, sqrt(n),
       (ARRAY['new', 'paid', 'shipped', 'returned'])[1 + n % 4], (ARRAY['US', 'DE', 'FR'])[1 + n % 3],
       CASE WHEN n % 3 <> 0 THEN md5(n::text) END, n % 2 = 0,
       timestamptz '2023-01-01 00:00+00' + n * (interval '100 days' / {rows}) + n % 3600 * interval '1 second'
FROM generate_series(1, {rows}::bigint) AS n
"""

# The fastest form that is not linear over rows: 64-bit integers and times whole, hashed once more, by day. To it
# numeric has no sign, and 0.0 is NULL; to ours they are what they are.
_RAW_ROW = (
    "ROW(int8send(id), timestamptz_send(created_at), int4send(customer_id), int4send(product_id), int2send(quantity),"
    " price, rate, status, country, note, paid, timestamptz_send(updated_at))"
)
_RAW_HASH = "hashbyteaextended(int8send(hash_record_extended({row}, 0)), 1)"
_RAW_HASH_BEFORE_18 = "hash_record_extended(ROW(int8send(hash_record_extended({row}, 0))), 1)"
_RAW = "SELECT date_trunc('day', created_at), count(*), sum({digest}) FROM orders GROUP BY 1"
RAW_SETTINGS = "SET enable_sort = off"


@dataclass(frozen=True)
class Edits:
    """What is changed in the target, scattered over its rows.

    Attributes:
        values: rows of which one value is another.
        exchanged: pairs of rows that exchange a value: two differences each.
        missing, extra: rows that only the source, only the target has.
    """

    values: int = 0
    exchanged: int = 0
    missing: int = 0
    extra: int = 0

    @property
    def total(self) -> int:
        """Rows that differ."""
        return self.values + 2 * self.exchanged + self.missing + self.extra


THOUSAND = Edits(values=600, exchanged=100, missing=100, extra=100)
HUNDRED = Edits(values=60, exchanged=10, missing=10, extra=10)


_EXCHANGE = """
UPDATE orders AS t SET customer_id = o.customer_id
FROM unnest(%s::bigint[] || %s::bigint[], %s::bigint[] || %s::bigint[]) AS p(id, other)
JOIN orders AS o ON o.id = p.other WHERE t.id = p.id
"""
_ADD = """
INSERT INTO orders SELECT %s + 1000 * id, created_at, customer_id, product_id, quantity, price, rate, status, country,
                          note, paid, updated_at
FROM orders ORDER BY id LIMIT %s
"""


def raw_digest(*, major: int) -> str:
    """The raw digest of the table by day, as SQL."""
    return _RAW.format(digest=(_RAW_HASH if major >= 18 else _RAW_HASH_BEFORE_18).format(row=_RAW_ROW))


def make_table(url: str, rows: int) -> None:
    """Make the table anew."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS orders")
        connection.execute(_sql("CREATE TABLE orders (" + COLUMNS + ")"))
        connection.execute(_sql("INSERT INTO orders " + _ROWS.format(rows=rows)))
        connection.execute("VACUUM ANALYZE orders")


def edit_table(url: str, rows: int, edits: Edits) -> None:
    """Change rows all over the table; each row is changed once at most."""
    step = rows // (edits.values + 2 * edits.exchanged + edits.missing + 1)
    places = iter(range(step, rows, step))
    changed, here, there, gone = (
        [next(places) for _ in range(count)]
        for count in (edits.values, edits.exchanged, edits.exchanged, edits.missing)
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE orders SET price = price + 1 WHERE id = ANY(%s)", [changed])
        connection.execute(_EXCHANGE, [here, there, there, here])
        connection.execute("DELETE FROM orders WHERE id = ANY(%s)", [gone])
        connection.execute(_ADD, [rows, edits.extra])
        connection.execute("VACUUM ANALYZE orders")


def edit_half(url: str) -> None:
    """Change every second row."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE orders SET quantity = -1 WHERE id % 2 = 0")
        connection.execute("VACUUM FULL ANALYZE orders")


def _sql(text: str) -> sql.SQL:
    return sql.SQL(text)  # type: ignore[arg-type,unused-ignore] # made of what stands above
