"""The HTML pages in a real browser: accessible to everyone, in both colour schemes, on a phone and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reconcile_assets.core.compare import Comparison
from reconcile_assets.core.report import build_report
from reconcile_assets.core.report_html import render_html
from reconcile_assets_tests.comparison_samples import INCONCLUSIVE, MATCHED, SAMPLE
from reconcile_assets_tests.conftest import find_chromium, require_service
from reconcile_assets_tests.report_samples import NOW, sample_report

pytestmark = pytest.mark.browser

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require_service("browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(render_html(sample_report()), encoding="utf-8")
    return path


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_in_any_scheme_or_width(
    browser: Browser, report_file: Path, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.goto(report_file.as_uri())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_axe_would_find_a_violation(browser: Browser, report_file: Path) -> None:
    """The control: the same look finds grey on grey and a table without headings."""
    page = browser.new_page()
    page.goto(report_file.as_uri())
    page.evaluate("document.querySelector('.soft').style.color = '#ddd'")
    page.evaluate("document.documentElement.removeAttribute('lang')")
    assert {line.split(":")[0] for line in violations(page)} >= {"color-contrast", "html-has-lang"}
    page.close()


def test_an_empty_report_is_accessible_too(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(render_html(build_report([], [], generated_at=NOW)), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert violations(page) == []
    page.close()


def test_the_page_asks_for_nothing_and_runs_nothing(browser: Browser, report_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report_file.as_uri())
    assert asked == [report_file.as_uri()]
    assert page.get_by_role("heading", name="Differences were found").is_visible()
    context.close()


def test_every_day_of_the_calendar_is_told_in_words(browser: Browser, report_file: Path) -> None:
    page = browser.new_page()
    page.goto(report_file.as_uri())
    calendar = page.get_by_role("group", name="Partitions of flights")
    assert calendar.get_by_role("cell", name="2013-02-13: mismatched").count() == 1
    assert calendar.get_by_role("cell", name="matched", exact=False).count() >= 363
    page.close()


def test_on_paper_no_table_is_cut_off(browser: Browser, report_file: Path) -> None:
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.emulate_media(media="print")
    page.goto(report_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.close()


@pytest.fixture
def comparison_file(tmp_path: Path) -> Path:
    path = tmp_path / "diff.html"
    path.write_text(SAMPLE.to_html(), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_in_a_comparison(
    browser: Browser, comparison_file: Path, scheme: str, width: int
) -> None:
    page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900})  # type: ignore[arg-type]
    page.goto(comparison_file.as_uri())
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_axe_would_find_a_violation_in_a_comparison(browser: Browser, comparison_file: Path) -> None:
    """The control: marks that are hard to read, and headings that belong to nothing."""
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(comparison_file.as_uri())
    page.evaluate("document.querySelectorAll('mark').forEach(mark => { mark.style.color = '#fc8' })")
    page.evaluate("document.querySelectorAll('th').forEach(cell => cell.setAttribute('scope', 'everything'))")
    assert {line.split(":")[0] for line in violations(page)} >= {"color-contrast", "scope-attr-valid"}
    page.close()


@pytest.mark.parametrize(("comparison", "verdict"), [(MATCHED, "matched"), (INCONCLUSIVE, "inconclusive")])
def test_a_comparison_without_a_difference_is_accessible_too(
    browser: Browser, tmp_path: Path, comparison: Comparison, verdict: str
) -> None:
    path = tmp_path / "diff.html"
    path.write_text(comparison.to_html(), encoding="utf-8")
    page = browser.new_page()
    page.goto(path.as_uri())
    assert violations(page) == []
    assert page.locator(".badge").inner_text().endswith(verdict)
    page.close()


def test_values_stand_side_by_side_harmlessly(browser: Browser, comparison_file: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(comparison_file.as_uri())
    table = page.get_by_role("group", name="Rows that differ, source beside target")
    row = table.get_by_role("row", name="name 'Ann Smith' 'Ann Smyth'")
    assert row.locator("mark").all_inner_texts() == ["i", "y"]
    cells = row.get_by_role("cell")
    left, right = (cells.nth(at).bounding_box() for at in (0, 1))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"] + 1
    assert table.get_by_text("<script>alert(1)</script>").count() >= 1
    assert (asked, dialogs) == ([comparison_file.as_uri()], [])
    page.close()


def test_on_paper_no_comparison_is_cut_off(browser: Browser, comparison_file: Path) -> None:
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.emulate_media(media="print")
    page.goto(comparison_file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.close()
