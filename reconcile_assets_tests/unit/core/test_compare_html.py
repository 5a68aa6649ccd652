"""A comparison as one page."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reconcile_assets.core.compare import Comparison, Differences
from reconcile_assets.core.compare_html import MOST_DIFFERENCES
from reconcile_assets.core.difference import Difference, DifferenceKind
from reconcile_assets_tests.comparison_samples import (
    DIFFERENCES,
    HOSTILE,
    INCONCLUSIVE,
    LONG,
    MATCHED,
    SAMPLE,
    changed,
)


class Collector(HTMLParser):
    """Tags, attributes, the text between them, and what is marked."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.marked: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in ("dt", "dd", "td", "th"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["mark"]:
            self.marked.append(data)
        if "style" not in self.open:
            self.text += data


@pytest.mark.parametrize("comparison", [SAMPLE, MATCHED, INCONCLUSIVE, replace(SAMPLE, differences=Differences())])
def test_the_page_is_one_whole_file_without_script_or_outside_asset(comparison: Comparison) -> None:
    page = Collector(comparison.to_html())
    assert not {"script", "link", "img", "iframe", "object", "a", "b"} & set(page.tags)
    assert not {"src", "href", "onclick"} & page.attributes
    assert page.open == []


@pytest.mark.parametrize(
    ("comparison", "headline"),
    [
        (MATCHED, "The target is proved equal to the source"),
        (replace(MATCHED, within_tolerance=2), "The target is proved equal to the source within tolerance"),
        (SAMPLE, "Differences were found"),
        (INCONCLUSIVE, "Not everything could be verified"),
    ],
)
def test_the_verdict_is_told_in_words(comparison: Comparison, headline: str) -> None:
    page = comparison.to_html()
    assert f"<h1>{headline}</h1>" in page
    assert f"</span> {comparison.verdict.value}</span>" in page


def test_counts_columns_notes_cost_and_names_are_shown() -> None:
    text = " ".join(Collector(SAMPLE.to_html()).text.split())
    for shown in (
        "ops.orders (postgresql, shop on db.example.org)",
        "Compared 2026-03-01 12:00:05 UTC, in 12.34 s",
        "Rows in the source 1,000,000 2 with NULL in the key, 1 more than keys",
        "Missing in target 1 Missing in source 1 Value differs 1,234 17 more within tolerance",
        "amount 1 tolerance: abs_tol=0.001",
        "the key is the primary key of the source: id",
        "target 2 1,501 41,000",
        "8 of 1,236, all of which are counted",
        "a 64-bit digest",
    ):
        assert shown in text


def test_rows_that_did_not_settle_are_counted_apart() -> None:
    text = " ".join(Collector(replace(INCONCLUSIVE, unsettled=1_200).to_html()).text.split())
    assert "Not settled 1,200 went on changing, so nothing is known of them" in text
    assert "Not settled" not in Collector(INCONCLUSIVE.to_html()).text


def test_what_differs_is_marked_and_what_is_special_is_told_from_text() -> None:
    html = SAMPLE.to_html()
    page = Collector(html)
    assert page.marked[:4] == ["i", "y", "0", "1"]
    assert '<bdi class="v null">NULL</bdi>' in html
    assert "&#39;NULL&#39;" in html
    assert html.count('<bdi class="v masked">masked</bdi>') == 4
    assert html.count('<bdi class="v absent">no such row</bdi>') == 6


def test_hostile_values_names_and_notes_are_harmless() -> None:
    html = SAMPLE.to_html()
    assert HOSTILE not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "a\\u202eb\\x1b[2J\\nc" in Collector(html).text
    assert not {"\u202e", "\x1b", "\x00"} & set(html)


def test_a_value_of_a_megabyte_is_cut_and_its_length_told() -> None:
    html = SAMPLE.to_html()
    assert len(html) < 60_000
    assert html.count(f"of {2 * LONG + 1:,} characters") == 2
    assert {"Q", "R"} <= set(Collector(html).marked)


def test_what_no_page_should_hold_is_counted_instead() -> None:
    many = Differences(changed(n, {"a": 1}, {"a": 2}) for n in range(MOST_DIFFERENCES + 5))
    text = " ".join(Collector(replace(SAMPLE, differences=many, value_differs=len(many)).to_html()).text.split())
    assert f"{MOST_DIFFERENCES:,} of {len(many) + 2:,}" in text
    wide = {f"c{n}": n for n in range(150)}
    rows = Differences(
        [
            Difference(DifferenceKind.VALUE_DIFFERS, {"id": 1}, wide, dict.fromkeys(wide, -1)),
            Difference(DifferenceKind.MISSING_IN_TARGET, {"id": 2}, wide),
        ]
    )
    text = Collector(replace(SAMPLE, differences=rows).to_html()).text
    assert "and 100 more columns" in text
    assert "and 138 more columns" in text


def test_rows_without_a_key_and_lists_without_a_row_are_shown() -> None:
    row = Differences([Difference(DifferenceKind.MISSING_IN_TARGET, {}, {"a": "x"})])
    assert "missing in target" in Collector(replace(SAMPLE, differences=row).to_html()).text
    none = Collector(replace(SAMPLE, differences=Differences()).to_html()).text
    assert "None of the 1,236 is listed; all are counted." in none


def test_a_masked_value_is_told_from_a_value_that_reads_the_same() -> None:
    page = replace(SAMPLE, differences=Differences([changed(1, {"a": "***"}, {"a": "**"})])).to_html()
    assert "masked</bdi>" not in page
    assert [item.to_dict() for item in DIFFERENCES[3:4]] == [
        {"kind": "value_differs", "key": {"id": 4}, "source": {"email": "***"}, "target": {"email": "***"}}
    ]
