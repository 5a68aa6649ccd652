import pytest

from reconcile_assets.core.tables import Column, ColumnType, Table, TableName, TypeKind


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("t", None, "t"),
        ("s.t", "s", "t"),
        ("main.we.ird", "main", "we.ird"),
        ('"a.b".t', "a.b", "t"),
        ('"a""b"', None, 'a"b'),
        ('"a""b"."c.d"', 'a"b', "c.d"),
        ('s."T"', "s", "T"),
        ('"open', None, '"open'),
        ('"a"b', None, '"a"b'),
        ('a"b', None, 'a"b'),
    ],
)
def test_a_name_is_literal_after_the_first_dot_unless_it_is_quoted(text: str, schema: str | None, name: str) -> None:
    assert TableName.parse(text) == TableName(schema, name)


@pytest.mark.parametrize("text", ["", ".", "a.", ".b", '""', 'a.""'])
def test_an_empty_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a table is NAME or"):
        TableName.parse(text)


def test_a_name_is_shown_with_its_schema() -> None:
    assert (str(TableName(None, "t")), str(TableName("s", "t"))) == ("t", "s.t")


def test_a_table_knows_its_columns_by_exact_name() -> None:
    table = Table(TableName(None, "t"), tuple(Column(name, ColumnType(TypeKind.TEXT, "text")) for name in "abc"))
    assert table.column("b").name == "b"
    assert [column.name for column in table.with_columns(("c", "a")).columns] == ["c", "a"]
    with pytest.raises(KeyError):
        table.column("B")
