"""Every type of check between two real databases."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.engine.reconcile import reconcile_partitions, run_and_record
from reconcile_assets.errors import ConfigurationError
from reconcile_assets_tests.engine_world import COLUMNS, World, build_world

Urls = Callable[[str], str]
DAY = "2024-01-05"
CANARY = "canary@example.com"


@pytest.fixture
def world(postgres_urls: Urls) -> World:
    found = build_world(postgres_urls)
    found.backfill()
    return found


def _check(world: World, check: dict[str, Any], *keys: str) -> dict[str, CheckVerdict]:
    """The verdicts of one check, by partition."""
    world.table["checks"] = [check]
    return {verdict.partition: verdict for verdict in _run(world, *keys)}


def _run(world: World, *keys: str, checks: Sequence[str] | None = None) -> tuple[CheckVerdict, ...]:
    with world.connections() as connections:
        return reconcile_partitions(
            world.orders,
            world.partitions(*keys),
            connections=connections,
            checks=checks,
            sleep=world.pauses.append,
        )


def _not_matched(verdicts: dict[str, CheckVerdict]) -> dict[str, Verdict]:
    return {key: each.verdict for key, each in verdicts.items() if each.verdict is not Verdict.MATCHED}


ALL_CHECKS = [
    {"type": "row_count"},
    {"type": "rows"},
    {"type": "aggregate", "function": "sum", "column": "amount"},
    {"type": "aggregate", "function": "count"},
    {"type": "sql", "name": "revenue", "source": "SELECT 1", "target": "SELECT 1"},
    {"type": "schema"},
    {"type": "freshness", "max_lag": "2h"},
]


def test_all_checks_match_where_the_sides_are_equal(world: World) -> None:
    world.table["checks"] = ALL_CHECKS
    verdicts = _run(world)
    assert len(verdicts) == 70
    assert {verdict.verdict for verdict in verdicts} == {Verdict.MATCHED}
    assert [verdict.check for verdict in verdicts[::10]] == [
        "row_count",
        "rows",
        "aggregate_sum_amount",
        "aggregate_count",
        "revenue",
        "schema",
        "freshness",
    ]
    assert all(verdict.evaluated_at is not None for verdict in verdicts)


def test_only_the_checks_and_partitions_asked_for_are_run(world: World) -> None:
    world.table["checks"] = ALL_CHECKS
    found = [(verdict.check, verdict.partition) for verdict in _run(world, DAY, checks=["schema", "rows"])]
    assert found == [("rows", DAY), ("schema", DAY)]
    with world.connections() as connections:
        assert reconcile_partitions(world.orders, (), connections=connections) == ()


def test_the_rows_check_counts_differences_by_kind(world: World) -> None:
    world.run_target(
        "DELETE FROM orders WHERE id IN (4001, 4002)",
        "INSERT INTO orders VALUES (-1, '2024-01-05 03:00+00', 1, '')",
        "UPDATE orders SET note = 'x', amount = 0 WHERE id IN (4003, 4004, 4005)",
    )
    verdicts = _check(world, {"type": "rows", "severity": "WARN"})
    assert _not_matched(verdicts) == {DAY: Verdict.MISMATCHED}
    bad = verdicts[DAY]
    assert (bad.missing_in_target, bad.missing_in_source, bad.value_differs) == (2, 1, 3)
    assert (bad.source_rows, bad.target_rows, bad.severity) == (12, 11, "WARN")
    assert bad.measures == {"differs: note": "3", "differs: amount": "3"}
    assert bad.source_checksum != bad.target_checksum
    good = verdicts["2024-01-01"]
    assert good.source_checksum == good.target_checksum
    assert good.seconds > 0


def test_a_change_within_its_tolerance_stays_green_with_a_note(world: World) -> None:
    world.run_target("UPDATE orders SET amount = amount + 0.01 WHERE id = 4004")
    verdicts = _check(world, {"type": "rows", "tolerances": {"amount": {"abs_tol": 0.01}}})
    assert _not_matched(verdicts) == {}
    assert verdicts[DAY].measures["within_tolerance"] == "1"
    assert any("within" in note for note in verdicts[DAY].notes)
    assert _not_matched(_check(world, {"type": "rows"})) == {DAY: Verdict.MISMATCHED}


def test_rows_on_their_way_settle_and_the_others_do_not(world: World) -> None:
    """Four partitions differ; meanwhile the target catches up with one, and changes once more in another."""
    world.run_target(
        "UPDATE orders SET note = 'late' WHERE id IN (2001, 3001)",
        "DELETE FROM orders WHERE id IN (2002, 4001)",
        "UPDATE orders SET note = 'wrong' WHERE id = 5001",
    )
    world.table["checks"] = [{"type": "rows", "recheck_after": "45s"}, {"type": "row_count"}]

    def arrive(seconds: float) -> None:
        world.pauses.append(seconds)
        world.run_target(
            "UPDATE orders SET note = 'note 1' WHERE id = 2001",
            "INSERT INTO orders SELECT 2002, at + interval '2 hours', 2.02, 'note 2' FROM orders WHERE id = 2001",
            "UPDATE orders SET note = 'later still' WHERE id = 3001",
        )

    with world.connections() as connections:
        verdicts = reconcile_partitions(world.orders, world.partitions(), connections=connections, sleep=arrive)
    rows = {verdict.partition: verdict for verdict in verdicts if verdict.check == "rows"}
    assert _not_matched(rows) == {
        "2024-01-04": Verdict.INCONCLUSIVE,
        "2024-01-05": Verdict.MISMATCHED,
        "2024-01-06": Verdict.MISMATCHED,
    }
    assert world.pauses == [45.0]
    settled = rows["2024-01-03"]
    assert (settled.source_rows, settled.target_rows, settled.source_checksum) == (12, 12, "")
    assert "of 2, 2 settled" in " ".join(settled.notes)
    assert rows["2024-01-05"].missing_in_target == 1
    assert "did not settle" in " ".join(rows["2024-01-04"].notes)
    assert rows["2024-01-01"].source_checksum == rows["2024-01-01"].target_checksum != ""
    counted = {verdict.partition: verdict for verdict in verdicts if verdict.check == "row_count"}
    assert _not_matched(counted) == {"2024-01-05": Verdict.MISMATCHED}


def test_where_nothing_differs_no_check_waits(world: World) -> None:
    assert _not_matched(_check(world, {"type": "rows", "recheck_after": "1m"})) == {}
    assert world.pauses == []


def test_up_to_max_differences_rows_may_differ(world: World) -> None:
    world.run_target("UPDATE orders SET note = 'x' WHERE id IN (4003, 4004, 5001, 5002, 5003)")
    verdicts = _check(world, {"type": "rows", "max_differences": 2})
    assert _not_matched(verdicts) == {"2024-01-06": Verdict.MISMATCHED}
    assert any("max_differences" in note for note in verdicts[DAY].notes)


def test_a_column_that_cannot_be_compared_is_never_green(postgres_urls: Urls) -> None:
    world = build_world(postgres_urls, target_columns=COLUMNS + ", seen timestamptz")
    world.run_source("ALTER TABLE orders ADD seen timestamp")
    world.run_target("INSERT INTO orders VALUES (4001, '2024-01-05 03:00+00', 1, 'x', NULL)")
    world.run_source("DELETE FROM orders", "INSERT INTO orders VALUES (4001, '2024-01-05 03:00+00', 1, 'x', NULL)")
    assert _not_matched(_check(world, {"type": "rows"})) == {DAY: Verdict.INCONCLUSIVE}
    world.run_target("UPDATE orders SET note = 'y'")
    assert _not_matched(_check(world, {"type": "rows"})) == {DAY: Verdict.MISMATCHED}
    assert _not_matched(_check(world, {"type": "rows", "max_differences": 5})) == {DAY: Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("with_rows", [True, False])
def test_row_counts_within_tolerance(world: World, with_rows: bool) -> None:
    world.run_target("DELETE FROM orders WHERE id IN (4001, 5001, 5002)")
    rows = [{"type": "rows"}] if with_rows else []
    world.table["checks"] = [{"type": "row_count", "abs_tol": 1}, *rows]
    counts = {verdict.partition: verdict for verdict in _run(world) if verdict.check == "row_count"}
    assert _not_matched(counts) == {"2024-01-06": Verdict.MISMATCHED}
    assert (counts["2024-01-06"].source_rows, counts["2024-01-06"].target_rows) == (12, 10)
    assert counts[DAY].notes == ("not the same, but within the tolerance",)


def test_row_counts_of_empty_partitions_match_with_a_note(world: World) -> None:
    for run in (world.run_source, world.run_target):
        run("DELETE FROM orders WHERE id BETWEEN 4000 AND 4999")
    verdict = _check(world, {"type": "row_count"})[DAY]
    assert (verdict.verdict, verdict.notes) == (Verdict.MATCHED, ("no rows on either side",))
    assert (verdict.source_rows, verdict.target_rows) == (0, 0)


@pytest.mark.parametrize(
    ("function", "column"),
    [
        ("sum", "amount"),
        ("avg", "amount"),
        ("max", "amount"),
        ("count", "note"),
        ("count_distinct", "note"),
        ("max", "note"),
        ("max", "at"),
    ],
)
def test_aggregates_see_a_changed_value_and_only_there(world: World, function: str, column: str) -> None:
    change = {"amount": "amount = 1000", "note": "note = NULL", "at": "at = '2024-01-05 23:59:59.999999+00'"}[column]
    world.run_target("UPDATE orders SET " + change + " WHERE id = 4009")  # noqa: S608  # one of the three above
    verdicts = _check(world, {"type": "aggregate", "function": function, "column": column})
    assert _not_matched(verdicts) == {DAY: Verdict.MISMATCHED}
    shown = verdicts[DAY].measures
    assert shown["source"] != shown["target"] or shown["source"].startswith("a text of")


def test_aggregates_are_exact_and_within_tolerance_like_isclose(world: World) -> None:
    for run in (world.run_source, world.run_target):
        run(
            "ALTER TABLE orders ALTER amount TYPE numeric",
            "UPDATE orders SET amount = 9007199254740993 WHERE id = 4001",
        )
    world.run_target("UPDATE orders SET amount = 9007199254740992 WHERE id = 4001")
    exact = {"type": "aggregate", "function": "sum", "column": "amount"}
    assert _not_matched(_check(world, exact)) == {DAY: Verdict.MISMATCHED}
    assert _check(world, exact)[DAY].measures["difference"] == "-1"
    assert _not_matched(_check(world, {**exact, "rel_tol": 1e-9})) == {}


def test_float_sums_do_not_depend_on_the_order_of_rows(world: World) -> None:
    fill = "UPDATE orders SET amount = 0", "ALTER TABLE orders ALTER amount TYPE double precision"
    for run in (world.run_source, world.run_target):
        run(*fill, "UPDATE orders SET amount = 0.1 + (id % 7) / 3.0 WHERE id >= 4000")
    world.run_target("CREATE TABLE moved AS SELECT * FROM orders ORDER BY random()", "DROP TABLE orders")
    world.run_target("ALTER TABLE moved RENAME TO orders")
    for function in ("sum", "avg"):
        assert _not_matched(_check(world, {"type": "aggregate", "function": function, "column": "amount"})) == {}


def test_an_aggregate_over_nothing_is_null_on_both_sides(world: World) -> None:
    for run in (world.run_source, world.run_target):
        run("UPDATE orders SET amount = NULL WHERE id BETWEEN 4000 AND 4999")
    for function in ("sum", "avg", "min"):
        verdict = _check(world, {"type": "aggregate", "function": function, "column": "amount"})[DAY]
        assert (verdict.verdict, verdict.notes) == (Verdict.MATCHED, ("no values on either side",))
    world.run_target("UPDATE orders SET amount = 0 WHERE id = 4001")
    assert (
        _check(world, {"type": "aggregate", "function": "sum", "column": "amount"})[DAY].verdict is Verdict.MISMATCHED
    )


def test_figures_of_masked_and_text_columns_are_not_shown(world: World) -> None:
    world.run_source("UPDATE orders SET note = 'canary@example.com' WHERE id = 4001")
    verdict = _check(world, {"type": "aggregate", "function": "min", "column": "note"})[DAY]
    assert CANARY not in str(verdict)
    world.table["columns"] = {"mask": ["amount"]}
    assert _check(world, {"type": "aggregate", "function": "max", "column": "amount"})[DAY].measures["source"] == "***"


def test_an_aggregate_that_its_column_does_not_have_spoils_no_other_check(world: World) -> None:
    world.table["checks"] = [
        {"type": "row_count"},
        {"type": "aggregate", "function": "sum", "column": "note"},
        {"type": "aggregate", "function": "sum", "column": "absent"},
        {"type": "freshness", "max_lag": "1d"},
    ]
    verdicts = {verdict.check: verdict for verdict in _run(world, DAY)}
    assert {name: each.verdict for name, each in verdicts.items()} == {
        "row_count": Verdict.MATCHED,
        "aggregate_sum_note": Verdict.INCONCLUSIVE,
        "aggregate_sum_absent": Verdict.INCONCLUSIVE,
        "freshness": Verdict.MATCHED,
    }
    assert verdicts["aggregate_sum_note"].notes[0].startswith("could not verify: ")


def test_freshness_follows_the_lag_of_the_target(world: World) -> None:
    world.run_target("DELETE FROM orders WHERE id IN (4011, 4010)", "DELETE FROM orders WHERE id = 5011")
    verdicts = _check(world, {"type": "freshness", "max_lag": "2h"})
    assert _not_matched(verdicts) == {DAY: Verdict.MISMATCHED}
    assert verdicts[DAY].measures == {"lag": "4:00:00", "max_lag": "2:00:00"}
    world.run_target("DELETE FROM orders WHERE id BETWEEN 4000 AND 4999")
    assert _check(world, {"type": "freshness", "max_lag": "2h"})[DAY].notes == ("no rows in the target",)
    world.run_source("DELETE FROM orders WHERE id BETWEEN 4000 AND 5999")
    verdicts = _check(world, {"type": "freshness", "max_lag": "2h"})
    assert verdicts[DAY].notes == ("no rows on either side",)
    assert verdicts["2024-01-06"].notes == ("no rows in the source",)


WINDOW = "SELECT sum(amount) FROM orders WHERE at >= :partition_start AND at < :partition_end"


def test_sql_checks_run_for_each_partition(world: World) -> None:
    world.run_target(
        "UPDATE orders SET amount = amount + 0.5 WHERE id IN (4004, 5005)",
        "UPDATE orders SET amount = 5 WHERE id = 5005",
    )
    check = {"type": "sql", "name": "revenue", "source": WINDOW, "target": WINDOW, "abs_tol": 0.5}
    verdicts = _check(world, check)
    assert _not_matched(verdicts) == {}
    verdicts = _check(world, {**check, "abs_tol": 0.01})
    assert _not_matched(verdicts) == {DAY: Verdict.MISMATCHED, "2024-01-06": Verdict.MISMATCHED}
    assert verdicts[DAY].measures["difference"] == "0.5"


def test_an_sql_check_without_bounds_is_one_figure_for_all(world: World) -> None:
    world.run_target("DELETE FROM orders WHERE id = 4001")
    text = "SELECT count(*) FROM orders -- :partition_start is only a comment"
    verdicts = _check(world, {"type": "sql", "name": "all_rows", "source": text, "target": text})
    assert set(_not_matched(verdicts).values()) == {Verdict.MISMATCHED}
    assert len(_not_matched(verdicts)) == 10
    assert "one figure for all" in verdicts[DAY].notes[0]


def test_sql_checks_compare_texts_exactly_and_do_not_show_them(world: World) -> None:
    check = {"type": "sql", "name": "t", "source": f"SELECT '{CANARY}'", "target": "SELECT 'x'", "abs_tol": 9}
    verdict = _check(world, check, DAY)[DAY]
    assert verdict.verdict is Verdict.MISMATCHED
    assert CANARY not in str(verdict)
    same = {**check, "target": check["source"]}
    assert _check(world, same, DAY)[DAY].verdict is Verdict.MATCHED


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        ("interval '1 month'", "interval '30 days'", Verdict.MISMATCHED),
        ("interval '1 month'", "interval '1 month'", Verdict.MATCHED),
        ("'{\"a\": 9007199254740993.01}'::jsonb", "'{\"a\": 9007199254740993.02}'::jsonb", Verdict.MISMATCHED),
        ("'{\"a\": 0.10000000000000000001}'::json", "'{\"a\": 0.1}'::json", Verdict.MISMATCHED),
        ('\'{"a": 1, "b": [2]}\'::jsonb', '\'{"b":[2],"a":1}\'::json', Verdict.MATCHED),
        ('\'{"a": "1"}\'::jsonb', "'{\"a\": 1}'::jsonb", Verdict.MISMATCHED),
        ("'1e99999999999999999999'::json", "'1e99999999999999999998'::json", Verdict.MISMATCHED),
        ("(repeat('[', 5000) || repeat(']', 5000))::json", "'[]'::json", Verdict.MISMATCHED),
        ("timestamp 'infinity'", "timestamp 'infinity'", Verdict.MATCHED),
        ("ARRAY[interval '1 month']", "ARRAY[interval '30 days']", Verdict.MISMATCHED),
        ("9007199254740993", "9007199254740992::numeric", Verdict.MISMATCHED),
        ("1.50", "1.5::float8", Verdict.MATCHED),
        ("'NaN'::numeric", "'NaN'::float8", Verdict.MATCHED),
        ("true", "1", Verdict.MISMATCHED),
        ("1", "'1'::text", Verdict.MISMATCHED),
        ("NULL::int", "0", Verdict.MISMATCHED),
        ("NULL::int", "NULL::int", Verdict.MATCHED),
    ],
)
def test_sql_checks_see_values_as_the_server_writes_them(
    world: World, source: str, target: str, verdict: Verdict
) -> None:
    check = {"type": "sql", "name": "odd", "source": f"SELECT {source}", "target": f"SELECT {target}"}
    found = _check(world, check, DAY)[DAY]
    assert found.verdict is verdict, found.notes
    assert any("NULL on both sides" in note for note in found.notes) == (source == target == "NULL::int")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT 1, 2", "2 columns"),
        ("SELECT 1 WHERE false", "no row"),
        ("SELECT n FROM generate_series(1, 3) n", "more than one row"),
        ("SELEC 1", "syntax error"),
        ("SELECT 1; SELECT 2", "query"),
        ("SELECT 1; COMMIT; DELETE FROM orders", "query"),
        ("DELETE FROM orders RETURNING 1", "read-only"),
        ("SELECT nothing FROM orders", "nothing"),
        ("SELECT :unknown", "query"),
    ],
)
def test_an_sql_check_that_cannot_be_answered_is_inconclusive(world: World, text: str, why: str) -> None:
    before = world.target_rows()
    verdict = _check(world, {"type": "sql", "name": "odd", "source": "SELECT 1", "target": text}, DAY)[DAY]
    assert verdict.verdict is Verdict.INCONCLUSIVE
    assert verdict.notes[0].startswith("could not verify: target: ")
    assert why in verdict.notes[0]
    assert world.target_rows() == before


def test_an_sql_check_that_fails_for_one_partition_leaves_the_others(world: World) -> None:
    world.run_target("UPDATE orders SET amount = 0 WHERE id BETWEEN 4000 AND 4999")
    text = f"SELECT sign(1 / ({WINDOW}))"
    verdicts = _check(world, {"type": "sql", "name": "share", "source": text, "target": text})
    assert _not_matched(verdicts) == {DAY: Verdict.INCONCLUSIVE}


def test_schema_differences_are_faults_or_notes(world: World) -> None:
    world.run_target("ALTER TABLE orders ADD extra int", "ALTER TABLE orders ALTER note SET NOT NULL")
    verdict = _check(world, {"type": "schema"})[DAY]
    assert verdict.verdict is Verdict.MATCHED
    assert "the target has a column of its own: extra" in verdict.notes
    assert "column note may be NULL in the source only" in verdict.notes
    world.run_target("ALTER TABLE orders DROP note")
    verdicts = _check(world, {"type": "schema"})
    assert len(_not_matched(verdicts)) == 10
    assert verdicts[DAY].notes[0] == "the target has no column note"


def test_a_type_that_cannot_hold_the_values_is_a_schema_fault(world: World) -> None:
    world.run_target("ALTER TABLE orders DROP note", "ALTER TABLE orders ADD note point")
    verdict = _check(world, {"type": "schema"})[DAY]
    assert verdict.verdict is Verdict.MISMATCHED
    assert "note" in verdict.notes[0]


@pytest.mark.parametrize(
    ("source", "target", "holds"),
    [
        ("bigint", "integer", False),
        ("integer", "bigint", True),
        ("integer", "numeric", True),
        ("integer", "numeric(10,0)", True),
        ("integer", "numeric(9,0)", False),
        ("numeric", "numeric(10,2)", False),
        ("numeric(10,2)", "numeric(12,4)", True),
        ("numeric(10,2)", "numeric(12,0)", False),
        ("numeric(10,4)", "numeric(10,2)", False),
        ("numeric(9,0)", "bigint", True),
        ("numeric(9,2)", "bigint", False),
        ("bigint", "float8", False),
        ("integer", "float8", True),
        ("float8", "float4", True),
        ("float8", "numeric(10,2)", False),
        ("text", "varchar(5)", False),
        ("varchar(5)", "text", True),
        ("varchar(6)", "char(5)", False),
        ("timestamptz(3)", "timestamptz", True),
        ("timestamptz", "timestamptz(3)", True),
    ],
)
def test_a_narrower_type_is_a_schema_fault(world: World, source: str, target: str, holds: bool) -> None:
    world.run_source(f"ALTER TABLE orders ADD extra {source}")
    world.run_target(f"ALTER TABLE orders ADD extra {target}")
    verdict = _check(world, {"type": "schema"}, DAY)[DAY]
    assert verdict.verdict is (Verdict.MATCHED if holds else Verdict.MISMATCHED), verdict.notes
    assert any("can't hold every value" in note for note in verdict.notes) == (not holds)
    assert source != "timestamptz" or any("milliseconds" in note for note in verdict.notes)


def test_columns_renamed_and_excluded_are_no_schema_fault(world: World) -> None:
    world.run_target("ALTER TABLE orders RENAME amount TO total", "ALTER TABLE orders DROP note")
    world.table["columns"] = {"rename": {"amount": "total"}, "exclude": ["note"]}
    assert _not_matched(_check(world, {"type": "schema"})) == {}
    world.table["columns"] = {"rename": {"amount": "gone"}, "exclude": ["note"]}
    assert _check(world, {"type": "schema"})[DAY].notes[0] == "the target has no column gone"


def test_a_third_database_takes_the_place_of_the_source(world: World, postgres_urls: Urls) -> None:
    reporting = build_world(postgres_urls)
    reporting.run_source("UPDATE orders SET note = 'other' WHERE id = 4001")
    world.table["checks"] = [{"type": "rows"}, {"type": "rows", "against": "reporting"}]
    world.extra_environ["REPORTING_DATABASE_URL"] = reporting.source
    verdicts = {(verdict.check, verdict.partition): verdict.verdict for verdict in _run(world)}
    assert [key for key, verdict in verdicts.items() if verdict is not Verdict.MATCHED] == [("rows_reporting", DAY)]


def test_a_third_database_without_url_leaves_the_other_checks(world: World) -> None:
    world.table["checks"] = [{"type": "rows"}, {"type": "rows", "against": "reporting"}]
    verdicts = {verdict.check: verdict for verdict in _run(world, DAY)}
    assert verdicts["rows"].verdict is Verdict.MATCHED
    assert verdicts["rows_reporting"].verdict is Verdict.INCONCLUSIVE
    assert "REPORTING_DATABASE_URL" in verdicts["rows_reporting"].notes[0]


def test_a_database_that_does_not_answer_makes_everything_inconclusive(world: World) -> None:
    world.table["checks"] = ALL_CHECKS
    world.target_through = "postgresql://postgres:secret-canary@127.0.0.1:1/none"
    verdicts = _run(world)
    assert len(verdicts) == 70
    assert {verdict.verdict for verdict in verdicts} == {Verdict.INCONCLUSIVE}
    assert all(verdict.notes[0].startswith("could not verify: target: ") for verdict in verdicts)
    assert "secret-canary" not in str(verdicts)
    assert len(world.pauses) == 1  # asked twice, not once more for each check


def test_a_table_that_is_gone_is_inconclusive_not_green(world: World) -> None:
    world.table["checks"] = ALL_CHECKS
    world.run_target("DROP TABLE orders")
    verdicts = _run(world, DAY)
    assert {verdict.verdict for verdict in verdicts if verdict.check != "revenue"} == {Verdict.INCONCLUSIVE}


def test_a_privilege_that_is_missing_is_inconclusive(world: World) -> None:
    world.run_target(
        "DO $$ BEGIN CREATE ROLE nobody_much LOGIN PASSWORD 'n'; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    world.target_through = "postgresql://nobody_much:n@" + world.target.partition("@")[2]
    assert set(_not_matched(_check(world, {"type": "rows"})).values()) == {Verdict.INCONCLUSIVE}


def test_verdicts_are_recorded_and_the_attempt_ends(postgres_urls: Urls) -> None:
    from datetime import timedelta

    world = build_world(postgres_urls, project=True)
    world.backfill("2024-01-02")
    with world.connections() as connections:
        run_and_record(world.orders, world.partitions(), connections=connections, run_id="r", backfill_id="b")
        ledger = connections.ledger()
        latest = list(ledger.iterate_latest_verdicts())
        assert len(latest) == 20
        assert {each.run_id for each in latest} == {"r"}
        matched = {each.verdict.partition for each in latest if each.verdict.verdict is Verdict.MATCHED}
        assert matched == {"2024-01-02"}
        assert {alert.check for alert in ledger.fetch_alerts()} == {"row_count", "rows"}
        assert ledger.find_dead_attempts(timedelta(0)) == ()


def test_without_a_ledger_nothing_can_be_recorded(world: World) -> None:
    with world.connections() as connections, pytest.raises(ConfigurationError, match="DATABASE_URL"):
        run_and_record(world.orders, world.partitions(), connections=connections, run_id="r")


def test_a_table_beside_itself_is_never_called_proved(world: World) -> None:
    world.table["checks"] = [{"type": "rows"}, {"type": "rows", "against": "reporting"}]
    world.extra_environ["REPORTING_DATABASE_URL"] = world.target + "?application_name=by_another_name"
    verdicts = {verdict.check: verdict for verdict in _run(world, DAY)}
    assert verdicts["rows"].verdict is Verdict.MATCHED
    assert verdicts["rows_reporting"].verdict is Verdict.INCONCLUSIVE
    assert "the same table" in verdicts["rows_reporting"].notes[0]
