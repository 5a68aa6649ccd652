"""``reconcile-assets diff``: compare any two tables by URL.

Nothing heavy is imported here: two small tables are compared within a second of the start.
"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from reconcile_assets.core.compare import Comparison

EXIT_CODES = {"matched": 0, "mismatched": 1, "inconclusive": 2}

EXAMPLES = """\
examples:
  reconcile-assets diff postgresql://host/a ops.flights postgresql://host/b warehouse.flights
  reconcile-assets diff $A orders $B orders -k id -c amount -c customer:customer_name --abs-tol amount=0.01
  reconcile-assets diff $A orders sqlite:///orders.db orders
  reconcile-assets diff $A flights duckdb:///:memory: export/flights.parquet -k flight_id
  reconcile-assets diff $A log $B log --keyless --where "day = '2024-01-01'" --json
  reconcile-assets diff $A orders $B orders --html orders.html --mask email

exit codes: 0 matched; 1 mismatched; 2 could not verify
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "diff",
        help="compare any two tables by URL, without a configuration",
        description="Compare two tables or views, row by row, without a configuration.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source_url", metavar="SOURCE_URL")
    parser.add_argument(
        "source_table", metavar="SOURCE_TABLE", help="name or schema.name; for DuckDB also a file or query"
    )
    parser.add_argument("target_url", metavar="TARGET_URL")
    parser.add_argument("target_table", metavar="TARGET_TABLE")
    add = parser.add_argument
    add("-k", "--key", action="append", default=[], metavar="COL", help="key column; repeatable (default: primary key)")
    add("-c", "--column", action="append", default=[], metavar="COL", help="compare only these; SOURCE:TARGET renames")
    add("--exclude", action="append", default=[], metavar="COL", help="leave a column out")
    add("--keyless", action="store_true", help="no key: compare whole rows as a multiset")
    add("--where", metavar="SQL", help="a condition on both sides")
    add("--where-source", metavar="SQL", help="a condition on the source only")
    add("--where-target", metavar="SQL", help="a condition on the target only")
    for name, text in (
        ("--abs-tol", "absolute tolerance of a number"),
        ("--rel-tol", "relative tolerance of a number"),
        ("--seconds", "tolerance of a date or time"),
    ):
        add(name, action="append", default=[], metavar="COL=X", help=f"{text}, inclusive; repeatable")
    for name, text in (("--ignore-case", "upper and lower case"), ("--ignore-trailing-space", "spaces at the end")):
        add(name, action="append", default=[], metavar="COL", help=f"{text} may differ in this text column; repeatable")
    add("--zone", action="append", default=[], metavar="COL=ZONE", help="the zone of a column's zoneless times")
    add("--key-type", action="append", default=[], metavar="COL=uuid", help="texts or bytes of this column are UUIDs")
    add("--zero-date-as-null", action="store_true", help="read MySQL's 0000-00-00 as NULL")
    add("--mask", action="append", default=[], metavar="COL", help="never show this column's values")
    add("--limit", type=int, metavar="N", help="differences listed (default: 100, 10 in the summary); all are counted")
    add("--strict", action="store_true", help="a coarser type on one side is a difference")
    add("--no-snapshot", action="store_true", help="hold no snapshot: each statement sees its own moment")
    add("--recheck-after", type=float, metavar="SECONDS", help="look again at what differed, so long after")
    add("--timeout", type=float, metavar="SECONDS", help="time limit of each statement")
    add("--html", metavar="FILE", help="also write the comparison to this file, as one page")
    add("--json", action="store_true", default=argparse.SUPPRESS, help="one JSON document on stdout")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and give the verdict's exit code.

    Raises:
        ReconcileAssetsError: nothing could be verified.
    """
    from reconcile_assets.cli.diff_page import check_page_path

    page = None if args.html is None else check_page_path(args.html)
    comparison = _compare(args)
    code = EXIT_CODES[comparison.verdict.value]
    failure = None if page is None else _page_failure(page, comparison)
    if getattr(args, "json", False):
        from reconcile_assets.cli.output import print_json

        print_json(comparison.to_dict())
    else:
        from reconcile_assets.cli.diff_summary import LISTED, print_summary

        print_summary(comparison, listed=LISTED if args.limit is None else args.limit)
    if comparison.verdict.value == "inconclusive":
        from reconcile_assets.cli.diff_summary import why_inconclusive

        print(why_inconclusive(comparison), file=sys.stderr)
    if failure is not None:
        print(failure, file=sys.stderr)
        return 2
    return code


def _page_failure(page: "Path", comparison: "Comparison") -> str | None:
    """Write the page; why it could not be written, as what was found is still told."""
    from reconcile_assets.cli.diff_page import write_page
    from reconcile_assets.cli.output import say

    try:
        write_page(page, comparison)
    except ConfigurationError as error:
        return str(error)
    say(f"the page is written to {page}")
    return None


def _compare(args: argparse.Namespace) -> "Comparison":
    from reconcile_assets.cli.diff_progress import DiffProgress
    from reconcile_assets.engine.diff import diff

    with DiffProgress() as progress:
        return diff(
            args.source_url,
            args.source_table,
            args.target_url,
            args.target_table,
            key=args.key,
            keyless=args.keyless,
            columns=args.column,
            exclude=args.exclude,
            where=args.where,
            where_source=args.where_source,
            where_target=args.where_target,
            abs_tol=_numbers("--abs-tol", args.abs_tol),
            rel_tol=_numbers("--rel-tol", args.rel_tol),
            seconds=_numbers("--seconds", args.seconds),
            ignore_case=args.ignore_case,
            ignore_trailing_space=args.ignore_trailing_space,
            zones=_texts("--zone", args.zone),
            key_types=_texts("--key-type", args.key_type),
            zero_date_as_null=args.zero_date_as_null,
            mask=args.mask,
            limit=100 if args.limit is None else args.limit,
            strict=args.strict,
            snapshot=not args.no_snapshot,
            recheck_after=args.recheck_after,
            statement_timeout=_timeout(args.timeout),
            progress=progress,
        )


def _assignment(option: str, text: str) -> tuple[str, str]:
    name, separator, value = text.rpartition("=")
    if not separator or not name or not value:
        raise ConfigurationError(f"{option} takes COLUMN=VALUE, not {text!r}")
    return name, value


def _texts(option: str, texts: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, value = _assignment(option, text)
        if name in found:
            raise ConfigurationError(f"{option} names {name} twice; give it once")
        found[name] = value
    return found


def _numbers(option: str, texts: list[str]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for text in texts:
        name, value = _assignment(option, text)
        if name in numbers:
            raise ConfigurationError(f"{option} names {name} twice; give it once")
        try:
            numbers[name] = float(value)
        except ValueError:
            raise ConfigurationError(f"{option} {name}={value}: {value!r} is no number") from None
    return numbers


def _timeout(seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < 2_000_000:
        raise ConfigurationError(f"--timeout takes seconds above 0, not {seconds}")
    return seconds
