"""The report as one HTML file: no script, no external asset, readable by everyone.

Every status is told by a symbol and a word besides its colour; dark, light and print are the
reader's choice. Values are escaped by the template engine, names of partitions and notes too.
"""

import math

from reconcile_assets.core.calendar_grid import CalendarCell, PartitionStatus
from reconcile_assets.core.page import render_page
from reconcile_assets.core.report import LISTED, Report
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
    return render_page(
        "report.html",
        {"percent": format_percent, "reason": reason_of, "cell": _cell},
        report=report,
        headline=_HEADLINES[report.verdict],
        statuses=list(PartitionStatus),
        symbols=_SYMBOLS,
        listed=LISTED,
        collision=split_bound(report.collision_bound),
    )


def format_percent(rate: float | None) -> str:
    """To two decimals, cut off and not rounded: 100 % means all of them."""
    if rate is None:
        return "–"  # noqa: RUF001 - the dash of an empty table cell
    hundredths = int(rate * 10_000 + 1e-9)
    return f"{hundredths // 100} %" if hundredths % 100 == 0 else f"{hundredths / 100:.2f} %"


def split_bound(bound: float) -> tuple[int, int] | None:
    """A tiny probability as ``n in 10 to the m``, rounded up to one digit; None for zero comparisons."""
    if bound <= 0:
        return None
    exponent = -math.floor(math.log10(bound))
    return math.ceil(bound * 10.0**exponent), exponent


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
