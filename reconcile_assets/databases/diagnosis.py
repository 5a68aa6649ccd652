"""What `doctor` asks a database: who we are there, what we may do, and what would get in the way of a write."""

import ipaddress
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconcile_assets.core.tables import TableName
from reconcile_assets.databases.base import Session

LEDGER_SCHEMA = "reconcile_assets"


@dataclass(frozen=True)
class ServerFacts:
    """Who we are in a database.

    Attributes:
        version: the server's or the library's, e.g. ``15.20``.
        user: empty where there are no users.
        remote: it is reached over a network, by neither a socket nor loopback.
        encrypted: the connection is under TLS.
        writable: a table that the role could write to, ``"any table"`` for a superuser; None where it can't write, or
            where it is opened read-only by ourselves.
        engine: as people call it.
        keeps_schemas: the ledger's tables stand in a schema, else behind a prefix.
    """

    version: str
    user: str
    database: str
    remote: bool
    encrypted: bool
    writable: str | None
    engine: str = "PostgreSQL"
    keeps_schemas: bool = True

    def __str__(self) -> str:
        guarded = "TLS" if self.encrypted else "without TLS"
        where = guarded if self.remote or self.encrypted else "local"
        role = f", role {self.user}" if self.user else ""
        return f"{self.engine} {self.version}, database {self.database}{role}, {where}"


class Diagnosis(ABC):
    """An engine's answers, each from a read-only session; the defaults are those of an engine that can't be asked."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @abstractmethod
    def facts(self) -> ServerFacts:
        """Look at the database and at our role there."""

    def missing_privileges(self, table: TableName, wanted: Sequence[str]) -> tuple[str, ...]:
        """Which of these table privileges our role lacks, e.g. ``("DELETE",)``."""
        return ()

    def ledger_obstacle(self) -> str | None:
        """What keeps our role from keeping batches and audit entries here; None without one.

        ``create``, ``usage`` or ``tables`` where a privilege is missing, ``database`` where the URL names none,
        ``file`` or ``folder`` where it can't be written to.
        """
        return None

    def write_obstacles(self, table: TableName) -> tuple[tuple[str, str], ...]:
        """What would change, hide or hold rows behind our back when a partition is replaced.

        Returns:
            Kind and name: ``("cascade", referencing table)``, ``("reference", referencing table)``,
            ``("trigger", its name)``, ``("row security", the table)``, ``("engine", the table)``.
        """
        return ()


class PlainDiagnosis(Diagnosis):
    """Of an engine of which no more is known."""

    def facts(self) -> ServerFacts:
        """See :meth:`Diagnosis.facts`."""
        return ServerFacts("", "", self.session.name, False, False, None, engine=self.session.engine)


class FileDiagnosis(Diagnosis):
    """Of a file.

    Args:
        path: of the database.
        engine, version: as people call them.
    """

    def __init__(self, session: Session, path: str, *, engine: str, version: str, keeps_schemas: bool) -> None:
        super().__init__(session)
        self._path = Path(path)
        self._facts = ServerFacts(
            version, "", self._path.name, False, False, None, engine=engine, keeps_schemas=keeps_schemas
        )

    def facts(self) -> ServerFacts:
        """See :meth:`Diagnosis.facts`; a source is opened read-only, so whether it could be written does not matter."""
        return self._facts

    def ledger_obstacle(self) -> str | None:
        """See :meth:`Diagnosis.ledger_obstacle`."""
        if not os.access(self._path, os.W_OK):
            return "file"
        return None if os.access(self._path.resolve().parent, os.W_OK) else "folder"


def is_remote(host: str, address: str) -> bool:
    """Whether a server is reached over a network, where others can listen.

    Args:
        host: as the connection names it; a path is a Unix socket.
        address: the numeric address, where the driver knows it.
    """
    if host.startswith(("/", "@")) or not (host or address):
        return False
    try:
        return not ipaddress.ip_address((address or host).split("%", 1)[0]).is_loopback
    except ValueError:
        return host != "localhost"


def fetch_server_facts(session: Session) -> ServerFacts:
    """See :meth:`Diagnosis.facts`."""
    return session.diagnosis().facts()


def fetch_ledger_obstacle(session: Session) -> str | None:
    """See :meth:`Diagnosis.ledger_obstacle`."""
    return session.diagnosis().ledger_obstacle()
