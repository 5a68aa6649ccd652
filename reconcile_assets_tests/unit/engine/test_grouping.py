"""How partitions are put into transactions, and how a bad one is found."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import pytest

from reconcile_assets.core.windows import Every, Partition, PartitionScheme
from reconcile_assets.engine.backfill import WriteRules, first_group_size, next_group_size, split_group
from reconcile_assets.engine.partition_write import PartitionsUnproved
from reconcile_assets.engine.tables import ResolvedTable
from reconcile_assets.errors import ConstraintRefused

RULES = WriteRules()


@dataclass(frozen=True)
class FakeTable:
    indexed: bool


INDEXED, UNINDEXED = (cast(ResolvedTable, FakeTable(indexed)) for indexed in (True, False))


def _days(count: int) -> tuple[Partition, ...]:
    scheme = PartitionScheme("at", Every.DAY, datetime(2024, 1, 1))
    return scheme.partitions(datetime(2024, 12, 1, tzinfo=UTC))[:count]


def test_without_an_index_the_whole_range_is_one_group() -> None:
    assert first_group_size(UNINDEXED, RULES) == next_group_size(UNINDEXED, RULES, partitions=10, rows=10**9) == 1000


def test_with_an_index_the_first_group_is_small() -> None:
    assert first_group_size(INDEXED, RULES) == 5
    assert first_group_size(INDEXED, WriteRules(group_partitions=2)) == 2


@pytest.mark.parametrize(
    ("rows", "size"), [(0, 25), (5 * 100, 25), (5 * 5_000, 10), (5 * 50_000, 1), (5 * 10_000_000, 1)]
)
def test_later_groups_follow_the_rows_seen(rows: int, size: int) -> None:
    assert next_group_size(INDEXED, RULES, partitions=5, rows=rows) == size


def test_a_failed_group_is_cut_in_the_middle() -> None:
    days = _days(5)
    assert split_group(days, ConstraintRefused("no")) == (days[:2], days[2:])
    assert split_group(days[:1], ConstraintRefused("no")) == (days[:1],)


def test_a_group_with_known_bad_partitions_is_cut_around_them() -> None:
    days = _days(5)
    error = PartitionsUnproved("no", frozenset({days[1].key, days[3].key}))
    assert split_group(days, error) == ((days[0], days[2], days[4]), (days[1], days[3]))


def test_a_group_of_bad_partitions_only_is_cut_in_the_middle() -> None:
    days = _days(4)
    assert split_group(days, PartitionsUnproved("no", frozenset(day.key for day in days))) == (days[:2], days[2:])
