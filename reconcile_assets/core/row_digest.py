"""The portable digest of a row: 64 bits of the md5 of a text that every engine can make cheaply in its own SQL.

A row's text is its columns' fields with a comma after each but the last, then the texts themselves:

* a *plain* column (numbers, dates, times, UUIDs, bytes as hex, ...) is its canonical form, which never holds a comma;
* a *long* column (text, JSON, arrays, ...) is the length of its UTF-8 in bytes; the texts of all long columns follow
  one another after the last field, and a comma;
* NULL is ``*``, which no plain column's form is.

So a row's text can be read in one way only: the fields up to their known number of commas, then each text by its
length. A surrogate, which no valid text holds, marks what is foreign to a column's type, so it equals no other
engine's text.
"""

import hashlib
from collections.abc import Sequence

from reconcile_assets.core.canonical import FOREIGN, Form

NULL = "*"
_LONG = frozenset({Form.TEXT, Form.JSON, Form.ARRAY, Form.OPAQUE})


def is_long(form: Form) -> bool:
    """Whether a form's texts may hold any character, so that their lengths must be told."""
    return form in _LONG


def record_text(texts: Sequence[str | None], long: Sequence[bool]) -> str:
    """A row's text; no value, NULL or length can pass for another.

    Args:
        texts: the canonical forms of the key's and the other columns' values.
        long: for each of them, whether it :func:`is_long`.
    """
    fields = [
        (NULL if text is None else str(size_of(text)) if is_text else plain_field(text))
        for text, is_text in zip(texts, long, strict=True)
    ]
    if True in long:
        fields.append("".join(text for text, is_text in zip(texts, long, strict=True) if is_text and text is not None))
    return ",".join(fields)


def plain_field(text: str) -> str:
    """A plain column's form as a field; a foreign value may hold anything, and is written in hex digits then."""
    if "," in text or text == NULL:
        return f"{FOREIGN}{encode(text).hex()}"
    return text


def size_of(text: str) -> int:
    """The bytes of a text's UTF-8."""
    return len(text) if text.isascii() else len(encode(text))


def encode(text: str) -> bytes:
    """UTF-8, in which a surrogate is three bytes."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def md5_of(text: str) -> bytes:
    """The md5 of a row's or key's text."""
    return hashlib.md5(encode(text), usedforsecurity=False).digest()


def digest_of(md5: bytes) -> int:
    """The signed 64-bit number that is summed: the first half of a row's md5."""
    return int.from_bytes(md5[:8], "big", signed=True)


def bucket_of(md5: bytes, buckets: int) -> int:
    """The bucket of a key's md5.

    Args:
        buckets: a power of 2.
    """
    return int.from_bytes(md5[:4], "big") & (buckets - 1)


INTEGER_SHIFTS = (6, 21, 36)
"""A whole number's bucket: these right shifts of it, joined by XOR, cut to the number of buckets.

Neighbours share a bucket, about 64 of them, which a scan in the order of the key likes; the higher
bits spread what lies far apart. No hash is needed, and every engine has shifts.
"""


def bucket_of_integer(text: str | None, buckets: int) -> int:
    """The bucket of a key that is one whole number on both sides; NULL and anything foreign stand in the first."""
    if text is None or not (text.isascii() and text.removeprefix("-").isdecimal()):
        return 0
    number = int(text)
    first, second, third = INTEGER_SHIFTS
    return (number >> first ^ number >> second ^ number >> third) & (buckets - 1)
