"""The report as HTML, CSV and Markdown."""

import csv
import io
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reconcile_assets.core.page import format_number, format_seconds
from reconcile_assets.core.report import Report, build_report
from reconcile_assets.core.report_html import format_percent, render_html, split_bound
from reconcile_assets.core.report_text import CSV_COLUMNS, render_csv, render_markdown
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets_tests.report_samples import NOW, sample_report, sample_table, sample_verdicts

HOSTILE = "<script>alert(1)</script>|`=1+1"


class Collector(HTMLParser):
    """Tags, their attributes and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in ("meta",):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def hostile_report() -> Report:
    table = sample_table(HOSTILE)
    verdicts = [replace(each, verdict=Verdict.MISMATCHED, notes=(HOSTILE,)) for each in sample_verdicts(table)]
    return build_report([table], verdicts, generated_at=NOW)


def test_the_page_is_one_file_without_script_or_outside_asset() -> None:
    page = Collector(render_html(sample_report()))
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(page.tags)
    assert not {"src", "href", "onclick"} & {name for name, _ in page.attributes}
    assert page.open == []


def test_every_verdict_is_told_by_a_word_and_a_symbol() -> None:
    page = render_html(sample_report())
    for status in ("matched", "mismatched", "inconclusive", "unverified"):
        assert f": {status}" in page
    assert "2013-02-13: mismatched" in page
    assert "2013-12-31: matched, no rows on either side" in page
    assert "943 rows missing in target" in page


def test_names_and_notes_are_escaped() -> None:
    page = render_html(hostile_report())
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_report_on_nothing_says_so() -> None:
    page = render_html(build_report([], [], generated_at=NOW))
    assert "Not everything could be verified" in page
    assert "The configuration names no table" in page
    assert "No target has an audit log" in page


def test_a_page_of_a_thousand_differences_stays_short() -> None:
    page = render_html(hostile_report())
    assert "the first 200 of them" in page
    assert page.count('<td class="why">') == 200


def test_the_csv_has_a_line_for_each_partition_and_each_bad_verdict() -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(sample_report()))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 365 + 12 + 2  # two days have two bad verdicts
    [first, second] = [row for row in rows if row["partition"] == "2013-02-13"]
    assert (first["check"], second["check"]) == ("row_count", "rows")
    assert first["reason"] == "943 rows missing in target"
    assert [row["status"] for row in rows if row["partition"] == "2013-11-30"] == ["unverified"]


@pytest.mark.parametrize("note", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_of_the_csv_is_a_formula(note: str) -> None:
    table = sample_table("t", checks=("=cmd()",))
    verdicts = [replace(each, verdict=Verdict.MISMATCHED, notes=(note,)) for each in sample_verdicts(table)]
    for row in csv.DictReader(io.StringIO(render_csv(build_report([table], verdicts, generated_at=NOW)))):
        assert not row["reason"].startswith(("=", "+", "-", "@", "\t"))
        assert row["check"] == "'=cmd()"


def test_the_markdown_lists_what_does_not_match_and_escapes_names() -> None:
    text = render_markdown(hostile_report())
    assert text.startswith("# Reconciliation report: mismatched\n")
    assert "and 530 more" in text
    assert "\\<script\\>" in text
    rows = [line for line in text.splitlines() if line.startswith("| 2013")]
    assert len(rows) == 200
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}


def test_the_markdown_of_a_matched_table_has_no_list() -> None:
    table = sample_table()
    text = render_markdown(build_report([table], list(sample_verdicts(table)), generated_at=NOW))
    assert "| partition |" not in text
    assert "- Success rate: 100 % of 730 latest verdicts" in text


@pytest.mark.parametrize(
    ("rate", "text"),
    [(None, "–"), (1.0, "100 %"), (0.99999, "99.99 %"), (0.5, "50 %"), (0.29, "29 %"), (0.0, "0 %")],  # noqa: RUF001 - the dash
)
def test_a_rate_below_one_is_never_shown_as_100_percent(rate: float | None, text: str) -> None:
    assert format_percent(rate) == text


def test_numbers_and_seconds_have_a_dash_where_there_are_none() -> None:
    assert [format_number(None), format_number(0), format_number(1234567)] == ["–", "0", "1,234,567"]  # noqa: RUF001 - the dash
    assert [format_seconds(None), format_seconds(1234.56)] == ["–", "1,234.6 s"]  # noqa: RUF001 - the dash


@pytest.mark.parametrize(
    ("bound", "split"), [(0.0, None), (730 / 2.0**128, (3, 36)), (1 / 2.0**64, (6, 20)), (1e-9, (1, 9))]
)
def test_a_bound_is_rounded_up_to_one_digit(bound: float, split: tuple[int, int] | None) -> None:
    assert split_bound(bound) == split
