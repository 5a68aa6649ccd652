"""The statements that made the tables which live in each target, frozen as in `ddl_ledger`."""

from collections.abc import Mapping

TARGET_FIRST: Mapping[str, tuple[str, ...]] = {
    "postgresql": (
        """
        CREATE TABLE reconcile_assets.batches (
          batch_id TEXT NOT NULL,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          actor TEXT NOT NULL,
          reason TEXT,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          started_at TIMESTAMP WITH TIME ZONE NOT NULL,
          recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
        "CREATE INDEX batches_by_partition ON reconcile_assets.batches (table_name, partition, recorded_at)",
        """
        CREATE TABLE reconcile_assets.audit_chain (
          one INTEGER NOT NULL CHECK (one = 1),
          chain_id TEXT NOT NULL,
          seq BIGINT NOT NULL,
          hash TEXT NOT NULL,
          created_at TIMESTAMP WITH TIME ZONE NOT NULL,
          PRIMARY KEY (one)
        )
        """,
        """
        CREATE TABLE reconcile_assets.audit_entries (
          seq BIGINT NOT NULL,
          batch_id TEXT NOT NULL,
          chain_id TEXT NOT NULL,
          prev_hash TEXT NOT NULL,
          hash TEXT NOT NULL,
          recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
          action TEXT NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          PRIMARY KEY (seq),
          UNIQUE (batch_id),
          FOREIGN KEY(batch_id) REFERENCES reconcile_assets.batches (batch_id)
        )
        """,
    ),
    "sqlite": (
        """
        CREATE TABLE reconcile_assets_batches (
          batch_id TEXT NOT NULL,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          actor TEXT NOT NULL,
          reason TEXT,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          started_at TEXT NOT NULL,
          recorded_at TEXT NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
        """
        CREATE INDEX reconcile_assets_batches_by_partition
          ON reconcile_assets_batches (table_name, partition, recorded_at)
        """,
        """
        CREATE TABLE reconcile_assets_audit_chain (
          one INTEGER NOT NULL CHECK (one = 1),
          chain_id TEXT NOT NULL,
          seq BIGINT NOT NULL,
          hash TEXT NOT NULL,
          created_at TEXT NOT NULL,
          PRIMARY KEY (one)
        )
        """,
        """
        CREATE TABLE reconcile_assets_audit_entries (
          seq BIGINT NOT NULL,
          batch_id TEXT NOT NULL,
          chain_id TEXT NOT NULL,
          prev_hash TEXT NOT NULL,
          hash TEXT NOT NULL,
          recorded_at TEXT NOT NULL,
          action TEXT NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          PRIMARY KEY (seq),
          UNIQUE (batch_id),
          FOREIGN KEY(batch_id) REFERENCES reconcile_assets_batches (batch_id)
        )
        """,
    ),
    # A table's name and a partition's key are looked up by an index, so they are of bounded length; nothing is cut:
    # the connection's strict mode refuses what is longer. CREATE commits by itself: a step may be found half done.
    "mysql": (
        """
        CREATE TABLE IF NOT EXISTS reconcile_assets_batches (
          batch_id VARCHAR(36) NOT NULL,
          table_name VARCHAR(255) NOT NULL,
          target_table TEXT NOT NULL,
          `partition` VARCHAR(64) NOT NULL,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          actor TEXT NOT NULL,
          reason TEXT,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          started_at DATETIME(6) NOT NULL,
          recorded_at DATETIME(6) NOT NULL,
          PRIMARY KEY (batch_id),
          KEY reconcile_assets_batches_by_partition (table_name, `partition`, recorded_at)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS reconcile_assets_audit_chain (
          one INTEGER NOT NULL CHECK (one = 1),
          chain_id VARCHAR(36) NOT NULL,
          seq BIGINT NOT NULL,
          hash VARCHAR(64) NOT NULL,
          created_at DATETIME(6) NOT NULL,
          PRIMARY KEY (one)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
        """
        CREATE TABLE IF NOT EXISTS reconcile_assets_audit_entries (
          seq BIGINT NOT NULL,
          batch_id VARCHAR(36) NOT NULL,
          chain_id VARCHAR(36) NOT NULL,
          prev_hash VARCHAR(64) NOT NULL,
          hash VARCHAR(64) NOT NULL,
          recorded_at DATETIME(6) NOT NULL,
          action TEXT NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          table_name VARCHAR(255) NOT NULL,
          target_table TEXT NOT NULL,
          `partition` VARCHAR(64) NOT NULL,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          PRIMARY KEY (seq),
          UNIQUE (batch_id),
          FOREIGN KEY (batch_id) REFERENCES reconcile_assets_batches (batch_id)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ),
    # Instants are UTC without a zone: to read one with a zone the driver needs a library more.
    "duckdb": (
        """
        CREATE TABLE reconcile_assets.batches (
          batch_id TEXT NOT NULL,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          actor TEXT NOT NULL,
          reason TEXT,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          started_at TIMESTAMP NOT NULL,
          recorded_at TIMESTAMP NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
        "CREATE INDEX batches_by_partition ON reconcile_assets.batches (table_name, partition, recorded_at)",
        """
        CREATE TABLE reconcile_assets.audit_chain (
          one INTEGER NOT NULL CHECK (one = 1),
          chain_id TEXT NOT NULL,
          seq BIGINT NOT NULL,
          hash TEXT NOT NULL,
          created_at TIMESTAMP NOT NULL,
          PRIMARY KEY (one)
        )
        """,
        """
        CREATE TABLE reconcile_assets.audit_entries (
          seq BIGINT NOT NULL,
          batch_id TEXT NOT NULL,
          chain_id TEXT NOT NULL,
          prev_hash TEXT NOT NULL,
          hash TEXT NOT NULL,
          recorded_at TIMESTAMP NOT NULL,
          action TEXT NOT NULL,
          actor TEXT NOT NULL,
          reason TEXT,
          run_id TEXT NOT NULL,
          backfill_id TEXT,
          table_name TEXT NOT NULL,
          target_table TEXT NOT NULL,
          partition TEXT NOT NULL,
          rows_read BIGINT NOT NULL,
          rows_deleted BIGINT NOT NULL,
          rows_inserted BIGINT NOT NULL,
          source_checksum TEXT,
          target_checksum TEXT,
          attempts INTEGER NOT NULL,
          PRIMARY KEY (seq),
          UNIQUE (batch_id),
          FOREIGN KEY(batch_id) REFERENCES reconcile_assets.batches (batch_id)
        )
        """,
    ),
}
