"""The configuration: YAML and environment, read and validated without Dagster and without a database."""
