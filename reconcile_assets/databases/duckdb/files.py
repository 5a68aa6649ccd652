"""Files and queries in a table's place: DuckDB reads Parquet and CSV as they are."""

import re
from pathlib import Path

from reconcile_assets.databases.quoting import quote_text
from reconcile_assets.errors import MissingObject

_QUERY = re.compile(r"\s*(?:select|with|from|values|\()\s", re.IGNORECASE)
_PARQUET = re.compile(r"\.(?:parquet|parq|pq)$", re.IGNORECASE)
_CSV = re.compile(r"\.(?:csv|tsv|txt)(?:\.gz|\.zst)?$", re.IGNORECASE)

# Nothing is guessed that could be guessed wrong: a number with a point (DOUBLE would round it), a day that may be a
# month, a moment. They stay text until a query names their types. A quoted empty field is text, an empty one is NULL.
_CSV_OPTIONS = (
    "auto_type_candidates = ['BOOLEAN', 'BIGINT', 'DATE', 'VARCHAR'], dateformat = '%Y-%m-%d',"
    " allow_quoted_nulls = false, sample_size = -1"
)


def file_query(text: str) -> str | None:
    """The query that a text in a table's place stands for; None for a table's name.

    Raises:
        MissingObject: it names a file that is not there.
    """
    if _QUERY.match(text):
        return text
    if text.startswith('"') or not (_PARQUET.search(text) or _CSV.search(text)):
        return None
    if "://" not in text and not any(mark in text for mark in "*?[") and not Path(text).is_file():
        raise MissingObject(f"the file {text} does not exist; a table of this name is written in double quotes")
    if _PARQUET.search(text):
        return "".join(("SELECT * FROM read_parquet(", quote_text(text), ")"))
    return "".join(("SELECT * FROM read_csv(", quote_text(text), ", ", _CSV_OPTIONS, ")"))
