"""Keys that are kept until they are looked up."""

import pytest

from reconcile_assets.engine.key_spool import KeySpool


@pytest.mark.parametrize("kept", [40, 1, 0])
@pytest.mark.parametrize("count", [0, 1, 6, 7, 23])
def test_keys_come_back_in_order_from_memory_or_file(count: int, kept: int) -> None:
    keys = [([(str(number), None)], [(str(number), "\ud800 é")]) for number in range(count)]
    with KeySpool(3, kept=kept) as spool:
        for source, target in keys:
            spool.add(source, target)
        batches = list(spool.batches())
        assert len(spool) == count
        assert [key for batch in batches for key in batch] == keys
        assert all(len(batch) == 3 for batch in batches[:-1])
        assert list(spool.batches()) == batches


def test_a_key_of_several_rows_keeps_them_all() -> None:
    with KeySpool(1, kept=0) as spool:
        spool.add([("1",), ("1.0",)], [])
        assert list(spool.batches()) == [[([("1",), ("1.0",)], [])]]


def test_memory_holds_no_more_than_it_may() -> None:
    with KeySpool(2, kept=1) as spool:
        for number in range(9):
            spool.add([(str(number),)], [])
            assert len(spool._full) <= 1
