"""A person fills a range of partitions by clicking in Dagster's UI, and reads there what became of it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconcile_assets_tests.e2e.product import Product

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

SCREENSHOTS = Path(".state") / "screenshots"
FIRST, LAST = "2013-01-03", "2013-01-12"
GREEN = "var(--color-accent-green)"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(420)]


def test_a_range_is_backfilled_by_clicking_and_every_partition_is_proved(page: "Page", product: Product) -> None:
    page.goto("/assets/orders")
    _launch_backfill(page, FIRST, LAST)
    _wait_until_succeeded(page, partitions=10)
    _keep(page, "backfill")

    page.goto("/assets/orders?view=partitions")
    assert _counts(page, ["Failed", "Materialized", "Missing"]) == {"Failed": 0, "Materialized": 10, "Missing": 10}
    assert _green_stretches(page) == [(10, 50)]  # of 20 days, from the third on, ten
    _keep(page, "partitions")

    for check in ("row_count", "rows"):
        _open_partitions_of(page, check)
        assert _counts(page, ["Passed", "Failed", "Skipped", "Missing"]) == {
            "Passed": 10,
            "Failed": 0,
            "Skipped": 0,
            "Missing": 10,
        }
        assert _green_days(page) == [f"2013-01-{day:02}" for day in range(12, 2, -1)]
    _keep(page, "check")

    rows = product.execute(product.target, "SELECT count(*) FROM warehouse.orders")
    assert rows == [(500,)]


def test_the_page_shows_what_was_compared_in_a_partition(page: "Page", product: Product) -> None:
    _open_partitions_of(page, "rows")

    page.locator(f'[title="{LAST}"]').click()

    page.get_by_text("source rows").first.wait_for()
    assert re.search(r"source rows\s+50\s", page.inner_text("body"))
    assert re.search(r"target rows\s+50\s", page.inner_text("body"))
    _keep(page, "check-partition")


def _launch_backfill(page: "Page", first: str, last: str) -> None:
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Launch runs to materialize")
    selection = dialog.get_by_placeholder("ex: 2013")
    selection.fill(f"[{first}...{last}]")
    selection.press("Enter")
    dialog.get_by_text("10 partitions").wait_for()
    dialog.get_by_role("button", name="Launch backfill").click()
    page.get_by_text("View", exact=True).click()
    page.wait_for_url("**/runs/b/*")


def _wait_until_succeeded(page: "Page", *, partitions: int) -> None:
    """Read the row of figures: all, in progress, succeeded, failed. "Succeeded" alone is a heading, always there."""
    page.get_by_text("100% completed").wait_for(timeout=300_000)
    assert re.search(rf"100% completed\s+{partitions}\s+0\s+{partitions}\s+0", page.inner_text("body"))


def _open_partitions_of(page: "Page", check: str) -> None:
    page.goto(f"/assets/orders?view=checks&checkDetail={check}")
    page.get_by_role("tab", name="Execution history").wait_for()
    page.get_by_role("tab", name="Partitions").last.click()
    page.get_by_text("Passed (").wait_for()


def _counts(page: "Page", labels: list[str]) -> dict[str, int]:
    """What stands beside the page's checkboxes: ``Missing (10)``."""
    page.get_by_text("20 Partitions Selected").wait_for()
    texts = page.locator("label").all_inner_texts()
    found = {
        match[1]: int(match[2]) for text in texts if (match := re.fullmatch(r"([\w ]+?)\s*\((\d+)\)", text.strip()))
    }
    return {label: found[label] for label in labels}


def _green_stretches(page: "Page") -> list[tuple[int, int]]:
    """The green stretches of the partition bar: where each begins and how wide it is, in whole percent."""
    stretches = []
    for span in page.locator("[class*=PartitionStatusBar_colorSpan]").all():
        if GREEN in (span.get_attribute("style") or ""):
            place = span.locator("xpath=ancestor::div[contains(@style, 'left:')][1]").get_attribute("style") or ""
            left, width = re.search(r"([\d.]+)%\); width: ([\d.]+)%", place).groups()
            stretches.append((round(float(left)), round(float(width))))
    return stretches


def _green_days(page: "Page") -> list[str]:
    """The days with a green dot in the page's list, as it shows them: the latest first."""
    rows: list[Locator] = page.locator("[class*=AssetEventList_assetListRow]").all()
    return [row.inner_text().split()[0] for row in rows if GREEN in row.inner_html()]


def _keep(page: "Page", name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(500)  # for the page's own transitions
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path)
    print(f"screenshot: {path}")
