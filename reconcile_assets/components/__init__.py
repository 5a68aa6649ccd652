"""The components that a Dagster project can name in its YAML."""

from reconcile_assets.components.reconciled_tables import ReconciledTables

__all__ = ["ReconciledTables"]
