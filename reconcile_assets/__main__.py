"""``python -m reconcile_assets`` is ``reconcile-assets``."""

from reconcile_assets.cli import run

if __name__ == "__main__":
    run()
