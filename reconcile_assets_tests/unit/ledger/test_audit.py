"""The content of an audit entry and its hash."""

import hashlib
import json
from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from reconcile_assets.errors import ConfigurationError
from reconcile_assets_tests.ledger_samples import batch, chain


def test_the_hash_is_that_of_the_canonical_json() -> None:
    entry = chain(1)[0]
    content = entry.to_dict()
    del content["hash"]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    assert entry.hash == hashlib.sha256(text.encode()).hexdigest()


def test_the_hash_does_not_depend_on_the_zone_a_time_is_written_in() -> None:
    entry = chain(1)[0]
    elsewhere = replace(entry, recorded_at=entry.recorded_at.astimezone(timezone(timedelta(hours=-4))))
    assert elsewhere.compute_hash() == entry.compute_hash()


def test_times_are_written_with_all_six_digits() -> None:
    assert chain(1)[0].to_dict()["recorded_at"] == "2024-03-31T12:01:00.000000+00:00"


def test_null_and_the_word_null_differ() -> None:
    entry = chain(1)[0]
    hashes = {replace(entry, reason=reason).compute_hash() for reason in (None, "null", "", "None")}
    assert len(hashes) == 4


def test_an_entry_holds_no_float() -> None:
    assert not any(isinstance(value, float) for value in chain(1)[0].to_dict().values())


@pytest.mark.parametrize(
    "change",
    [
        {"batch_id": "7"},
        {"rows_read": -1},
        {"attempts": 0},
        {"started_at": batch().started_at.replace(tzinfo=None)},
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        batch(**change)


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_a_reason_that_cannot_be_stored_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigurationError, match="reason holds a NUL") as refused:
        batch(reason=text)
    assert text not in str(refused.value)
