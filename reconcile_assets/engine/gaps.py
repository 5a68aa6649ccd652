"""Gaps, found by comparing the two databases: one grouped scan a side, whatever the number of partitions."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from reconcile_assets.configuration.models import TableConfig
from reconcile_assets.core.compare import Checksum
from reconcile_assets.core.gaps import GapKind, GapReport, PartitionState, SideState, classify_partition
from reconcile_assets.core.verdicts import Verdict
from reconcile_assets.core.windows import Partition
from reconcile_assets.databases.base import PartitionFilter, Session
from reconcile_assets.engine.comparison import pair_forms
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.tables import ResolvedTable, resolve_table

__all__ = ["GapKind", "GapReport", "PartitionState", "find_gaps"]
