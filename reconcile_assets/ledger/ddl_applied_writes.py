"""The statements that made the table of queued writes that a target has, frozen as in `ddl_ledger`."""

from collections.abc import Mapping

TARGET_THIRD: Mapping[str, tuple[str, ...]] = {
    "postgresql": (
        """
        CREATE TABLE reconcile_assets.applied_writes (
          idempotency_key TEXT NOT NULL,
          applied_at TIMESTAMP WITH TIME ZONE NOT NULL,
          PRIMARY KEY (idempotency_key)
        )
        """,
    ),
    "sqlite": (
        """
        CREATE TABLE reconcile_assets_applied_writes (
          idempotency_key TEXT NOT NULL,
          applied_at TEXT NOT NULL,
          PRIMARY KEY (idempotency_key)
        )
        """,
    ),
    "mysql": (
        """
        CREATE TABLE IF NOT EXISTS reconcile_assets_applied_writes (
          idempotency_key VARCHAR(255) NOT NULL,
          applied_at DATETIME(6) NOT NULL,
          PRIMARY KEY (idempotency_key)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ),
    "duckdb": (
        """
        CREATE TABLE reconcile_assets.applied_writes (
          idempotency_key TEXT NOT NULL,
          applied_at TIMESTAMP NOT NULL,
          PRIMARY KEY (idempotency_key)
        )
        """,
    ),
}
