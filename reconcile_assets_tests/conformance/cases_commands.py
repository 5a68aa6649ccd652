"""Cases that more than one answer of ``diff`` decides: windows (26), masks (29), verdicts and exit codes (30)."""

import io
import json
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reconcile_assets.cli import main
from reconcile_assets.core.tables import TableName
from reconcile_assets.core.windows import Every, PartitionScheme
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import PartitionFilter, Relation
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.diff import diff
from reconcile_assets_tests.conformance.cases import (
    ID,
    MATCHED,
    MISMATCHED,
    TEXT,
    Case,
    Column,
    Content,
    Expected,
    Held,
    W,
    by,
    value_table,
)
from reconcile_assets_tests.conformance.kinds import (
    bigint,
    date,
    decimal,
    instant,
    integer,
    quoted,
    text,
    timestamp,
    uuid,
)

T = Relation(TableName(None, "t"))


# ---- windows ----------------------------------------------------------------------------------


def windows(
    name: str,
    moments: Held,
    rows: list[tuple[str | None, str]],
    days: tuple[str, str],
    zone: str,
    counts: list[int],
    strays: int,
    changed: int,
) -> Case:
    """Rows at the edges of days, one of which the target has with another value.

    Args:
        rows: the moment, as ``moments`` writes it, None for NULL, and v; v of row ``changed`` differs in the target.
        counts: the rows of each day.
        strays: rows that stand in no day.
    """

    def asks(source_url: str, target_url: str) -> str | None:
        return _fault_of_windows(source_url, target_url, days, zone, counts, strays, rows[changed][0] is not None)

    sides = [_moments(moments, rows, None), _moments(moments, rows, changed)]
    return Case(26, name, *sides, Expected(MISMATCHED), sizes=(False,), asks=asks)


def _moments(moments: Held, rows: list[tuple[str | None, str]], changed: int | None) -> Content:
    literals = []
    for at, (moment, value) in enumerate(rows):
        written = (
            "NULL" if moment is None else {engine: moments.literal[engine].format(moment) for engine in moments.literal}
        )  # type: ignore[index]
        literals.append((str(at + 1), written, "'changed'" if at == changed else f"'{value}'"))
    return Content((ID, Column("at", moments.types), Column("v", TEXT)), tuple(literals))


def _fault_of_windows(
    source_url: str, target_url: str, days: tuple[str, str], zone: str, counts: list[int], strays: int, is_inside: bool
) -> str | None:
    scheme = PartitionScheme("at", Every.DAY, *(datetime.fromisoformat(day) for day in days), timezone=zone)
    partitions = scheme.partitions(datetime(2030, 1, 1, tzinfo=ZoneInfo("UTC")))
    with (
        open_database(source_url, name="source").session() as source,
        open_database(target_url, name="target").session() as target,
    ):
        filters = [
            PartitionFilter("at", side.describe(T).column("at").type.kind, partitions) for side in (source, target)
        ]
        found = compare_tables(
            source,
            target,
            source_relation=T,
            target_relation=T,
            key=["id"],
            partitions=filters[0],
            target_partitions=filters[1],
        )
        outside = [
            side.count_unpartitioned(T, PartitionFilter("at", chosen.kind, partitions[:1]), partitions[-1])
            for side, chosen in zip((source, target), filters, strict=True)
        ]
    for side in ("source", "target"):
        rows = [getattr(item, side).rows for item in found.values()]
        if rows != counts:
            return f"counts {rows} rows of the {side}, not {counts}"
    if outside != [strays, strays]:
        return f"counts {outside} rows in no window, not {strays}"
    verdicts = [item.verdict.value for item in found.values()]
    return (
        None
        if verdicts.count(MISMATCHED) == int(is_inside) and set(verdicts) <= {MATCHED, MISMATCHED}
        else f"says {verdicts}"
    )


def _same_text(held: Held, form: str = "'{}'") -> Held:
    return Held(held.types, dict.fromkeys(held.types, form))


ZONED = Held(
    instant("2024-01-01 00:00:00").types, by("'{}+00:00'", "'{}'", "'{}+00:00'", "'{}+00:00'")
)  # written in UTC
NAIVE = _same_text(timestamp("NULL"))
DAYS = _same_text(date("NULL"))
EDGES: list[tuple[str | None, str]] = [
    ("2024-01-01 23:59:59.999999", "in"),
    ("2024-01-02 00:00:00", "next"),
    (None, "none"),
    ("2023-12-31 23:59:59.999999", "before"),
    ("2024-01-01 00:00:00", "first"),
    ("2024-01-03 00:00:00", "after"),
]
NEW_YORK = "America/New_York"
# 2024-03-10 has 23 hours there, from 05:00Z to 04:00Z; 2024-11-03 has 25, from 04:00Z to 05:00Z.
SPRING: list[tuple[str | None, str]] = [
    ("2024-03-10 04:59:59.999999", "9th"),
    ("2024-03-10 05:00:00", "10th"),
    ("2024-03-10 07:00:00", "10th"),
    ("2024-03-11 03:59:59.999999", "10th"),
    ("2024-03-11 04:00:00", "11th"),
    (None, "none"),
]
AUTUMN: list[tuple[str | None, str]] = [
    ("2024-11-03 03:59:59.999999", "2nd"),
    ("2024-11-03 04:00:00", "3rd"),
    ("2024-11-03 05:30:00", "3rd"),
    ("2024-11-03 06:30:00", "3rd"),
    ("2024-11-04 04:59:59.999999", "3rd"),
    ("2024-11-04 05:00:00", "4th"),
]
JANUARY = ("2024-01-01", "2024-01-03")
WINDOWS = [
    windows("23:59:59.999999 is in, 00:00:00 is out: instants", ZONED, EDGES, JANUARY, "UTC", [2, 1], 3, 0),
    windows("00:00:00 differs: instants", ZONED, EDGES, JANUARY, "UTC", [2, 1], 3, 1),
    windows("a NULL moment differs: instants", ZONED, EDGES, JANUARY, "UTC", [2, 1], 3, 2),
    windows("23:59:59.999999 is in, 00:00:00 is out: zoneless", NAIVE, EDGES, JANUARY, "UTC", [2, 1], 3, 0),
    windows("00:00:00 differs: zoneless", NAIVE, EDGES, JANUARY, "UTC", [2, 1], 3, 1),
    windows(
        "dates",
        DAYS,
        [("2024-01-01", "a"), ("2024-01-02", "b"), ("2024-01-03", "c"), (None, "d")],
        JANUARY,
        "UTC",
        [1, 1],
        2,
        1,
    ),
    windows("a day of 23 hours", ZONED, SPRING, ("2024-03-09", "2024-03-12"), NEW_YORK, [1, 3, 1], 1, 3),
    windows("a day of 25 hours", ZONED, AUTUMN, ("2024-11-02", "2024-11-05"), NEW_YORK, [1, 4, 1], 0, 3),
    windows(
        "a zoneless day of 25 hours",
        NAIVE,
        [
            ("2024-11-03 00:00:00", "a"),
            ("2024-11-03 01:30:00", "b"),
            ("2024-11-03 23:59:59.999999", "c"),
            ("2024-11-04 00:00:00", "d"),
        ],
        ("2024-11-03", "2024-11-05"),
        NEW_YORK,
        [3, 1],
        0,
        2,
    ),
]


