"""Move history between databases and prove that nothing was lost."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconcile_assets.assets import build_backfill_assets
    from reconcile_assets.checks import build_reconciliation_checks
    from reconcile_assets.components import ReconciledTables
    from reconcile_assets.configuration.loading import load_config
    from reconcile_assets.core.compare import Comparison
    from reconcile_assets.engine.diff import diff
    from reconcile_assets.errors import ReconcileAssetsError
    from reconcile_assets.resources import ReconcileResource
    from reconcile_assets.schedules import build_reconciliation_schedules
    from reconcile_assets.sensors import build_alert_sensor
    from reconcile_assets.translator import ReconcileTranslator

__all__ = [
    "Comparison",
    "ReconcileAssetsError",
    "ReconcileResource",
    "ReconcileTranslator",
    "ReconciledTables",
    "build_alert_sensor",
    "build_backfill_assets",
    "build_reconciliation_checks",
    "build_reconciliation_schedules",
    "diff",
    "load_config",
]

_HOMES = {
    "Comparison": "core.compare",
    "ReconcileAssetsError": "errors",
    "ReconcileResource": "resources",
    "ReconcileTranslator": "translator",
    "ReconciledTables": "components",
    "build_alert_sensor": "sensors",
    "build_backfill_assets": "assets",
    "build_reconciliation_checks": "checks",
    "build_reconciliation_schedules": "schedules",
    "diff": "engine.diff",
    "load_config": "configuration.loading",
}


def __getattr__(name: str) -> Any:
    """Load what is public only when it is used, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
