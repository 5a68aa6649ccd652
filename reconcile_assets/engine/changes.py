"""Changes that no batch of ours made, found by the checksums of a look and of the last proof before it."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from reconcile_assets.core.changes import NO_BATCH, Change, Look, Proof, find_changes
from reconcile_assets.core.verdicts import CheckVerdict, Verdict
from reconcile_assets.databases.base import Session
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import Batch, fetch_last_batches
from reconcile_assets.ledger.connection import ledger_errors

logger = logging.getLogger(__name__)

LastBatches = Mapping[str, Batch] | None
"""The last batch of each partition that has one; None when the target could not be asked."""


def ask_last_batches(target: Session, table: str, partitions: Collection[str]) -> LastBatches:
    """The last batches by the target's own ledger, in the snapshot that the session compares.

    Call it last: a refusal ends the session's transaction.
    """
    try:
        with ledger_errors(target.name):
            return fetch_last_batches(target.sqlalchemy(), table=table, partitions=partitions)
    except ReconcileAssetsError as error:
        logger.info("who wrote last could not be asked: %s", error, extra={"table": table})
        return None


def last_batch_id(batches: LastBatches, partition: str) -> str | None:
    """The id of a partition's last batch, `NO_BATCH` where it has none, None when nobody could be asked."""
    if batches is None:
        return None
    return batches[partition].batch_id if partition in batches else NO_BATCH


def judge_change(
    source: str, target: str, form: str, *, partition: str, proof: Proof | None, batches: LastBatches
) -> tuple[Change | None, datetime | None]:
    """As `find_changes`, since the last proof of the partition: a verdict's, or its last batch where that is later.

    Args:
        source, target, form: the checksums of now, and what they are of.
        proof: the last verdict's, by the ledger.
    """
    look = Look(source, target, form, last_batch_id(batches, partition))
    if proof is None or proof.form != form or proof.batch_id != look.batch_id:
        proof = _proof_by_batch(batches, partition)
    return find_changes(proof, look)


def tell_change(verdict: CheckVerdict, partition: str, proof: Proof | None, batches: LastBatches) -> CheckVerdict:
    """The verdict with what changed since the partition was last proved equal, also as its first note."""
    if not verdict.source_checksum or not verdict.target_checksum or not verdict.checksum_form:
        return verdict
    change, since = judge_change(
        verdict.source_checksum,
        verdict.target_checksum,
        verdict.checksum_form,
        partition=partition,
        proof=proof,
        batches=batches,
    )
    told = replace(verdict, batch_id=last_batch_id(batches, partition), change=change, unchanged_since=since)
    if change is None:
        return told
    if verdict.verdict is Verdict.INCONCLUSIVE:  # its first note says why
        return replace(told, notes=(*verdict.notes, change.sentence))
    return replace(told, notes=(change.sentence, *verdict.notes))


def _proof_by_batch(batches: LastBatches, partition: str) -> Proof | None:
    """What a batch proved before it committed: as much as a verdict does."""
    batch = None if batches is None else batches.get(partition)
    if batch is None or batch.checksum_form is None or batch.recorded_at is None:
        return None
    return Proof(batch.source_checksum, batch.target_checksum, batch.checksum_form, batch.recorded_at, batch.batch_id)
