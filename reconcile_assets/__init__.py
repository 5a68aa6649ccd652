"""Move history between databases and prove that nothing was lost."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reconcile_assets.engine.diff import diff

__all__ = ["diff"]


def __getattr__(name: str) -> Any:
    """Load what is public only when it is used, so that importing the package costs nothing."""
    if name == "diff":
        from reconcile_assets.engine.diff import diff

        return diff
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
