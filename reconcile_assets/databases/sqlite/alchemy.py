"""The session's own connection seen through SQLAlchemy, for the ledger's tables."""

from typing import TYPE_CHECKING

from reconcile_assets.databases.sqlite.connection import SessionConnection

if TYPE_CHECKING:
    import sqlalchemy


def wrap_connection(connection: SessionConnection) -> "sqlalchemy.Connection":
    """The same connection and transaction: SQLAlchemy's commit commits what was done beside it too."""
    import sqlalchemy
    from sqlalchemy.pool import StaticPool

    engine = sqlalchemy.create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    connection.held = True  # while it learns about the database it rolls back, which would end our snapshot
    try:
        wrapped = engine.connect()
    finally:
        connection.held = False
    return wrapped
