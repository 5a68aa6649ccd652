"""Backfill, gaps and reconciliation: orchestration without an orchestrator; never imports Dagster."""
