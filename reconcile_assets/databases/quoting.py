"""Names and literals of standard SQL, for the engines whose statements are made as text."""

from collections.abc import Iterable

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.base import Relation


def quote_name(name: str) -> str:
    """A name in double quotes."""
    return "".join(('"', name.replace('"', '""'), '"'))


def quote_text(text: str) -> str:
    """A literal in single quotes."""
    return "".join(("'", text.replace("'", "''"), "'"))


def select_from(items: Iterable[str], source: str) -> str:
    """A SELECT of these expressions."""
    return " ".join(("SELECT", ", ".join(items), "FROM", source))


def source_of(relation: Relation, table: TableName | None) -> str:
    """A relation as it stands after FROM, with its condition.

    Args:
        table: the table as the catalog names it; None for a query.
    """
    if relation.query is not None:
        body = "".join(("(\n", without_end(relation.query), "\n) AS q"))
    else:
        named = table or relation.table
        if named is None:
            raise ValueError("a relation without a table or a query")
        parts = (named.name,) if named.schema is None else (named.schema, named.name)
        body = ".".join(quote_name(part) for part in parts)
    if relation.where is None:
        return body
    return "".join(("(", select_from(("*",), body), " WHERE (\n", relation.where, "\n)) AS w"))


def without_end(query: str) -> str:
    """A query without the semicolon at its end."""
    return query.strip().removesuffix(";")
