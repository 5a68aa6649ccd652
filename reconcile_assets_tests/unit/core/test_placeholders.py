"""Finding the bounds in a query that a person wrote."""

import pytest

from reconcile_assets.core.placeholders import Placeholder, has_placeholders, split_placeholders

START, END = Placeholder.START, Placeholder.END


@pytest.mark.parametrize(
    ("query", "pieces"),
    [
        ("SELECT 1", ("SELECT 1",)),
        ("a >= :partition_start AND a < :partition_end", ("a >= ", START, " AND a < ", END)),
        (":partition_start", (START,)),
        ("'2024'::date, :partition_end::date", ("'2024'::date, ", END, "::date")),
        ("x::partition_start", ("x::partition_start",)),
        (":partition_starts", (":partition_starts",)),
        ("a[1:2] :other", ("a[1:2] :other",)),
        ("", ()),
    ],
)
def test_bounds_are_found_and_all_else_is_kept(query: str, pieces: tuple[object, ...]) -> None:
    assert split_placeholders(query) == pieces


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ':partition_start'",
        "SELECT 'it''s :partition_start'",
        r"SELECT E'it\'s :partition_start'",
        'SELECT ":partition_start"',
        "SELECT 1 -- :partition_start",
        "SELECT /* :partition_start */ 1",
        "SELECT $$ :partition_start $$",
        "SELECT $tag$ :partition_start $$ $tag$",
    ],
)
def test_a_text_a_name_or_a_comment_holds_no_bound(query: str) -> None:
    assert not has_placeholders(query)
    assert "".join(split_placeholders(query)) == query


def test_a_bound_after_a_text_or_comment_is_found() -> None:
    assert has_placeholders("SELECT 'a' -- b\n, :partition_end")
    assert has_placeholders("SELECT $$x$$, :partition_end")
