"""The pure centre: values in, values out; no driver, clock, environment, log or Dagster."""
