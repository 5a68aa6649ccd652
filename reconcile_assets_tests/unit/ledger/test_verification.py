"""An audit chain that is not as it was written is found out, and the first bad entry named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconcile_assets.ledger.audit import AuditEntry, genesis_hash
from reconcile_assets.ledger.verification import verify_chain
from reconcile_assets_tests.ledger_samples import MINUTE, chain, sealed

Tamper = Callable[[list[AuditEntry]], list[AuditEntry]]


def edited(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [*entries[:3], replace(entries[3], rows_inserted=99), *entries[4:]]


def edited_and_sealed(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [*entries[:3], sealed(replace(entries[3], actor="somebody else")), *entries[4:]]


def deleted(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [*entries[:3], *entries[4:]]


def deleted_and_renumbered(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [*entries[:3], *(sealed(replace(entry, seq=entry.seq - 1)) for entry in entries[4:])]


def first_deleted(entries: list[AuditEntry]) -> list[AuditEntry]:
    return entries[1:]


def swapped(entries: list[AuditEntry]) -> list[AuditEntry]:
    third, fourth = replace(entries[3], seq=3), replace(entries[2], seq=4)
    return [*entries[:2], third, fourth, *entries[4:]]


def duplicated(entries: list[AuditEntry]) -> list[AuditEntry]:
    return [*entries[:4], entries[3], *entries[4:]]


def truncated(entries: list[AuditEntry]) -> list[AuditEntry]:
    return entries[:4]


def emptied(entries: list[AuditEntry]) -> list[AuditEntry]:
    return []


def rewritten(entries: list[AuditEntry]) -> list[AuditEntry]:
    return chain(len(entries), chain_id=entries[0].chain_id, actor="somebody else")


def replaced_by_another_chain(entries: list[AuditEntry]) -> list[AuditEntry]:
    return chain(len(entries), chain_id="another")


def forged_at_the_end(entries: list[AuditEntry]) -> list[AuditEntry]:
    forged = replace(entries[-1], seq=len(entries) + 1, batch_id="forged", prev_hash="0" * 64)
    return [*entries, sealed(forged)]


def pasted_from_another_chain(entries: list[AuditEntry]) -> list[AuditEntry]:
    other = chain(len(entries) + 1, chain_id="another")
    return [*entries, other[-1]]


@pytest.mark.parametrize(
    ("tamper", "first_bad", "word"),
    [
        (edited, 4, "changed"),
        (edited_and_sealed, 4, "differs from its copy"),
        (deleted, 4, "missing"),
        (deleted_and_renumbered, 4, "does not follow"),
        (first_deleted, 1, "missing"),
        (swapped, 3, "changed"),
        (duplicated, 5, "twice"),
        (truncated, 5, "cut"),
        (emptied, 1, "empty"),
        (rewritten, 1, "differs from its copy"),
        (replaced_by_another_chain, 1, "differs from its copy"),
        (forged_at_the_end, 7, "does not follow"),
        (pasted_from_another_chain, 7, "another chain"),
    ],
)
def test_tampering_is_found_and_the_first_bad_entry_named(tamper: Tamper, first_bad: int, word: str) -> None:
    entries = chain(6)
    found = verify_chain(tamper(entries), entries)
    assert (found.ok, found.first_bad) == (False, first_bad)
    assert word in (found.reason or "")


@pytest.mark.parametrize("tamper", [edited, deleted, deleted_and_renumbered, first_deleted, swapped, duplicated])
def test_tampering_inside_the_chain_is_found_without_a_copy(tamper: Tamper) -> None:
    assert not verify_chain(tamper(chain(6))).ok


@pytest.mark.parametrize("tamper", [truncated, emptied, rewritten])
def test_only_the_copy_shows_a_chain_that_is_valid_in_itself(tamper: Tamper) -> None:
    """The control: without the copy these pass."""
    assert verify_chain(tamper(chain(6))).ok


@pytest.mark.parametrize(
    "change",
    [
        {"batch_id": "other"},
        {"recorded_at": chain(2)[1].recorded_at + MINUTE},
        {"action": "other"},
        {"actor": "other"},
        {"reason": "other"},
        {"run_id": "other"},
        {"backfill_id": "other"},
        {"table": "other"},
        {"target_table": "other"},
        {"partition": "other"},
        {"rows_read": 0},
        {"rows_deleted": 7},
        {"rows_inserted": 0},
        {"source_checksum": None},
        {"target_checksum": "bb"},
        {"attempts": 2},
        {"prev_hash": "0" * 64},
        {"chain_id": "other"},
        {"hash": "0" * 64},
    ],
)
def test_every_field_is_sealed(change: dict[str, object]) -> None:
    entries = chain(3)
    entries[1] = replace(entries[1], **change)  # type: ignore[arg-type]
    assert verify_chain(entries).first_bad == 2


def test_a_sound_chain_verifies_with_a_copy_that_lags_behind() -> None:
    entries = chain(6)
    found = verify_chain(entries, entries[:4])
    assert (found.ok, found.entries, found.copied, found.first_bad, found.reason) == (True, 6, 4, None, None)


def test_an_empty_chain_with_an_empty_copy_is_sound() -> None:
    assert verify_chain([], []).ok


def test_without_a_copy_verification_says_so() -> None:
    assert verify_chain(chain(2)).copied is None


def test_chains_begin_differently_for_each_target() -> None:
    assert genesis_hash("one") != genesis_hash("other")


def test_reasons_hold_no_content_of_entries() -> None:
    entries = chain(6)
    secret = [*entries[:3], replace(entries[3], reason="canary@example.com", actor="s3cret"), *entries[4:]]
    reason = verify_chain(secret, entries).reason or ""
    assert "canary" not in reason
    assert "s3cret" not in reason
