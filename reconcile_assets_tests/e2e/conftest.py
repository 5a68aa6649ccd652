"""The running product, once for each file of tests, and a browser."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reconcile_assets_tests.conftest import Databases, find_chromium, require_service
from reconcile_assets_tests.e2e.product import SOURCE, TARGET, Product, with_login
from reconcile_assets_tests.integration.alerts.conftest import Receiver

if TYPE_CHECKING:
    from playwright.sync_api import Page

CANARY_SECRET = "canary-Secr3t-9f41"
GRANTS = """
CREATE ROLE {reader} LOGIN PASSWORD '{password}';
GRANT USAGE ON SCHEMA sales TO {reader};
GRANT SELECT ON ALL TABLES IN SCHEMA sales TO {reader};
"""
BROWSER_FLAGS = [
    "--headless",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """A local HTTP server that alerts go to."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def product(postgres_server: str, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """``reconcile-assets dev`` over a source with 20 days of 50 orders and an empty target."""
    databases = Databases(postgres_server)
    source, target = databases("sales"), databases("warehouse")
    reader = f"reader_{secrets.token_hex(4)}"
    product = Product(
        tmp_path_factory.mktemp("a project"),  # with a space, as folders have
        source=source,
        target=target,
        product_source=with_login(source, reader, CANARY_SECRET),
        alert_url=receiver.url,
    )
    product.execute(source, SOURCE)
    product.execute(target, TARGET)
    product.execute(source, GRANTS.format(reader=reader, password=CANARY_SECRET))
    try:
        product.start()
        yield product
    finally:
        if product.process.poll() is None:
            product.stop()
        product.execute(source, f"DROP OWNED BY {reader}; DROP ROLE {reader}")
        databases.drop()


@pytest.fixture
def page(product: Product, tmp_path: Path) -> "Iterator[Page]":
    """A page of Debian's Chromium, with a profile of its own."""
    require_service("browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=find_chromium(),
            args=BROWSER_FLAGS,
            base_url=product.url,
            viewport={"width": 1400, "height": 900},
        )
        context.set_default_timeout(30_000)
        yield context.pages[0]
        context.close()