# ---- masks ------------------------------------------------------------------------------------


def masked(name: str, left: Held, right: Held, secrets: tuple[str, ...], **expected: Any) -> Case:
    """A masked column that changed: told, and its values shown nowhere."""

    def asks(source_url: str, target_url: str) -> str | None:
        shown, found = _everything_shown(source_url, target_url, ["--mask", "v"])
        told = [secret for secret in secrets if any(secret in text for text in shown)]
        if told:
            return f"shows a masked value in {[text[:40] for text in shown if told[0] in text]}"
        if found.columns["v"].differs != 1 or found.value_differs != 1:
            return f"counts {found.value_differs} rows that differ, {found.columns['v'].differs} in the masked column"
        return None if any("***" in text for text in shown) else "does not show that the value is masked"

    return Case(29, name, value_table(left), value_table(right), Expected(MISMATCHED, value_differs=1), asks=asks)


def _everything_shown(source_url: str, target_url: str, options: list[str]) -> tuple[list[str], Any]:
    """All texts that a person, a log or a program gets to see of a comparison."""
    found = diff(source_url, "t", target_url, "t", mask=["v"])
    shown = [repr(found), json.dumps(found.to_dict()), found.differences().to_string()]
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        for more in ([], ["--json"], ["--html", str(page)]):
            _, out, err = _run(["diff", source_url, "t", target_url, "t", *options, *more])
            shown += [out, err]
        shown.append(page.read_text(encoding="utf-8"))
    return shown, found


def _run(arguments: list[str]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


MASKS = [
    masked("a text", quoted("secret-tulip-1"), quoted("secret-tulip-2"), ("secret-tulip", "tulip")),
    masked("a text and NULL", quoted("secret-tulip-1"), text("NULL"), ("secret-tulip", "tulip")),
    masked("a number", bigint("730211984"), bigint("730211985"), ("730211984", "730211985")),
    masked("a decimal", decimal("730211.98"), decimal("730211.97"), ("730211",)),
]


# ---- verdicts and exit codes ------------------------------------------------------------------


def exits(name: str, left: Held, right: Held, code: int, verdict: str, *options: str) -> Case:
    """The program's exit code beside its verdict."""

    def asks(source_url: str, target_url: str) -> str | None:
        for more in ([], ["--json"]):
            got, out, _ = _run(["diff", source_url, "t", target_url, "t", *options, *more])
            if got != code:
                return f"exits with {got}, not {code}"
        document = json.loads(out)
        return None if document["verdict"] == verdict else f"says {document['verdict']}, not {verdict}"

    return Case(30, name, value_table(left), value_table(right), Expected(verdict), asks=asks)


def _missing(name: str) -> Case:
    def asks(source_url: str, target_url: str) -> str | None:
        code, out, err = _run(["diff", source_url, "no_such_table", target_url, "t", "--json"])
        found = json.loads(out).get("verdict"), code, err.count("\n")
        return None if found == ("inconclusive", 2, 1) else f"says {found}"

    table = Content((ID, W), (("1", "'a'"),))
    return Case(30, name, table, table, Expected(MATCHED), sizes=(False,), asks=asks)


EXITS = [
    exits("equal: 0", quoted("a"), quoted("a"), 0, "matched"),
    exits("different: 1", quoted("a"), quoted("b"), 1, "mismatched"),
    exits("uncomparable: 2", quoted("1"), integer("1"), 2, "inconclusive"),
    exits("uncomparable, another column: 2", date("'2024-01-01'"), instant("2024-01-01 00:00:00"), 2, "inconclusive"),
    exits("a tolerance on text: 2", quoted("a"), quoted("a"), 2, "inconclusive", "--abs-tol", "v=1"),
    exits("a column that is not there: 2", quoted("a"), quoted("a"), 2, "inconclusive", "-c", "nope"),
    exits("the uncomparable column left out: 0", quoted("1"), integer("1"), 0, "matched", "--exclude", "v"),
    exits(
        "equal, a strict type on both sides: 0",
        uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        0,
        "matched",
        "--strict",
    ),
    _missing("a missing table: 2"),
]

CASES = [*WINDOWS, *MASKS, *EXITS]
