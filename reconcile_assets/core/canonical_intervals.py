"""Intervals as PostgreSQL writes them: months, days and the clock apart."""


def interval_text(months: int, days: int, microseconds: int) -> str:
    """After ``EncodeInterval`` of PostgreSQL, style ``postgres``."""
    sign = -1 if months < 0 else 1
    written: list[str] = []
    negative = False
    for count, unit in ((sign * (abs(months) // 12), "year"), (sign * (abs(months) % 12), "mon"), (days, "day")):
        if count:
            plus = "+" if negative and count > 0 else ""
            written.append(f"{plus}{count} {unit}{'' if count == 1 else 's'}")
            negative = count < 0
    if microseconds or not written:
        mark = "-" if microseconds < 0 else "+" if negative else ""
        seconds, fraction = divmod(abs(microseconds), 1_000_000)
        minutes, second = divmod(seconds, 60)
        digits = f".{fraction:06d}".rstrip("0") if fraction else ""
        written.append(f"{mark}{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}{digits}")
    return " ".join(written)
