"""What a session's answers cost."""

from reconcile_assets.core.compare import SideCost
from reconcile_assets.databases.base import CostMeter


def test_a_meter_without_a_counter_adds_up() -> None:
    meter = CostMeter()
    assert not meter.is_told_bytes
    meter.count_bytes(5)
    meter.count_bytes(7)
    meter.scans += 1
    assert meter.snapshot() == SideCost(1, 0, 12)


def test_a_meter_keeps_what_was_told_before_the_connection_closed() -> None:
    told: list[int | None] = [10, 30, None]
    meter = CostMeter(lambda: told[0])
    assert meter.bytes == 10
    told.pop(0)
    assert meter.charge().bytes == 30
    told.pop(0)
    assert meter.bytes == 30
    assert meter.charge() == SideCost()
