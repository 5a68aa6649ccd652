"""The digests of rows that are hashed here: a batch at a time and column by column, which costs least."""

import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconcile_assets.core.row_digest import (
    INTEGER_SHIFTS,
    NULL,
    bucket_of,
    bucket_of_integer,
    encode,
    is_long,
    plain_field,
    size_of,
)
from reconcile_assets.databases.base import RowsetQuery
from reconcile_assets.databases.streaming_rows import Exact

Texts = Sequence[str | None]
Quick = Callable[[Sequence[Any]], Texts | None]
"""The digest's texts of a column's values; None where some value is not of the usual kind: then one by one."""

_SHORT = [str(size) for size in range(256)]


@dataclass(frozen=True)
class Hashed:
    """A batch of rows, hashed.

    Attributes:
        digests: of the rows.
        buckets: of their keys.
        keys: the md5 of each key; empty where it was not needed.
        nulls: whether NULL stands in the key; empty where the keys' are.
    """

    digests: Sequence[int]
    buckets: Sequence[int]
    keys: Sequence[bytes] = ()
    nulls: Sequence[bool] = ()


class RowHasher:
    """Hashes rows as a query asks.

    Args:
        slow: for each of the query's columns, the key's first, what makes the digest's text of one value; None
            where the value is that text already.
        quick: likewise, of all values of a column at once; None where there is no quicker way.
    """

    def __init__(
        self, query: RowsetQuery, buckets: int, slow: Sequence[Exact | None], quick: Sequence[Quick | None]
    ) -> None:
        self._slow = slow
        self._quick = quick
        self._long = [is_long(form.canonical.form) for form in (*query.key, *query.columns)]
        self._width = len(query.key)
        self._buckets = buckets
        self._integer_key = query.integer_key
        self._counts_keys = not query.unique and bool(query.key)

    def hash(self, rows: Sequence[tuple[Any, ...]], *, digests: bool = True) -> Hashed:
        """Hash a batch.

        Args:
            digests: of the rows too, not only what their keys tell.
        """
        if not rows:
            return Hashed((), ())
        columns = list(zip(*rows, strict=True))[: None if digests else self._width]
        texts = [
            (quick(column) if quick else None) or _one_by_one(slow, column)
            for column, slow, quick in zip(columns, self._slow, self._quick, strict=False)
        ]
        found = _md5s(self._records(texts, len(rows))) if digests else []
        keys: Sequence[bytes] = ()
        if self._counts_keys or (self._buckets > 1 and not self._integer_key):
            keys = _md5s(self._records(texts[: self._width], len(rows)))
        nulls = [None in key for key in zip(*texts[: self._width], strict=True)] if self._counts_keys else []
        return Hashed(_digests(found), self._buckets_of(texts, keys, len(rows)), keys, nulls)

    def _records(self, texts: Sequence[Texts], rows: int) -> Sequence[str]:
        """The rows' texts: see :func:`reconcile_assets.core.row_digest.record_text`."""
        if not texts:
            return [""] * rows
        long = self._long[: len(texts)]
        fields = [_sizes(column) if is_text else _plain(column) for column, is_text in zip(texts, long, strict=True)]
        heads = list(map(",".join, zip(*fields, strict=True)))
        commas = len(fields) - 1
        if any(head.count(",") != commas for head in heads):  # a foreign value holds one
            fields = [
                _sizes(column) if is_text else _foreign(column) for column, is_text in zip(texts, long, strict=True)
            ]
            heads = list(map(",".join, zip(*fields, strict=True)))
        tails = [_without_null(column) for column, is_text in zip(texts, long, strict=True) if is_text]
        if not tails:
            return heads
        return [f"{head},{''.join(tail)}" for head, tail in zip(heads, zip(*tails, strict=True), strict=True)]

    def _buckets_of(self, texts: Sequence[Texts], keys: Sequence[bytes], rows: int) -> Sequence[int]:
        if self._buckets == 1:
            return [0] * rows
        if not self._integer_key:
            return [bucket_of(key, self._buckets) for key in keys]
        try:
            numbers = list(map(int, texts[0]))  # type: ignore[arg-type] # NULL is refused
        except (TypeError, ValueError):
            return [bucket_of_integer(text, self._buckets) for text in texts[0]]
        (first, second, third), mask = INTEGER_SHIFTS, self._buckets - 1
        return [(number >> first ^ number >> second ^ number >> third) & mask for number in numbers]


def _one_by_one(slow: Exact | None, column: Sequence[Any]) -> Texts:
    return column if slow is None else [slow(value) for value in column]


def _sizes(texts: Texts) -> list[str]:
    return [
        NULL if text is None else _SHORT[len(text)] if len(text) < 256 and text.isascii() else str(size_of(text))
        for text in texts
    ]


def _plain(texts: Texts) -> list[str]:
    """A plain column's fields; of those that hold a comma, the caller takes care."""
    return _foreign(texts) if NULL in texts else [NULL if text is None else text for text in texts]


def _foreign(texts: Texts) -> list[str]:
    return [NULL if text is None else plain_field(text) for text in texts]


def _without_null(texts: Texts) -> Iterator[str]:
    return (text or "" for text in texts)


def _md5s(records: Sequence[str]) -> list[bytes]:
    try:
        encoded = [record.encode() for record in records]
    except UnicodeEncodeError:
        encoded = [encode(record) for record in records]
    md5 = hashlib.md5
    return [md5(record, usedforsecurity=False).digest() for record in encoded]


def _digests(md5s: Sequence[bytes]) -> Sequence[int]:
    """The first half of each md5: see :func:`reconcile_assets.core.row_digest.digest_of`."""
    return struct.unpack(f">{2 * len(md5s)}q", b"".join(md5s))[::2]
