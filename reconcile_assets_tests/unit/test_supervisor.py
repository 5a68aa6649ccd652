"""Who stands below whom."""

from reconcile_assets.supervisor import find_descendants


def test_children_of_children_are_descendants() -> None:
    assert find_descendants(1, {1: (0, "S"), 2: (1, "S"), 3: (2, "R"), 9: (8, "S")}) == {2, 3}


def test_a_dead_one_is_not_left_but_its_child_is() -> None:
    assert find_descendants(1, {1: (0, "S"), 2: (1, "Z"), 3: (2, "S")}) == {3}


def test_the_dead_alone_are_nobody() -> None:
    assert find_descendants(1, {1: (0, "S"), 2: (1, "Z")}) == set()


def test_nobody_stands_below_one_without_children() -> None:
    assert find_descendants(7, {1: (0, "S"), 7: (1, "S")}) == set()
