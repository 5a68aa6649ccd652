"""A comparison as lines for people."""

from typing import TYPE_CHECKING

from reconcile_assets.cli.output import printable

if TYPE_CHECKING:
    from reconcile_assets.core.compare import Comparison
    from reconcile_assets.core.difference import Difference


def why_inconclusive(comparison: "Comparison") -> str:
    """The one line that says what could not be verified."""
    names = [name for name, column in comparison.columns.items() if column.comparison.startswith("uncomparable")]
    return (
        f"could not verify: no exact comparison for {', '.join(names)}; leave them out with --exclude, or declare how"
    )


def summary_lines(comparison: "Comparison") -> list[str]:
    """The comparison as lines for people."""
    lines = [comparison.verdict.value.upper(), ""]
    for side, counts in (("source", comparison.source), ("target", comparison.target)):
        lines.append(f"  {side}             {counts.rows:>12,} rows")
    for label, count in (
        ("missing in target", comparison.missing_in_target),
        ("missing in source", comparison.missing_in_source),
        ("value differs", comparison.value_differs),
        ("within tolerance", comparison.within_tolerance),
    ):
        if count or label != "within tolerance":
            lines.append(f"  {label:<18} {count:>12,}")
    lines += _column_lines(comparison)
    if comparison.differences:
        lines += ["", "differences"]
        lines += [line for item in comparison.differences for line in _difference_lines(item)]
    if comparison.notes:
        lines += ["", "notes", *(f"  {note}" for note in comparison.notes)]
    cost = comparison.source_cost.bytes + comparison.target_cost.bytes
    lines += ["", f"{comparison.seconds:.2f} s, {cost / 1e6:.2f} MB received"]
    return [printable(line) for line in lines]


def _column_lines(comparison: "Comparison") -> list[str]:
    if not comparison.columns:
        return []
    width = max(len(name) for name in comparison.columns)
    lines = ["", "columns"]
    for name, column in comparison.columns.items():
        differs = f"{column.differs:,} differ" if column.differs else "-"
        lines.append(f"  {name:<{width}}  {differs:>16}  {column.comparison}")
    return lines


_SHOWN = 60  # characters of a value


def _difference_lines(item: "Difference") -> list[str]:
    key = ", ".join(f"{name}={_short(value)}" for name, value in item.key.items()) or "(row)"
    if item.source is not None and item.target is not None:
        lines = [f"  {item.kind.value}  {key}"]
        for name in item.source:
            lines.append(f"      {name}: {_short(item.source[name])} -> {_short(item.target.get(name))}")
        return lines
    values = item.source if item.source is not None else item.target or {}
    if item.key:
        return [f"  {item.kind.value}  {key}"]
    shown = ", ".join(f"{name}={_short(value)}" for name, value in values.items())
    return [f"  {item.kind.value}  {shown}"]


def _short(value: object) -> str:
    text = "NULL" if value is None else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"
