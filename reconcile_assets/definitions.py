"""The code location of this project: the configuration's tables, with runs in one process each.

A process per step would cost seconds for a step that moves a day in tenths of one.
"""

import os
from pathlib import Path

import dagster as dg

from reconcile_assets.components import ReconciledTables
from reconcile_assets.configuration.loading import find_config, load_config

_PROJECT = Path(__file__).parent.parent


@dg.definitions
def defs() -> dg.Definitions:
    """Definitions of the one configuration that RECONCILE_CONFIG names or ``defs/`` holds."""
    config = load_config(find_config(_PROJECT, os.environ), environ=os.environ)
    tables = ReconciledTables(config=config).build_definitions()
    return dg.Definitions.merge(tables, dg.Definitions(executor=dg.in_process_executor))
