"""Which writes may go: the order of each row, dependencies, pauses, and nobody held up for another's sake."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from reconcile_assets.core.queue_news import NewsKind, after_refusal, after_settling, find_news
from reconcile_assets.core.queued_writes import Failure, Operation, Place, QueuedWrite, choose_next, find_dependants
from reconcile_assets.core.row_identity import row_identity

NOW = datetime(2024, 3, 1, 12, tzinfo=UTC)


def _place(sequence: int, row: str, **fields: Any) -> Place:
    return Place(sequence, row, f"k{sequence}", **fields)


def _chosen(*places: Place, passed_over: tuple[str, ...] = ()) -> list[int]:
    return [place.sequence for place in choose_next(places, now=NOW, longest_pause=300.0, passed_over=passed_over)]


def _in(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([_place(1, "a"), _place(2, "a"), _place(3, "b")], [1, 2, 3]),
        ([_place(1, "a", dead=True), _place(2, "a"), _place(3, "b")], [3]),
        ([_place(1, "a", next_try_at=_in(10)), _place(2, "b"), _place(3, "a")], [2]),
        ([_place(1, "a", next_try_at=_in(0)), _place(2, "a")], [1, 2]),
        ([_place(1, "a", next_try_at=_in(300)), _place(2, "a")], []),
        ([_place(1, "a", next_try_at=_in(301)), _place(2, "a")], [1, 2]),  # the clock was set back
        ([_place(1, "a", dead=True), _place(2, "b", depends_on=("k1",)), _place(3, "b"), _place(4, "c")], [4]),
        ([_place(1, "a"), _place(2, "b", depends_on=("k1",))], [1, 2]),
        ([_place(1, "a", depends_on=("k2",)), _place(2, "b", depends_on=("k1",))], [1, 2]),  # only on earlier ones
        ([_place(1, "a", depends_on=("k1", "gone"))], [1]),
        (
            [
                _place(1, "a", dead=True),
                _place(2, "b", depends_on=("k1",)),
                _place(3, "c", depends_on=("k2",)),
                _place(4, "c"),
                _place(5, "d", depends_on=("k4",)),
            ],
            [],
        ),
    ],
)
def test_what_may_go(places: list[Place], expected: list[int]) -> None:
    assert _chosen(*places) == expected


def test_a_row_that_has_failed_in_this_flush_waits_with_its_dependants() -> None:
    places = (_place(1, "a"), _place(2, "b"), _place(3, "c", depends_on=("k1",)), _place(4, "a"))

    assert _chosen(*places, passed_over=("a",)) == [2]
    assert _chosen(*places) == [1, 2, 3, 4]


def test_dependants_are_found_in_turn() -> None:
    places = [
        _place(1, "a"),
        _place(2, "b", depends_on=("k1",)),
        _place(3, "b"),
        _place(4, "c", depends_on=("x", "k2")),
        _place(5, "d", depends_on=("k3",)),
    ]

    assert [place.sequence for place in find_dependants(places, ["k1"])] == [2, 4]
    assert find_dependants(places, ["unknown"]) == []


def test_a_write_shows_no_values() -> None:
    write = QueuedWrite(1, "t", Operation.UPSERT, "k", NOW, ("id",), {"id": 7, "name": "secret"})

    assert "secret" not in repr(write)
    assert write.key == {"id": 7}
    assert write.last_error == ""
    assert (
        QueuedWrite(1, "t", Operation.UPSERT, "k", NOW, history=(Failure(NOW, "a"), Failure(NOW, "b"))).last_error
        == "b"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (7, "7"),
        (7, Decimal("7.00")),
        (7, 7.0),
        (True, 1),
        (1000, "1e3" * 0 + "1000.0"),
        (-5, "-5"),
        (0, Decimal("-0.0")),
        ("Abc", "aBC"),
        ("a", "a  "),
        ("\u00e9", "e\u0301"),
        ("\u00e9", "E"),
        ("\u00df", "ss"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (UUID(int=0xA), "0000000000000000000000000000000A"),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), datetime(2024, 1, 1, 12)),
        (datetime(2024, 1, 1, 12, tzinfo=UTC), "2024-01-01T12:00:00Z"),
        (date(2024, 1, 1), "2024-01-01"),
        (date(2024, 1, 1), datetime(2024, 1, 1)),
    ],
)
def test_what_some_database_takes_for_one_row_is_one_row(one: Any, other: Any) -> None:
    assert row_identity("t", {"id": one}) == row_identity("t", {"ID": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (7, 8),
        (7, 70),
        (7, 0.7),
        (-7, 7),
        ("a", "b"),
        ("a", "a b"),
        ("", "a"),
        (2**63, 2**63 + 1),
        (Decimal("0.1"), Decimal("0.10000000000000000001")),
        (b"a", b"b"),
        (float("inf"), float("-inf")),
        (date(2024, 1, 1), date(2024, 1, 2)),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))), datetime.max.replace(tzinfo=UTC)),
        ("2024-13-45", "2024-13-46"),
        (UUID(int=5), UUID(int=6)),
        ([1], [2]),
    ],
)
def test_other_rows_are_other_rows(one: Any, other: Any) -> None:
    assert row_identity("t", {"id": one}) != row_identity("t", {"id": other})


def test_a_row_is_of_its_table_and_of_all_of_its_key() -> None:
    assert row_identity("t", {"a": 1, "b": 2}) == row_identity("t", {"b": 2, "a": 1})
    assert row_identity("t", {"a": 1, "b": 2}) != row_identity("t", {"a": 2, "b": 1})
    assert row_identity("t", {"a": 1}) != row_identity("u", {"a": 1})


def test_a_full_queue_is_told_once_and_so_is_the_room_after_it() -> None:
    state = after_refusal("", 7)
    assert after_refusal(state, 8) == state
    news, told = find_news(state, 1000, 1000)
    assert (news.kind, news.news_id, told) == (NewsKind.FULL, "full 7", "told 7")
    assert find_news(told, 1000, 1000) is None
    assert after_refusal(told, 9) == told
    assert after_settling(told, 501, 1000) == told
    over = after_settling(told, 500, 1000)
    news, told = find_news(over, 500, 1000)
    assert (news.kind, news.waiting, news.news_id, told) == (NewsKind.ROOM, 500, "room 7", "")
    assert find_news("", 1000, 1000) is None


def test_a_queue_that_is_full_again_before_the_room_was_told_of_goes_on_being_full() -> None:
    assert after_refusal("over 7", 9) == "told 7"


def test_a_full_queue_that_nobody_could_be_told_of_in_time_is_told_all_the_same() -> None:
    state = after_settling(after_refusal("", 7), 0, 1000)
    news, told = find_news(state, 0, 1000)

    assert (news.kind, told) == (NewsKind.FULL, "over 7")
