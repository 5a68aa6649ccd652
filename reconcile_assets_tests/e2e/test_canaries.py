"""A secret in a URL and a person's address in a failing row stay where they are, whatever goes wrong."""

from pathlib import Path

import psycopg
import pytest

from reconcile_assets_tests.e2e.conftest import CANARY_SECRET
from reconcile_assets_tests.e2e.product import Product, dump_database, wait_for, with_login
from reconcile_assets_tests.integration.alerts.conftest import Receiver

REFUSED = "canary.refused@shop.test"  # in a row that the target's constraint refuses
CHANGED = "canary.changed@shop.test"  # in a row that was changed in the target
CANARIES = (CANARY_SECRET, REFUSED, CHANGED)

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def troubled(product: Product, receiver: Receiver) -> Product:
    """The product after a refused row, a changed row, alerts, reports, and connections that fail."""
    product.execute(product.source, "UPDATE sales.orders SET amount = -1, email = %s WHERE id = 860", REFUSED)
    status = product.backfill("2013-01-05", "2013-01-17", "2013-01-18", "2013-01-19")
    assert status == "COMPLETED_FAILED"
    product.execute(product.target, "UPDATE warehouse.orders SET email = %s WHERE id = 210", CHANGED)
    assert product.reconcile("2013-01-05") == "SUCCESS"

    assert product.run("backfill", "--partition", "2013-01-18", "--verbose").returncode == 2
    assert product.run("reconcile", "--partition", "2013-01-05", "--json").returncode == 1
    assert product.run("gaps", "--json", "--verbose").returncode == 1
    assert product.run("report", "--format", "html", "--format", "json", "--format", "csv").returncode in {1, 2}
    assert product.run("audit", "verify").returncode == 0
    wait_for(lambda: len(receiver.received) >= 2, seconds=90, what="alerts")
    return product


def test_one_bad_row_fails_its_partition_alone(troubled: Product) -> None:
    days = troubled.execute(troubled.target, "SELECT DISTINCT placed_at::date::text FROM warehouse.orders ORDER BY 1")

    assert [day for (day,) in days] == ["2013-01-05", "2013-01-17", "2013-01-19"]


@pytest.mark.parametrize(
    "broken",
    [
        "postgresql://canary_reader:{secret}@127.0.0.1:1/sales",
        "postgresql://canary_reader:{secret}@no-such-host.invalid/sales",
        "postgresql//canary_reader:{secret}@127.0.0.1/sales",
        "postgresql://canary_reader:{secret}@127.0.0.1:port/sales",
        "oracle://canary_reader:{secret}@127.0.0.1/sales",
        "postgresql://127.0.0.1:1/sales?user=canary_reader&password={secret}",
    ],
)
def test_a_connection_that_fails_is_named_without_its_secret(troubled: Product, broken: str) -> None:
    done = troubled.run("doctor", "--verbose", SOURCE_DATABASE_URL=broken.format(secret=CANARY_SECRET))

    assert done.returncode == 2
    assert "source" in done.stdout + done.stderr
    assert CANARY_SECRET not in done.stdout + done.stderr


def test_a_wrong_password_is_named_without_it(troubled: Product) -> None:
    url = with_login(troubled.source, "canary_reader", CANARY_SECRET + "-wrong")

    done = troubled.run("gaps", SOURCE_DATABASE_URL=url)

    assert done.returncode == 2
    assert CANARY_SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_no_canary_is_in_anything_that_the_product_has_written(troubled: Product, receiver: Receiver) -> None:
    places = {
        "what was printed": troubled.output,
        "the ledger, the outbox and Dagster's event log": dump_database(troubled.ledger_url),
        "the audit log in the target": dump_database(troubled.target, schema="reconcile_assets"),
        "alerts": repr(receiver.received),
        **{str(path.relative_to(troubled.folder)): text for path, text in _files(troubled.state)},
    }

    assert {place: [canary for canary in CANARIES if canary in text] for place, text in places.items()} == {
        place: [] for place in places
    }
    assert "no_negative_amount" in places["the ledger, the outbox and Dagster's event log"], "the reason is kept"
    assert any("reports" in place for place in places), "reports were written"
    assert any("compute" in place or "storage" in place for place in places), "compute logs were written"


def test_the_canaries_would_be_found(troubled: Product) -> None:
    """The control: they are in the data, and the driver's own error would have carried one."""
    assert REFUSED in dump_database(troubled.source, schema="sales")
    assert CHANGED in dump_database(troubled.target, schema="warehouse")
    row = "INSERT INTO warehouse.orders VALUES (1, now(), %s, -1)"
    with pytest.raises(psycopg.errors.CheckViolation, match=REFUSED):
        troubled.execute(troubled.target, row, REFUSED)


def _files(folder: Path) -> list[tuple[Path, str]]:
    """Every file below the state folder but the embedded server's own data, whose content is dumped."""
    data = folder / "postgresql" / "data"
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_relative_to(data)]
    return [(path, path.read_bytes().decode("utf-8", errors="replace")) for path in files]
