"""Dagster's services as processes that end with their owner."""
