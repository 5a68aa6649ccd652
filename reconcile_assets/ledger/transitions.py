"""Which verdicts are news: pure, so that every transition can be tested by itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconcile_assets.core.changes import Proof
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.ledger.records import VerdictKey

_RANK = {Verdict.MATCHED: 0, Verdict.INCONCLUSIVE: 1, Verdict.MISMATCHED: 2}


@dataclass(frozen=True)
class Known:
    """What the ledger knew of one partition before.

    Attributes:
        alerted: the worst verdict alerted since the check was last free of bad partitions, or since this
            one last matched; None when there was none.
        proof: what stood there when it last matched; None when that is not known.
    """

    verdict: Verdict
    alerted: Verdict | None
    evaluated_at: datetime
    since: datetime
    proof: Proof | None = None


@dataclass(frozen=True)
class Latest:
    """What the ledger knows of one partition from now on."""

    verdict: CheckVerdict
    alerted: Verdict | None
    since: datetime
    proof: Proof | None = None


@dataclass(frozen=True)
class CheckChange:
    """What a set of verdicts of one check changes.

    Attributes:
        latest: the new state, one for each partition.
        changed: keys whose verdict is another than before, or the first.
        newly_bad: verdicts to be alerted, in the order of their partitions.
        recovered: once the last bad partition matches, all that were bad since the check was last free
            of them, in order; empty while one is left.
    """

    table: str
    check: str
    latest: tuple[Latest, ...]
    changed: frozenset[VerdictKey]
    newly_bad: tuple[CheckVerdict, ...]
    recovered: tuple[str, ...]


def find_change(verdicts: Iterable[CheckVerdict], known: Mapping[str, Known], *, now: datetime) -> CheckChange:
    """Compare verdicts of one table and check with what was known.

    Args:
        verdicts: of one table and check, at least one; of several for one partition the worst counts.
        known: by partition; must hold every partition that was alerted, whether or not a verdict names it.
        now: stands in for a verdict without time of evaluation.
    """
    found = _worst_by_partition(verdicts)
    first = next(iter(found.values()))
    current = {key: verdict for key, verdict in found.items() if not _is_outdated(verdict, known.get(key), now)}
    recovered = _recovered(current, known)
    return CheckChange(
        table=first.table,
        check=first.check,
        latest=tuple(
            _latest(verdict, known.get(key), now, is_recovery=bool(recovered))
            for key, verdict in sorted(current.items())
        ),
        changed=frozenset(
            (first.table, first.check, key) for key, verdict in current.items() if _differs(verdict, known.get(key))
        ),
        newly_bad=tuple(verdict for key, verdict in sorted(current.items()) if _is_news(verdict, known.get(key))),
        recovered=recovered,
    )


def _recovered(current: Mapping[str, CheckVerdict], known: Mapping[str, Known]) -> tuple[str, ...]:
    bad_before = {key for key, state in known.items() if state.verdict is not Verdict.MATCHED}
    bad_now = {key for key, verdict in current.items() if verdict.verdict is not Verdict.MATCHED}
    if not bad_before or bad_now or bad_before - current.keys():
        return ()
    return tuple(sorted(key for key, state in known.items() if state.alerted is not None))


def _worst_by_partition(verdicts: Iterable[CheckVerdict]) -> dict[str, CheckVerdict]:
    worst: dict[str, CheckVerdict] = {}
    for verdict in verdicts:
        before = worst.get(verdict.partition)
        if before is None or _RANK[verdict.verdict] >= _RANK[before.verdict]:
            worst[verdict.partition] = verdict
    return worst


def _is_outdated(verdict: CheckVerdict, known: Known | None, now: datetime) -> bool:
    """A partition once found bad does not turn green by a look that was taken before.

    The other way round the later word counts, whatever its time: clocks of machines differ, and
    a false alarm is put right by the next reconciliation, a false green by nobody.
    """
    if known is None or verdict.verdict is not Verdict.MATCHED or known.verdict is Verdict.MATCHED:
        return False
    return (verdict.evaluated_at or now) < known.evaluated_at


def _differs(verdict: CheckVerdict, known: Known | None) -> bool:
    return known is None or known.verdict is not verdict.verdict


def _is_news(verdict: CheckVerdict, known: Known | None) -> bool:
    return _RANK[verdict.verdict] > _RANK[_told(known)]


def _told(known: Known | None) -> Verdict:
    """The worst of what was alerted and still holds; what matched in between may be alerted again."""
    if known is None or known.alerted is None or known.verdict is Verdict.MATCHED:
        return Verdict.MATCHED
    return known.alerted


def _latest(verdict: CheckVerdict, known: Known | None, now: datetime, *, is_recovery: bool) -> Latest:
    since = (verdict.evaluated_at or now) if known is None or _differs(verdict, known) else known.since
    if verdict.verdict is Verdict.MATCHED:
        kept = None if known is None or is_recovery else known.alerted  # for the list of the recovery to come
        return Latest(verdict, kept, since, _proof(verdict, known, now))
    proof = None if known is None else known.proof
    return Latest(verdict, max(verdict.verdict, _told(known), key=_RANK.__getitem__), since, proof)


def _proof(verdict: CheckVerdict, known: Known | None, now: datetime) -> Proof | None:
    """What a matched verdict proves to stand there; what was proved before where it says nothing of checksums."""
    before = None if known is None else known.proof
    looked_at = verdict.evaluated_at or now
    if not verdict.source_checksum or not verdict.target_checksum or not verdict.checksum_form:
        return before
    if before is not None and looked_at < before.at:  # an older look, recorded late
        return before
    since = verdict.unchanged_since or looked_at
    return Proof(verdict.source_checksum, verdict.target_checksum, verdict.checksum_form, since, verdict.batch_id)
