"""SQLAlchemy's engines and connections as sides; views and queries of every engine."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool

from reconcile_assets.core.compare import Comparison
from reconcile_assets.databases import open_database
from reconcile_assets.databases.base import Relation
from reconcile_assets.databases.duckdb.borrowed import BorrowedDuckdb
from reconcile_assets.engine.comparison import compare_tables
from reconcile_assets.engine.diff import diff
from reconcile_assets.errors import ConfigurationError, MissingObject, NotComparable, PermanentError, UnknownEngine
from reconcile_assets_tests.integration.options.engines import ALL, PAIRS, EveryEngine

DRIVERS = {"postgresql": "postgresql+psycopg2", "mysql": "mysql+pymysql", "sqlite": "sqlite"}


@pytest.fixture(scope="module")
def filled(engines: EveryEngine) -> EveryEngine:
    """In both databases of every engine: ``base``, a view ``seen`` of some of it, ``small`` and ``padded``."""
    for engine in ALL:
        for side in (0, 1):
            engines.fill(engine, side, {"id": "BIGINT", "v": "VARCHAR(20)"}, [(1, "a"), (2, None), (3, "A ")])
            engines.run(
                engine,
                side,
                "CREATE TABLE base (id BIGINT NOT NULL, grp BIGINT, v VARCHAR(20))",
                "INSERT INTO base VALUES (1, 1, 'a'), (2, 1, NULL), (3, 1, 'A '), (4, 2, 'other')",
                f"CREATE VIEW seen AS SELECT id, v FROM base WHERE grp < {2 + side}",  # noqa: S608 - a number
            )
    return engines


def engine_of(engines: EveryEngine, engine: str, side: int, **options: Any) -> sa.Engine:
    scheme, _, rest = engines.url(engine, side).partition(":")
    return sa.create_engine(f"{DRIVERS[scheme]}:{rest}", poolclass=sa.NullPool, **options)


@pytest.mark.parametrize("engine", DRIVERS)
def test_a_plain_engine_is_read_as_its_url(filled: EveryEngine, engine: str) -> None:
    source = engine_of(filled, engine, 0)

    found = diff(source, "padded", filled.url(engine, 1), "padded")
    turned = diff(filled.url(engine, 1), "padded", source, "padded")

    assert (found.verdict, turned.verdict) == ("matched", "matched")
    assert not any("SQLAlchemy" in note for note in (*found.notes, *turned.notes))
    if engine != "sqlite":
        assert found.source_cost.rows_read < 200  # sums of buckets: the server has hashed


def test_an_engine_that_sets_its_connections_up_is_read_through_them(filled: EveryEngine) -> None:
    source = engine_of(filled, "postgresql", 0)

    @sa.event.listens_for(source, "connect")
    def set_up(connection: Any, record: object) -> None:
        connection.cursor().execute("SET search_path = hidden")
        connection.commit()

    filled.run("postgresql", 0, "CREATE SCHEMA IF NOT EXISTS hidden", "DROP TABLE IF EXISTS hidden.small")
    filled.run("postgresql", 0, "CREATE TABLE hidden.small (id bigint PRIMARY KEY, v text)")

    found = diff(source, "small", filled.url("postgresql", 1), "small")

    assert (found.source.rows, found.missing_in_source) == (0, 3)
    assert any("row by row through SQLAlchemy (postgresql)" in note for note in found.notes)
    assert diff(source, "public.small", filled.url("postgresql", 1), "small").verdict == "matched"
    made = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2_of(filled.url("postgresql", 0)))
    assert diff(made, "small", filled.url("postgresql", 1), "small").verdict == "matched"


def psycopg2_of(url: str) -> Any:
    import psycopg2

    return psycopg2.connect(url)


def test_the_options_of_an_engine_reach_the_server(filled: EveryEngine) -> None:
    filled.run("postgresql", 0, "CREATE SCHEMA IF NOT EXISTS other", "DROP TABLE IF EXISTS other.small")
    filled.run("postgresql", 0, "CREATE TABLE other.small (id bigint PRIMARY KEY, v text)")
    source = engine_of(filled, "postgresql", 0, connect_args={"options": "-c search_path=other"})

    found = diff(source, "small", filled.url("postgresql", 1), "small")

    assert (found.source.rows, found.missing_in_source) == (0, 3)
    assert not any("SQLAlchemy" in note for note in found.notes)


@pytest.mark.parametrize("pool", [None, StaticPool])
def test_a_sqlite_database_in_memory_is_read_through_its_own_connection(
    filled: EveryEngine, pool: type[sa.Pool] | None
) -> None:
    engine = sa.create_engine("sqlite://", **({} if pool is None else {"poolclass": pool}))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE small (id INTEGER PRIMARY KEY, v TEXT)"))
        connection.execute(sa.text("INSERT INTO small VALUES (1, 'a'), (2, NULL), (3, 'A ')"))

    found = diff(engine, "small", filled.url("postgresql", 0), "small")

    assert (found.verdict, found.source_name) == ("matched", "small (sqlite, in memory)")
    with engine.connect() as connection:
        connection.execute(sa.text("UPDATE small SET v = 'b' WHERE id = 1"))
        assert diff(filled.url("mysql", 0), "small", connection, "small").value_differs == 1
        assert connection.in_transaction()
        connection.rollback()
        assert diff(filled.url("mysql", 0), "small", connection, "small").verdict == "matched"
    with pytest.raises(MissingObject, match="there is no table smal; did you mean small"):
        diff(engine, "smal", engine, "small")
    with pytest.raises(MissingObject, match="there is no table t"):
        diff(sa.create_engine("sqlite://"), "t", engine, "small")


def test_a_sqlite_file_is_never_made_nor_read_in_the_middle_of_a_transaction(tmp_path: Path) -> None:
    missing = sa.create_engine(f"sqlite:///{tmp_path}/missing.db")

    with pytest.raises(MissingObject, match="does not exist"):
        diff(missing, "t", missing, "t")

    assert list(tmp_path.iterdir()) == []
    engine = sa.create_engine(f"sqlite:///{tmp_path}/some.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (id INTEGER PRIMARY KEY)"))
    with engine.connect() as connection:
        assert diff(connection, "t", engine, "t").verdict == "matched"
        connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        with pytest.raises(NotComparable, match="has a transaction open"):
            diff(connection, "t", engine, "t")
    with pytest.raises(ConfigurationError, match="connection is closed"):
        diff(connection, "t", engine, "t")


def test_a_duckdb_connection_of_this_process_is_read_beside_its_own_work() -> None:
    from contextlib import nullcontext

    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'Asia/Tokyo'")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, moment TIMESTAMPTZ)")
    connection.execute("INSERT INTO t VALUES (1, '2024-01-01 09:00:00+09')")
    borrowed = BorrowedDuckdb(lambda: nullcontext(connection), name="source", place="in memory")

    with borrowed.session() as session, borrowed.session() as other:
        table = Relation(open_table("t"))
        found = compare_tables(session, other, source_relation=table, target_relation=table, key=["id"])[None]
        texts = [batch for batch in session.read_rows(table, session.describe(table).columns) if batch]
    with pytest.raises(UnknownEngine, match="not written to"), borrowed.session(read_only=False):
        pass

    assert found.verdict == "matched"
    assert texts[0][0][1] == "2024-01-01 00:00:00+00"
    assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("Asia/Tokyo",)


def open_table(name: str) -> Any:
    from reconcile_assets.core.tables import TableName

    return TableName(None, name)


@pytest.mark.parametrize("engine", ALL)
def test_a_view_is_compared_like_a_table(filled: EveryEngine, engine: str) -> None:
    for other in ALL:
        found = filled.diff(engine, other, "seen", "small", key=["id"])
        assert (found.verdict, found.source.rows) == ("matched", 3), other
        wider = filled.diff(engine, other, "small", "seen")
        assert (wider.verdict, wider.missing_in_source, wider.value_differs) == ("mismatched", 1, 0), other
    assert filled.diff(engine, engine, "seen", "seen", key=["id"], where="id <> 4").verdict == "matched"
    assert filled.diff(engine, engine, "seen", "seen", keyless=True).missing_in_source == 1
    with pytest.raises(NotComparable, match="name the key"):
        filled.diff(engine, engine, "seen", "seen")


def compare_queries(filled: EveryEngine, source: str, target: str, *queries: str) -> Comparison:
    databases = [
        open_database(filled.url(engine, side), name=name)
        for engine, side, name in ((source, 0, "source"), (target, 1, "target"))
    ]
    relations = [Relation(query=query) for query in queries]
    with databases[0].session() as first, databases[1].session() as second:
        found = compare_tables(first, second, source_relation=relations[0], target_relation=relations[1], key=["id"])
    return found[None]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_query_is_compared_like_a_table(filled: EveryEngine, source: str, target: str) -> None:
    query = "SELECT id, v FROM base WHERE grp = 1 -- some"

    assert compare_queries(filled, source, target, query, "SELECT id, v FROM seen WHERE id < 4;").verdict == "matched"
    changed = "SELECT id, CASE WHEN id = 1 THEN 'b' ELSE v END AS v FROM small"
    found = compare_queries(filled, source, target, query, changed)
    assert (found.value_differs, found.missing_in_target, found.missing_in_source) == (1, 0, 0)


def test_a_query_through_sqlalchemy_is_what_its_values_are(filled: EveryEngine, only_sqlalchemy: None) -> None:
    from reconcile_assets.databases.sqlalchemy_dialect.database import AlchemyDatabase

    for engine in DRIVERS:
        database = AlchemyDatabase(engine_of(filled, engine, 0), name="source")
        query = Relation(query="SELECT id, v, '100%' AS w FROM base WHERE v LIKE '%' OR v IS NULL;")
        with database.session() as session:
            table = session.describe(query)
            kinds = {column.name: column.type.kind.value for column in table.columns}
            assert kinds == {"id": "integer", "v": "text", "w": "text"}
            texts = [row for batch in session.read_rows(query, table.columns) for row in batch]
            assert sorted(texts)[1:3] == [("2", None, "100%"), ("3", "A ", "100%")]
            twice = Relation(query="SELECT id, id FROM base")
            if engine != "sqlite":  # which calls the second one id:1
                why = "refuses" if engine == "mysql" else "two columns named id"
                with pytest.raises(PermanentError, match=why):
                    session.describe(twice)


def test_the_example_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled: EveryEngine) -> None:
    page = (Path(__file__).parents[3] / "docs" / "comparison.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    with psycopg.connect(filled.url("postgresql", 0), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS ops; DROP TABLE IF EXISTS ops.fares")
        connection.execute("CREATE TABLE ops.fares (fare_id int PRIMARY KEY, amount numeric(12,2), passenger text)")
        connection.execute("INSERT INTO ops.fares VALUES (1, 10.50, 'Ann'), (2, 20.00, 'Bo'), (3, NULL, 'Cy')")
    pd.DataFrame({"fare_id": [1, 2, 3], "amount": ["10.50", "20.01", None], "passenger": ["Ann", "Bo", "Cy"]}).to_csv(
        "fares.csv", index=False
    )
    monkeypatch.setenv("SOURCE_DATABASE_URL", filled.url("postgresql", 0))
    names: dict[str, Any] = {}

    exec(compile(example, "comparison.md", "exec"), names)  # noqa: S102 - the page's own example

    assert names["found"].verdict == "mismatched"
    assert names["found"].differences()["fare_id"].tolist() == [2]
    assert (tmp_path / "fares.html").read_text(encoding="utf-8").startswith("<!")
