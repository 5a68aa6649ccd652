"""The demo knows what its damage must turn red."""

from reconcile_assets.demo.damage import DAMAGES, expected_red, red_partitions, tolerated


def test_every_damage_but_the_tolerated_one_is_seen_by_the_row_by_row_check() -> None:
    assert all("rows" in damage.checks for damage in DAMAGES if damage not in tolerated())
    assert [damage.partition for damage in tolerated()] == ["2013-08-15"]


def test_the_checks_turn_red_where_the_damage_is() -> None:
    assert expected_red() == {
        ("flights", "row_count"): {"2013-02-14", "2013-07-04"},
        ("flights", "rows"): {"2013-02-14", "2013-05-20", "2013-07-04"},
        ("flights", "aggregate_sum_distance"): {"2013-02-14", "2013-07-04"},
        ("weather", "row_count"): {"2013-03-08"},
        ("weather", "rows"): {"2013-03-08"},
    }


def test_each_bad_partition_is_filled_once_and_the_tolerated_one_not_at_all() -> None:
    assert red_partitions() == {
        "flights": ["2013-02-14", "2013-05-20", "2013-07-04"],
        "weather": ["2013-03-08"],
    }


def test_no_two_damages_stand_in_one_place() -> None:
    places = [(damage.table, damage.partition) for damage in DAMAGES]
    assert len(set(places)) == len(places)
