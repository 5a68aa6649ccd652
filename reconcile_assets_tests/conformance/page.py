"""docs/conformance.md, out of the results of a run."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from reconcile_assets_tests.conformance.all_cases import BEYOND, Result
from reconcile_assets_tests.conformance.cases import INCONCLUSIVE, MATCHED, REFUSED, Case, Expected
from reconcile_assets_tests.conformance.peer_worker import PEERS

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"

HEAD = """\
# Conformance

Written by `make conformance`, from real runs: {runs:,} comparisons of ours, of {cases} cases, on every pair of
PostgreSQL, MariaDB, SQLite and DuckDB that can hold the two values, in both directions, in tables of few rows and in
tables of thousands (so that the checksums decide). {versions}. The cases are data in
`reconcile_assets_tests/conformance`; their numbers are those of the list that a release must get right, 31 being what
was found beyond it, where the peers were not asked.

An answer is *right* when the verdict and the counts of missing, extra and changed rows are. The peers are used as their
documents say: reladiff by `connect_to_table` and `diff_tables` with its own checksums in the large tables; datacompy by
`PandasCompare` on frames that pandas read, in two ways (as `read_sql` does by itself, and with nullable types and exact
decimals), of which the better one counts. An error, or an option that they don't have, *refuses*; it is not wrong.
Where no answer is right (`could not verify`) they are not judged; nor in what is no question to them. reladiff has no
SQLite: its figures are of the other pairs. They were asked in one direction in the small tables and in the other in the
large ones.

| | right | false equal | else wrong | refuses |
|---|---|---|---|---|
"""

TITLES = {
    1: "Values that move over a border",
    2: "NULL beside sentinels",
    3: "Values that change places",
    4: "Zero beside NULL",
    5: "NULL and duplicates in the key",
    6: "Tables without a key",
    7: "Keys that a collation folds",
    8: "UUIDs in other spellings",
    9: "Keys beyond 2^53",
    10: "Ranges of keys",
    11: "Empty and missing tables",
    12: "Decimals",
    13: "Integers beyond 2^53",
    14: "Infinity and NaN",
    15: "Floats that look alike",
    16: "Floats whose texts differ",
    17: "Booleans and bits",
    18: "Instants, far dates, intervals",
    19: "Coarser times",
    20: "Dates beside times",
    21: "Zero dates",
    22: "Characters",
    23: "NUL",
    24: "JSON",
    25: "Many, renamed and strangely named columns",
    26: "Windows",
    29: "Masks",
    30: "Verdicts and exit codes",
    31: "Found beyond the list",
}
ELSEWHERE = """
## Not a question to this command
27 (a run that is killed resumes with the same verdict) and 28 (repair) are of `backfill` and `repair`; their tests
start and kill the program itself.
"""


def page(results: Sequence[tuple[Case, Result]], versions: str) -> str:
    """The whole page."""
    runs = sum(result.runs for _, result in results)
    parts = [HEAD.format(runs=runs, cases=len(results), versions=versions).rstrip("\n"), *_summary(results)]
    for number, title in TITLES.items():
        chosen = [(case, result) for case, result in results if case.number == number]
        if chosen:
            parts += [
                "",
                f"## {number}. {title}",
                "| case | expected | ours | reladiff | datacompy |",
                "|---|---|---|---|---|",
            ]
            parts += [_line(case, result) for case, result in chosen]
    return "\n".join([*parts, ELSEWHERE])


def _summary(results: Sequence[tuple[Case, Result]]) -> Iterator[str]:
    runs, faults = sum(result.runs for _, result in results), sum(len(result.faults) for _, result in results)
    equal = sum(result.false_equal for _, result in results)
    yield f"| reconcile-assets | {_share(runs - faults, runs)} | {equal:,} | {faults - equal:,} | |"
    for peer in PEERS:
        kinds: Counter[str] = Counter()
        for case, result in results:
            kinds += _kinds(result.peers[peer], case.expected)
        cells = [
            peer,
            _share(kinds["right"], kinds.total()),
            *(f"{kinds[kind]:,}" for kind in ("equal", "wrong", "refuses")),
        ]
        yield f"| {' | '.join(cells)} |"


def _share(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (
        f" ({100 * part / whole:.1f} %)" if whole and part < whole else " (100 %)" if whole else ""
    )


def _judged(answers: Mapping[str, int]) -> dict[str, int]:
    """Without what is not judged."""
    return {kind: count for kind, count in answers.items() if kind != "-" and "it has no SQLite" not in kind}


def _kinds(answers: Mapping[str, int], expected: Expected) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for answer, count in _judged(answers).items():
        kinds[_kind(answer, expected)] += count
    return kinds


def _kind(answer: str, expected: Expected) -> str:
    kind = answer.partition(":")[0]
    return "wrong" if kind == "equal" and expected.verdict == REFUSED else kind


def _line(case: Case, result: Result) -> str:
    ours = f"{result.runs - len(result.faults)} of {result.runs}"
    cells = [case.name, _expected(case), ours, *(_cell(case, result.peers[peer]) for peer in PEERS)]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*") for cell in cells) + " |"


def _expected(case: Case) -> str:
    expected = case.expected
    if case.asks is not None:
        return "as said" if case.number != 30 else expected.verdict
    if expected.verdict in (INCONCLUSIVE, REFUSED):
        return {INCONCLUSIVE: "could not verify", REFUSED: "refused"}[expected.verdict]
    if expected.verdict == MATCHED:
        return "equal"
    counts = (expected.missing_in_target, expected.missing_in_source, expected.value_differs)
    return ", ".join(
        f"{count:,} {name}" for count, name in zip(counts, ("missing", "extra", "changed"), strict=True) if count
    )


def _cell(case: Case, answers: Mapping[str, int]) -> str:
    judged = _judged(answers)
    total = sum(judged.values())
    if not total:
        return (
            "not asked"
            if case.asks is not None or case.number == BEYOND
            else "not judged"
            if "-" in answers
            else "can't: no SQLite"
        )
    if judged.get("right", 0) == total:
        return f"right {total} of {total}"
    parts = [f"right {judged['right']} of {total}"] if "right" in judged else []
    refusals = sorted((answer for answer in judged if answer.startswith("refuses")), key=lambda answer: -judged[answer])
    for answer in sorted(set(judged) - {"right", *refusals}):
        name = "**false equal**" if _kind(answer, case.expected) == "equal" else answer
        parts.append(f"{name} {judged[answer]}")
    if refusals:
        count = sum(judged[answer] for answer in refusals)
        parts.append(f"refuses {count} ({_reason(refusals[0])})")
    return "; ".join(parts)


def _reason(refusal: str) -> str:
    text = refusal.removeprefix("refuses: ").removeprefix("Refuses: ")
    return text if len(text) <= 60 else text[:57].rstrip() + "..."
