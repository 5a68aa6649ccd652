"""Where gaps still look for what every session can count."""

from reconcile_assets.databases.postgresql.figures import count_unpartitioned

__all__ = ["count_unpartitioned"]
