"""`doctor`: looks at everything that a run will need, and says what to mend before it fails.

Looks only: every session is read-only, nothing is created or migrated.
"""

import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconcile_assets.configuration.environment import (
    PROJECT_DATABASE,
    STATE_FOLDER,
    connection_variable,
    project_database_url,
    state_dir,
)
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.core.windows import Every
from reconcile_assets.databases import open_database
from reconcile_assets.databases.diagnosis import (
    LEDGER_SCHEMA,
    ServerFacts,
    fetch_ledger_obstacle,
    fetch_server_facts,
)
from reconcile_assets.engine.connections import Connections
from reconcile_assets.engine.doctor_tables import diagnose_table
from reconcile_assets.engine.findings import Finding
from reconcile_assets.errors import ReconcileAssetsError
from reconcile_assets.ledger import create_ledger_engine
from reconcile_assets.ledger.connection import LedgerDatabase

MOST_PARTITIONS = 25_000  # above that the UI's pages freeze
LEAST_FREE_BYTES = 500 * 1024 * 1024


def diagnose(
    config: Config,
    *,
    environ: Mapping[str, str],
    cwd: Path,
    now: datetime,
    tables: Sequence[TableConfig] | None = None,
    partition: str | None = None,
) -> Iterator[Finding]:
    """Look at everything, one finding after the other, the cheapest first.

    Args:
        cwd: where the state folder stands by default.
        now: aware.
        tables: only these; None for all.
        partition: the key of the partition that every check is run over; None for the latest of each table.
    """
    chosen = config.tables if tables is None else tuple(tables)
    yield from _diagnose_configuration(config, chosen, now)
    yield from _diagnose_storage(environ, cwd)
    yield from _diagnose_alerts(config, environ)
    yield from _diagnose_project_database(environ)
    with Connections(config, environ) as connections:
        reached: set[str] = set()
        for name in _connections_of(config, chosen):
            answered = yield from _diagnose_connection(config, name, connections, environ)
            if answered:
                reached.add(name)
        for table in chosen:
            yield from diagnose_table(table, connections, reached=reached, now=now, partition=partition)


def _connections_of(config: Config, tables: Sequence[TableConfig]) -> tuple[str, ...]:
    return config.model_copy(update={"tables": tuple(tables)}).connections


def _diagnose_configuration(config: Config, tables: Sequence[TableConfig], now: datetime) -> Iterator[Finding]:
    checks = sum(len(table.checks) for table in tables)
    if tables:
        yield Finding.ok("configuration", f"{len(tables)} tables, {checks} checks")
    else:
        yield Finding.warning("configuration", "no tables", "add one under tables:")
    for field in ("critical_tables", "queue", "health"):
        if getattr(config, field):
            yield Finding.warning(f"configuration {field}", "read, but not active in this version", "nothing to do now")
    for table in tables:
        yield from _diagnose_partitions(table, now)


def _diagnose_partitions(table: TableConfig, now: datetime) -> Iterator[Finding]:
    subject, scheme = f"table {table.name}", table.partition.scheme()
    partitions = scheme.partitions(now)
    if not partitions:
        yield Finding.warning(subject, f"no {scheme.by} of {scheme} has ended yet", "wait, or move partition.start")
        return
    if len(partitions) > MOST_PARTITIONS:
        longer = "day" if scheme.by is Every.HOUR else "month"
        mend = f"partition by {longer}, or move partition.start"
        yield Finding.warning(
            subject, f"{len(partitions)} partitions: the UI's pages freeze above {MOST_PARTITIONS}", mend
        )
    if partitions[0].local_start != scheme.start:
        gap = f"rows from {scheme.start} up to {partitions[0].local_start} are in no partition"
        yield Finding.warning(subject, gap, f"begin partition.start with a whole {scheme.by}")
    last = partitions[-1]
    if scheme.end is not None and last.local_end < scheme.end and last.end < now:
        following = scheme.select(now, start=last.end)
        if not following:
            gap = f"rows from {last.local_end} up to {scheme.end} are in no partition"
            yield Finding.warning(subject, gap, f"end partition.end with a whole {scheme.by}")


def _diagnose_storage(environ: Mapping[str, str], cwd: Path) -> Iterator[Finding]:
    folder = state_dir(environ, cwd)
    existing = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    try:
        tempfile.TemporaryFile(dir=existing).close()  # tried, not asked: root may write where nobody can
    except OSError:
        yield Finding.fail("storage", f"{folder} cannot be written to", f"make it writable, or set {STATE_FOLDER}")
        return
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE_BYTES:
        yield Finding.warning(
            "storage", f"{folder} has {free // 1024**2} MiB left", f"make room, or set {STATE_FOLDER}"
        )
    else:
        yield Finding.ok("storage", f"{folder} can be written to")


