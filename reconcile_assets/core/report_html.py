"""The report as one HTML file: no script, no external asset, readable by everyone.

Every status is told by a symbol and a word besides its colour; dark, light and print are the
reader's choice. Values are escaped by the template engine, names of partitions and notes too.
"""

import math
from importlib import resources
from typing import Any

from reconcile_assets.core.calendar_grid import CalendarCell, PartitionStatus
from reconcile_assets.core.report import LISTED, Report
from reconcile_assets.core.report_inputs import iso_utc
from reconcile_assets.core.report_tables import reason_of
from reconcile_assets.core.verdicts import Verdict

_SYMBOLS = {
    PartitionStatus.MATCHED: "✓",
    PartitionStatus.MISMATCHED: "✗",
    PartitionStatus.INCONCLUSIVE: "?",
    PartitionStatus.UNVERIFIED: "–",  # noqa: RUF001 - a dash is what no verdict looks like
}
_HEADLINES = {
    Verdict.MATCHED: "Everything is proved equal",
    Verdict.MISMATCHED: "Differences were found",
    Verdict.INCONCLUSIVE: "Not everything could be verified",
}


def render_html(report: Report) -> str:
    """The whole page."""
    import jinja2  # only the HTML form needs it

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(
        number=format_number, percent=format_percent, seconds=format_seconds, utc=_utc, reason=reason_of, cell=_cell
    )
    template = environment.from_string(resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        headline=_HEADLINES[report.verdict],
        statuses=list(PartitionStatus),
        symbols=_SYMBOLS,
        listed=LISTED,
        collision=split_bound(report.collision_bound),
    )


def format_number(value: int | None) -> str:
    """With thousands separated; a dash where there is none."""
    return "–" if value is None else f"{value:,}"  # noqa: RUF001 - the dash of an empty table cell


def format_percent(rate: float | None) -> str:
    """To two decimals, cut off and not rounded: 100 % means all of them."""
    if rate is None:
        return "–"  # noqa: RUF001 - the dash of an empty table cell
    hundredths = int(rate * 10_000 + 1e-9)
    return f"{hundredths // 100} %" if hundredths % 100 == 0 else f"{hundredths / 100:.2f} %"


def format_seconds(value: float | None) -> str:
    """To a tenth of a second."""
    return "–" if value is None else f"{value:,.1f} s"  # noqa: RUF001 - the dash of an empty table cell


def split_bound(bound: float) -> tuple[int, int] | None:
    """A tiny probability as ``n in 10 to the m``, rounded up to one digit; None for zero comparisons."""
    if bound <= 0:
        return None
    exponent = -math.floor(math.log10(bound))
    return math.ceil(bound * 10.0**exponent), exponent


def _utc(moment: Any) -> str:
    text = iso_utc(moment)
    return "–" if text is None else text.replace("T", " ").replace("Z", " UTC")  # noqa: RUF001 - as above


def _cell(cell: CalendarCell) -> dict[str, str]:
    """Class, symbol and words of a calendar cell."""
    if cell.status is None:
        return {"css": "none", "symbol": "", "words": "no partition"}
    words = f"{cell.label}: {cell.status.value}"
    if cell.partitions > 1:
        words += f", {cell.partitions} partitions"
    if cell.empty:
        return {"css": "empty", "symbol": "○", "words": f"{words}, no rows on either side"}
    return {"css": cell.status.value, "symbol": _SYMBOLS[cell.status], "words": words}
