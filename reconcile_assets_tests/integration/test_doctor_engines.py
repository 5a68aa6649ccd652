"""`doctor` on MariaDB, SQLite and DuckDB: silent when all is well, one line with the mend for each fault."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest

from reconcile_assets.configuration.models import Config
from reconcile_assets.engine.doctor import diagnose
from reconcile_assets.engine.findings import Finding, Level
from reconcile_assets_tests.conftest import require_service
from reconcile_assets_tests.write_world import MARIADB, Place, Places, create_table

PASSWORD = "c4n4ry-passw0rd"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
TABLE = {
    "name": "t",
    "source_table": "t",
    "target_table": "t",
    "key": ["id"],
    "partition": {"column": "seen", "by": "day", "start": "2024-01-01", "end": "2024-01-06"},
}


@pytest.fixture
def places(tmp_path: Path, postgres_urls: Callable[[str], str]) -> Iterator[Places]:
    require_service("mariadb")
    found = Places(tmp_path, postgres_urls)
    yield found
    found.drop()


def look(folder: Path, source: str, target: str, **table: object) -> list[Finding]:
    config = Config.model_validate({"tables": [{**TABLE, **table}]})
    environ = {"SOURCE_DATABASE_URL": source, "TARGET_DATABASE_URL": target, "DATABASE_URL": f"sqlite:///{folder}/l.db"}
    findings = list(diagnose(config, environ=environ, cwd=folder, now=NOW))
    assert PASSWORD not in "\n".join(f"{each}" for each in findings)
    return [each for each in findings if each.subject.startswith(("connection", "table", "check"))]


def bad(findings: list[Finding], level: Level = Level.FAIL) -> list[str]:
    return [f"{each.subject}: {each.message} -> {each.mend}" for each in findings if each.level is level]


@pytest.mark.parametrize(("source", "target"), [("sqlite", "duckdb"), ("duckdb", "sqlite")])
def test_files_are_named_and_all_is_well(places: Places, tmp_path: Path, source: str, target: str) -> None:
    here, there = places.make(source, "source"), places.make(target, "target")
    for place in (here, there):
        create_table(place, ["id", "seen", "words"])
    findings = look(tmp_path, here.url, there.url)
    assert bad(findings) == bad(findings, Level.WARNING) == []
    said = [each.message for each in findings]
    assert any(f"{'DuckDB' if target == 'duckdb' else 'SQLite'} " in message for message in said)
    assert "schema reconcile_assets can be kept here" in said or "tables reconcile_assets_... can be kept here" in said


def test_a_missing_file_and_one_that_is_no_database_are_told(places: Places, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, but long enough to look like one " * 40)
    findings = bad(look(tmp_path, f"sqlite:///{tmp_path}/missing.db", f"sqlite:///{tmp_path}/text.db"))
    assert any("connection source" in line and "does not exist" in line for line in findings)
    assert any("connection target" in line and "no SQLite database" in line for line in findings)


def test_sqlite_without_an_index_and_with_a_trigger_is_warned_of(places: Places, tmp_path: Path) -> None:
    here, there = places.make("sqlite", "source"), places.make("sqlite", "target")
    create_table(here, ["id", "seen"])
    create_table(there, ["id", "seen"], indexed=False)
    there.run("CREATE TRIGGER watch AFTER INSERT ON t BEGIN SELECT 1; END")
    findings = look(tmp_path, here.url, there.url)
    warnings = bad(findings, Level.WARNING)
    assert any("no index begins with the partition column seen" in line for line in warnings)
    assert any("CREATE INDEX t_seen ON main.t (seen)" in line for line in warnings)
    assert any("the trigger watch runs" in line for line in warnings)
    there.run("CREATE TABLE child (t BIGINT REFERENCES t (id) ON DELETE CASCADE)")
    assert any(
        "rows of child refer to it and go or change" in line for line in bad(look(tmp_path, here.url, there.url))
    )


@pytest.fixture
def mariadb(places: Places) -> Iterator[tuple[Place, Place, str, str]]:
    """A source and a target, and the URLs of a user for each: one that reads, one that writes."""
    here, there = places.make("mysql", "source"), places.make("mysql", "target")
    for place in (here, there):
        create_table(place, ["id", "seen", "words"])
    reader, writer = f"reader_{secrets.token_hex(3)}", f"writer_{secrets.token_hex(3)}"
    names = [place.url.rsplit("/", 1)[1] for place in (here, there)]
    as_root(
        *(f"CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}'" for user in (reader, writer)),
        f"GRANT SELECT ON {names[0]}.* TO {reader}@'%'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, REFERENCES ON {names[1]}.* TO {writer}@'%'",
    )
    urls = [place.url.replace("root@", f"{user}:{PASSWORD}@") for place, user in ((here, reader), (there, writer))]
    yield here, there, urls[0], urls[1]
    as_root(*(f"DROP USER {user}@'%'" for user in (reader, writer)))


def as_root(*statements: str) -> None:
    connection = pymysql.connect(**MARIADB, autocommit=True)
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


Mariadb = tuple[Place, Place, str, str]


@pytest.mark.parametrize("mode", ["replace", "upsert", "append"])
def test_a_reader_and_a_writer_in_mariadb_are_all_well(mariadb: Mariadb, tmp_path: Path, mode: str) -> None:
    findings = look(tmp_path, mariadb[2], mariadb[3], write=mode)
    assert bad(findings) == bad(findings, Level.WARNING) == []
    assert any("MariaDB 1" in each.message and "local" in each.message for each in findings)


def test_a_source_user_that_can_write_fails_in_mariadb(mariadb: Mariadb, tmp_path: Path) -> None:
    name = mariadb[0].url.rsplit("/", 1)[1]
    reader = mariadb[2].partition("//")[2].partition(":")[0]
    as_root(f"GRANT DELETE ON {name}.t TO {reader}@'%'")
    (line,) = bad(look(tmp_path, mariadb[2], mariadb[3]))
    assert f"can write to {name}.t, and a source is only read" in line
    assert "CREATE USER reader" in line


@pytest.mark.parametrize(
    ("revoked", "expected"),
    [
        ("CREATE", "cannot create the tables reconcile_assets_..."),
        ("DELETE", "the role lacks DELETE on"),
        ("INSERT, DELETE", "the role lacks INSERT, DELETE on"),
    ],
)
def test_what_the_writer_lacks_is_named_with_the_grant(
    mariadb: Mariadb, tmp_path: Path, revoked: str, expected: str
) -> None:
    writer = mariadb[3].partition("//")[2].partition(":")[0]
    as_root(f"REVOKE {revoked} ON {mariadb[1].url.rsplit('/', 1)[1]}.* FROM {writer}@'%'")
    lines = bad(look(tmp_path, mariadb[2], mariadb[3]))
    assert any(expected in line and "GRANT" in line for line in lines)


def test_what_gets_in_the_way_in_mariadb_is_told(mariadb: Mariadb, tmp_path: Path) -> None:
    mariadb[1].run(
        "CREATE TABLE child (t BIGINT, FOREIGN KEY (t) REFERENCES t (id))",
        "CREATE TABLE child2 (t BIGINT, FOREIGN KEY (t) REFERENCES t (id) ON DELETE SET NULL)",
        "CREATE TRIGGER watch BEFORE INSERT ON t FOR EACH ROW SET NEW.words = NEW.words",
    )
    findings = look(tmp_path, mariadb[2], mariadb[3])
    assert any("rows of child2 refer to it and go or change" in line for line in bad(findings))
    assert any("rows of child refer to it: a partition" in line for line in bad(findings, Level.WARNING))
    mariadb[1].run("DROP TABLE child, child2", "ALTER TABLE t ENGINE=MyISAM")
    (line,) = bad(look(tmp_path, mariadb[2], mariadb[3]))
    assert "t is of an engine without transactions" in line
    assert "ALTER TABLE t ENGINE=InnoDB" in line


def test_a_key_that_the_target_does_not_keep_unique_fails_an_upsert(mariadb: Mariadb, tmp_path: Path) -> None:
    mariadb[1].run("ALTER TABLE t DROP PRIMARY KEY")
    lines = bad(look(tmp_path, mariadb[2], mariadb[3], write="upsert"))
    assert any("needs a target that keeps the key unique" in line for line in lines)
    assert bad(look(tmp_path, mariadb[2], mariadb[3])) == []


def test_a_url_without_a_database_is_no_place_for_the_audit_log(mariadb: Mariadb, tmp_path: Path) -> None:
    head, _, database = mariadb[3].rpartition("/")
    lines = bad(look(tmp_path, mariadb[2], head, target_table=f"{database}.t"))
    assert any("the URL names no database" in line for line in lines)
