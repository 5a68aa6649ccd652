"""The product's own tables: audit entries and batches in each target, all else in the project's database."""

from reconcile_assets.ledger.applied_writes import claim_writes
from reconcile_assets.ledger.attempts import heartbeat
from reconcile_assets.ledger.audit import (
    ACTIONS,
    AuditEntry,
    fetch_audit_entries,
    iterate_audit_entries,
    record_batches,
)
from reconcile_assets.ledger.batches import (
    Batch,
    BatchTotals,
    count_batches,
    fetch_batch_totals,
    fetch_last_batches,
    fetch_latest_batches,
    find_batch,
)
from reconcile_assets.ledger.connection import create_ledger_engine
from reconcile_assets.ledger.ledger import Ledger, copy_audit_entries, open_ledger
from reconcile_assets.ledger.migrations import ensure_target_ledger
from reconcile_assets.ledger.records import (
    Alert,
    Attempt,
    Delivery,
    DueAlert,
    LatestVerdict,
    Pruned,
    RecordedChange,
    RecordedVerdicts,
    SetAside,
    VerdictKey,
    VerdictSummary,
)
from reconcile_assets.ledger.verification import AuditVerification, verify_chain

__all__ = [
    "ACTIONS",
    "Alert",
    "Attempt",
    "AuditEntry",
    "AuditVerification",
    "Batch",
    "BatchTotals",
    "Delivery",
    "DueAlert",
    "LatestVerdict",
    "Ledger",
    "Pruned",
    "RecordedChange",
    "RecordedVerdicts",
    "SetAside",
    "VerdictKey",
    "VerdictSummary",
    "claim_writes",
    "copy_audit_entries",
    "count_batches",
    "create_ledger_engine",
    "ensure_target_ledger",
    "fetch_audit_entries",
    "fetch_batch_totals",
    "fetch_last_batches",
    "fetch_latest_batches",
    "find_batch",
    "heartbeat",
    "iterate_audit_entries",
    "open_ledger",
    "record_batches",
    "verify_chain",
]
