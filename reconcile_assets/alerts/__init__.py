"""Alerts: which outbox rows become which message, for which destination, and how they get there."""
