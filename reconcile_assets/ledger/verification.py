"""Verification of an audit chain: against itself, against its copy, and against the batches."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from reconcile_assets.ledger.audit import AuditEntry, genesis_hash


@dataclass(frozen=True)
class AuditVerification:
    """What verification found.

    Attributes:
        entries: entries read from the chain.
        batches: batches committed in the target; None when they were not looked at.
        copied: entries of the copy; None when there was none to compare with.
        first_bad: number of the first entry that is not as it must be; None when the trouble is
            not one entry's.
        reason: one sentence, without row values; None when all is well.
    """

    ok: bool
    entries: int
    first_bad: int | None = None
    reason: str | None = None
    batches: int | None = None
    copied: int | None = None


def verify_chain(entries: Iterable[AuditEntry], copy: Iterable[AuditEntry] | None = None) -> AuditVerification:
    """Verify a chain from its first entry on, and that it begins as its copy does.

    Args:
        entries: in the order of their numbers.
        copy: what was copied outside the target, in the same order; None when there is no copy.
    """
    count = copied = 0
    previous: AuditEntry | None = None
    for entry, twin in zip_longest(entries, copy or ()):
        copied += twin is not None
        if entry is None:
            return _bad(count, count + 1, _cut(count, count + 1))
        count += 1
        reason = find_fault(entry, previous, count) or _difference(entry, twin)
        if reason:
            return _bad(count, count, reason)
        previous = entry
    return AuditVerification(ok=True, entries=count, copied=None if copy is None else copied)


def find_fault(entry: AuditEntry, previous: AuditEntry | None, seq: int) -> str | None:
    """Why an entry cannot be the one of this number after the one before; None when it can."""
    if entry.seq != seq:
        return _wrong_number(entry, previous, seq)
    if entry.hash != entry.compute_hash():
        return f"entry {seq} was changed: its hash is not that of its content"
    chain_id = entry.chain_id if previous is None else previous.chain_id
    before = genesis_hash(chain_id) if previous is None else previous.hash
    if entry.chain_id != chain_id:
        return f"entry {seq} comes from another chain"
    if entry.prev_hash != before:
        return f"entry {seq} does not follow the one before it: an entry was removed, exchanged or added"
    return None


def _wrong_number(entry: AuditEntry, previous: AuditEntry | None, seq: int) -> str:
    if previous is not None and entry.seq == previous.seq:
        return f"entry {entry.seq} stands there twice"
    if entry.seq > seq:
        return f"entry {seq} is missing: {entry.seq} stands in its place"
    return f"entry {seq} is numbered {entry.seq}"


def _difference(entry: AuditEntry, twin: AuditEntry | None) -> str | None:
    if twin is None or entry == twin:
        return None
    if entry.chain_id != twin.chain_id:
        return f"entry {entry.seq} differs from its copy: the chain is another one"
    return f"entry {entry.seq} differs from its copy: the chain was rewritten, or the copy was"


def _cut(count: int, seq: int) -> str:
    if count == 0:
        return "the chain is empty, but its copy has entries"
    return f"the chain ends before entry {seq}, which its copy has: it was cut"


def _bad(entries: int, first_bad: int | None, reason: str) -> AuditVerification:
    return AuditVerification(ok=False, entries=entries, first_bad=first_bad, reason=reason)
