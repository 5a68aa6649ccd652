"""The HTML report in a real browser: accessible to everyone, in both colour schemes, on a phone and on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from reconcile_assets.core.report import build_report
from reconcile_assets.core.report_html import render_html
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