def _diagnose_alerts(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    if not config.alerts.destinations:
        yield Finding.warning("alerts", "no destination: a failed check tells nobody", "add one under alerts:")
    for name, destination in config.alerts.destinations.items():
        subject = f"alerts {name}"
        if environ.get(destination.url_env, "").strip():
            yield Finding.ok(subject, f"{destination.url_env} is set")
        else:
            yield Finding.fail(subject, f"{destination.url_env} is not set", "export it or put it into .env")


def _diagnose_project_database(environ: Mapping[str, str]) -> Iterator[Finding]:
    subject = f"ledger {PROJECT_DATABASE}"
    url = project_database_url(environ)
    if url is None:
        yield Finding.ok(subject, "is not set: an embedded PostgreSQL in the state folder keeps verdicts and alerts")
        return
    text = url.get_secret_value()
    try:
        if not text.startswith("sqlite"):
            with open_database(text, name=PROJECT_DATABASE).session() as session:
                facts, obstacle = fetch_server_facts(session), fetch_ledger_obstacle(session)
            yield from _diagnose_server(subject, facts)
            yield from _diagnose_ledger(subject, facts, obstacle)
            return
        database = LedgerDatabase(create_ledger_engine(url, label=PROJECT_DATABASE), label=PROJECT_DATABASE)
        try:
            with database.reading():
                yield Finding.ok(subject, "a SQLite file")
        finally:
            database.close()
    except ReconcileAssetsError as error:
        yield Finding.fail(subject, str(error))


def _diagnose_connection(
    config: Config, name: str, connections: Connections, environ: Mapping[str, str]
) -> Generator[Finding, None, bool]:
    """The findings, and whether the connection answered."""
    subject, variable = f"connection {name}", connection_variable(name)
    if not environ.get(variable, "").strip():
        yield Finding.fail(subject, f"{variable} is not set", "export it or put it into .env")
        return False
    is_target = any(config.target_of(table) == name for table in config.tables)
    is_read = any(
        config.source_of(table) == name or any(check.against == name for check in table.checks)
        for table in config.tables
    )
    try:
        with connections.database(name).session() as session:
            facts = fetch_server_facts(session)
            obstacle = fetch_ledger_obstacle(session) if is_target else None
    except ReconcileAssetsError as error:
        yield Finding.fail(subject, str(error))
        return False
    yield from _diagnose_server(subject, facts)
    if is_target:
        yield from _diagnose_ledger(subject, facts, obstacle)
    if is_read and facts.writable is not None:
        yield Finding.fail(subject, *_writable_source(facts, shared=is_target))
    return True


def _writable_source(facts: ServerFacts, *, shared: bool) -> tuple[str, str]:
    message = f"the role {facts.user} can write to {facts.writable}, and a source is only read"
    reader = "CREATE ROLE reader LOGIN; GRANT pg_read_all_data TO reader"
    if facts.engine != "PostgreSQL":
        reader = f"CREATE USER reader@'%'; GRANT SELECT ON `{facts.database}`.* TO reader@'%'"
    mend = f"connect with a role that has SELECT only: {reader}"
    if shared:
        mend = f"give the source a connection of its own; {mend}"
    return message, mend


def _diagnose_server(subject: str, facts: ServerFacts) -> Iterator[Finding]:
    yield Finding.ok(subject, str(facts))
    if facts.remote and not facts.encrypted:
        message = "a remote server without TLS: rows and the password can be read on the way"
        option = "?sslmode=verify-full" if facts.engine == "PostgreSQL" else "?ssl_mode=VERIFY_IDENTITY"
        yield Finding.fail(subject, message, f"add {option} to the URL, and TLS to the server")


def _diagnose_ledger(subject: str, facts: ServerFacts, obstacle: str | None) -> Iterator[Finding]:
    schema, role = LEDGER_SCHEMA, f'"{facts.user}"'
    place = f"schema {schema}" if facts.keeps_schemas else f"tables {schema}_..."
    if obstacle is None:
        yield Finding.ok(subject, f"{place} can be kept here")
    elif obstacle == "database":
        yield Finding.fail(subject, f"the URL names no database, so the {place} have no place", "add one to the URL")
    elif obstacle in ("file", "folder"):
        message = f"the {obstacle} of {facts.database} can't be written to"
        yield Finding.fail(subject, message, "give this user the permission; a file's journal stands beside it")
    elif obstacle == "create" and not facts.keeps_schemas:
        mend = f"GRANT SELECT, INSERT, UPDATE, CREATE, REFERENCES ON `{facts.database}`.* TO {facts.user}"
        yield Finding.fail(subject, f"the user {facts.user} cannot create the {place}", mend)
    elif obstacle == "create":
        mend = f'GRANT CREATE ON DATABASE "{facts.database}" TO {role}'
        yield Finding.fail(subject, f"the role {facts.user} cannot create the schema {schema}", mend)
    else:
        mend = f"GRANT ALL ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}"
        yield Finding.fail(subject, f"the role {facts.user} cannot write to the schema {schema}", mend)
