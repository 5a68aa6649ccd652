"""The portable digest of a row, as PostgreSQL computes it in SQL: md5 over ``record_send`` of the row's texts.

``record_send``: the number of columns, then for each the OID of ``text``, the length of its
UTF-8 (-1 for NULL) and the bytes; all integers big-endian with 32 bits. A surrogate, which no
valid text holds, marks what is foreign to a column's type, so it equals no other engine's text.
"""

import hashlib
from collections.abc import Sequence

_TEXT = (25).to_bytes(4, "big")
_NULL = _TEXT + b"\xff\xff\xff\xff"
_SHORT = [_TEXT + size.to_bytes(4, "big") for size in range(256)]


def record_bytes(texts: Sequence[str | None]) -> bytes:
    """A row's bytes; no value, NULL or length can pass for another."""
    parts = [len(texts).to_bytes(4, "big")]
    for text in texts:
        if text is None:
            parts.append(_NULL)
            continue
        try:
            encoded = text.encode()
        except UnicodeEncodeError:
            encoded = text.encode("utf-8", "surrogatepass")
        size = len(encoded)
        parts.append(_SHORT[size] if size < 256 else _TEXT + size.to_bytes(4, "big"))
        parts.append(encoded)
    return b"".join(parts)


def digest_of(record: bytes) -> bytes:
    """The 128 bits of a row or key."""
    return hashlib.md5(record, usedforsecurity=False).digest()


def lanes_of(digest: bytes) -> tuple[int, int]:
    """The two signed 64-bit numbers that are summed."""
    return int.from_bytes(digest[:8], "big", signed=True), int.from_bytes(digest[8:], "big", signed=True)


def bucket_of(digest: bytes, buckets: int) -> int:
    """The bucket of a key's digest.

    Args:
        buckets: a power of 2.
    """
    return int.from_bytes(digest[:4], "big") & (buckets - 1)
