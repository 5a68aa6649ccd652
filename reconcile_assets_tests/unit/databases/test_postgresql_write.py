"""The parts of a write that need no server."""

from reconcile_assets.databases.postgresql.write import lock_number


def test_a_lock_number_is_the_same_in_every_process_and_fits_64_bits() -> None:
    assert lock_number("public.orders", "2024-01-01") == lock_number("public.orders", "2024-01-01")
    assert -(2**63) <= lock_number("public.orders", "2024-01-01") < 2**63
    assert lock_number("public.orders", "2024-01-01") == -2735583972317573758


def test_other_tables_and_partitions_have_other_locks() -> None:
    numbers = {lock_number(table, day) for table in ("s.a", "s.b", "s.a2") for day in ("2024-01-01", "2024-01-02", "")}
    assert len(numbers) == 9
