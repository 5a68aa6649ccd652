"""UUIDs in the ways in which they are written: native, text in either case with dashes and braces or not, 16 bytes."""

import re

_UUID = re.compile(r"(?:\{(?P<braced>[0-9a-f-]+)\}|(?P<bare>[0-9a-f-]+))", re.IGNORECASE | re.ASCII)
_DIGITS = re.compile(r"(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}", re.IGNORECASE | re.ASCII)


def uuid_digits(text: str, *, is_bytes: bool = False) -> str:
    """The 32 hex digits of a UUID; ``!`` and the text itself, ``?`` and the bytes, where it is none.

    Args:
        is_bytes: the text is ``\\x`` and the hex digits of bytes.
    """
    if is_bytes:
        digits = text.removeprefix("\\x")
        return digits if len(digits) == 32 else f"?{text}"
    match = _UUID.fullmatch(text)
    digits = (match["braced"] or match["bare"]) if match else ""
    return digits.replace("-", "").lower() if _DIGITS.fullmatch(digits) else f"!{text}"


def dashed(digits: str) -> str:
    """32 hex digits as PostgreSQL writes a UUID."""
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
