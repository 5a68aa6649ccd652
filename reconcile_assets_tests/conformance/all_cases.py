"""Every case, and how one is run on every pair of engines that can hold it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from reconcile_assets_tests.conformance import (
    cases_beyond_numbers,
    cases_beyond_tables,
    cases_beyond_texts,
    cases_beyond_times,
    cases_commands,
    cases_documents,
    cases_keys,
    cases_numbers,
    cases_options,
    cases_tables,
    cases_texts,
    cases_times,
)
from reconcile_assets_tests.conformance.cases import Case
from reconcile_assets_tests.conformance.ours import ask
from reconcile_assets_tests.conformance.peer_worker import PEERS, PeerWorker, job
from reconcile_assets_tests.conformance.sides import Sides

CASES: tuple[Case, ...] = tuple(
    sorted(
        (
            case
            for module in (
                cases_texts,
                cases_keys,
                cases_numbers,
                cases_times,
                cases_documents,
                cases_tables,
                cases_commands,
                cases_options,
                cases_beyond_numbers,
                cases_beyond_times,
                cases_beyond_texts,
                cases_beyond_tables,
            )
            for case in module.CASES
        ),
        key=lambda case: case.number,
    )
)

BEYOND = 31  # found beyond the list: ours only


@dataclass
class Result:
    """What came of a case.

    Attributes:
        runs: our answers.
        faults: those that were wrong: pair, size, direction, and what.
        false_equal: of these, those that called tables equal that differ.
        peers: by peer, how often it gave which kind of answer.
    """

    runs: int = 0
    faults: list[str] = field(default_factory=list)
    false_equal: int = 0
    peers: dict[str, Counter[str]] = field(default_factory=lambda: {peer: Counter() for peer in PEERS})


def pairs(case: Case, sides: Sides) -> list[tuple[str, str]]:
    """The engines that can hold the source, each with each that can hold the target."""
    return [
        (source, target)
        for source in case.source.engines
        for target in case.target.engines
        if source in sides.engines and target in sides.engines
    ]


def run_case(
    case: Case, sides: Sides, worker: PeerWorker | None = None, *, only: Sequence[tuple[str, str, bool, bool]] = ()
) -> Result:
    """Run a case on every pair, in both directions, small and among thousands of rows.

    Args:
        worker: asks the peers too where the case is of the list, in one direction where the case is small and in the
            other where it is padded.
        only: source, target, turned, padded: these runs only.
    """
    result = Result()
    for source, target, turned, padded in only or _runs(case, sides):
        sides.make(source, 0, case.source, padded=padded)
        sides.make(target, 1, case.target, padded=padded)
        answer = ask(case, sides.url(source, 0), sides.url(target, 1), turned=turned)
        result.runs += 1
        if answer.fault is not None:
            where = f"{target} and {source}" if turned else f"{source} and {target}"
            result.faults.append(f"{where}{', padded' if padded else ''}: {answer.fault}")
            result.false_equal += answer.false_equal
        if worker is not None and case.asks is None and case.number != BEYOND and turned == padded:
            expected = case.expected.turned() if turned else case.expected
            found = job(case, sides, source, target, padded=padded, turned=turned)
            for peer in PEERS:
                result.peers[peer][worker.ask_fairly(peer, found, expected)] += 1
    return result


def _runs(case: Case, sides: Sides) -> Iterator[tuple[str, str, bool, bool]]:
    for padded in case.sizes:
        for source, target in pairs(case, sides):
            for turned in (False, True):
                yield source, target, turned, padded
