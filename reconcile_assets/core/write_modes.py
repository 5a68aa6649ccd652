"""The three ways in which a partition of the target is written."""

from enum import StrEnum


class WriteMode(StrEnum):
    """What becomes of the target's rows of a partition.

    Attributes:
        REPLACE: they are deleted, then the source's rows are inserted: deletions in the source are honoured.
        UPSERT: the source's rows are inserted, or take the place of the rows with their key; others stay.
        APPEND: the source's rows whose key the target does not have are inserted; no row is changed or deleted.
    """

    REPLACE = "replace"
    UPSERT = "upsert"
    APPEND = "append"
