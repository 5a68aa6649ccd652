"""The statements of each second migration, frozen as in `ddl_ledger`: what changed, and under which configuration."""

from collections.abc import Mapping

_COLUMNS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "postgresql": (
        ("verdicts", "checksum_form", "TEXT"),
        ("verdicts", "batch_id", "TEXT"),
        ("verdicts", "change", "JSONB"),
        ("verdicts", "unchanged_since", "TIMESTAMP WITH TIME ZONE"),
        ("verdicts", "configuration", "TEXT"),
        ("verdict_state", "checksum_form", "TEXT"),
        ("verdict_state", "batch_id", "TEXT"),
        ("verdict_state", "change", "JSONB"),
        ("verdict_state", "unchanged_since", "TIMESTAMP WITH TIME ZONE"),
        ("verdict_state", "configuration", "TEXT"),
        ("verdict_state", "proof", "JSONB"),
        ("verdict_state", "removed_at", "TIMESTAMP WITH TIME ZONE"),
        ("attempts", "interrupted_at", "TIMESTAMP WITH TIME ZONE"),
        ("audit_chains", "set_aside_from", "TEXT"),
        ("audit_chains", "set_aside_at", "TIMESTAMP WITH TIME ZONE"),
        ("audit_chains", "set_aside_by", "TEXT"),
        ("audit_chains", "set_aside_reason", "TEXT"),
    ),
    "sqlite": (
        ("verdicts", "checksum_form", "TEXT"),
        ("verdicts", "batch_id", "TEXT"),
        ("verdicts", "change", "JSON"),
        ("verdicts", "unchanged_since", "TEXT"),
        ("verdicts", "configuration", "TEXT"),
        ("verdict_state", "checksum_form", "TEXT"),
        ("verdict_state", "batch_id", "TEXT"),
        ("verdict_state", "change", "JSON"),
        ("verdict_state", "unchanged_since", "TEXT"),
        ("verdict_state", "configuration", "TEXT"),
        ("verdict_state", "proof", "JSON"),
        ("verdict_state", "removed_at", "TEXT"),
        ("attempts", "interrupted_at", "TEXT"),
        ("audit_chains", "set_aside_from", "TEXT"),
        ("audit_chains", "set_aside_at", "TEXT"),
        ("audit_chains", "set_aside_by", "TEXT"),
        ("audit_chains", "set_aside_reason", "TEXT"),
    ),
}
_TABLE = {"postgresql": "reconcile_assets.{}", "sqlite": "reconcile_assets_{}"}
_INDEX = {
    "postgresql": """
        CREATE INDEX verdicts_changed
          ON reconcile_assets.verdicts (table_name, recorded_at) WHERE change IS NOT NULL
        """,
    "sqlite": """
        CREATE INDEX reconcile_assets_verdicts_changed
          ON reconcile_assets_verdicts (table_name, recorded_at) WHERE change IS NOT NULL
        """,
}

LEDGER_SECOND: Mapping[str, tuple[str, ...]] = {
    dialect: (
        *(f"ALTER TABLE {_TABLE[dialect].format(table)} ADD COLUMN {name} {kind}" for table, name, kind in columns),
        _INDEX[dialect],
    )
    for dialect, columns in _COLUMNS.items()
}

# A table of its own: DuckDB adds no column to a table with an index, and MySQL no column only where it is missing.
TARGET_SECOND: Mapping[str, tuple[str, ...]] = {
    "postgresql": (
        """
        CREATE TABLE reconcile_assets.batch_forms (
          batch_id TEXT NOT NULL,
          checksum_form TEXT NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
    ),
    "sqlite": (
        """
        CREATE TABLE reconcile_assets_batch_forms (
          batch_id TEXT NOT NULL,
          checksum_form TEXT NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
    ),
    "mysql": (
        """
        CREATE TABLE IF NOT EXISTS reconcile_assets_batch_forms (
          batch_id VARCHAR(36) NOT NULL,
          checksum_form TEXT NOT NULL,
          PRIMARY KEY (batch_id)
        ) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
        """,
    ),
    "duckdb": (
        """
        CREATE TABLE reconcile_assets.batch_forms (
          batch_id TEXT NOT NULL,
          checksum_form TEXT NOT NULL,
          PRIMARY KEY (batch_id)
        )
        """,
    ),
}
