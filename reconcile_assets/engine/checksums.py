"""What the checksums of a comparison are of, so that those of two moments are compared only when they are alike."""

from reconcile_assets.core.changes import PORTABLE, ChecksumScope
from reconcile_assets.databases.base import Relation, RowsetQuery, Session


def checksum_scope(source: Session, target: Session, queries: tuple[RowsetQuery, RowsetQuery]) -> ChecksumScope:
    """The scope of what these two queries sum up."""
    reading, writing = queries
    columns = None
    if reading.partitions is not None and writing.partitions is not None:
        columns = reading.partitions.column, writing.partitions.column
    return ChecksumScope(
        family=source.hash_family if reading.fast and writing.fast else PORTABLE,
        source=_describe(source, reading.relation),
        target=_describe(target, writing.relation),
        columns=(*reading.key, *reading.columns),
        target_columns=(*writing.key, *writing.columns),
        keys=len(reading.key),
        partition_columns=columns,
    )


def _describe(session: Session, relation: Relation) -> str:
    text = relation.query if relation.table is None else str(relation.table)
    return f"{session.name}: {text}" if relation.where is None else f"{session.name}: {text} WHERE {relation.where}"
