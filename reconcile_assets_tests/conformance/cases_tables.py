"""Cases of columns: 25."""

from typing import Any

from reconcile_assets_tests.conformance.cases import (
    ID,
    MATCHED,
    MISMATCHED,
    TEXT,
    Case,
    Column,
    Content,
    Expected,
    by,
)

INT = by("int", "int", "INT", "INT")


def wide(count: int, changed: int | None) -> Content:
    """A row of many columns; one is not its number."""
    columns = [Column(f"c{at}", INT, str(at)) for at in range(1, count + 1)]
    values = [str(-1 if at == changed else at) for at in range(1, count + 1)]
    return Content((ID, *columns), (("1", *values),))


def table(*columns: tuple[str, str], key: str = "id", order: tuple[int, ...] | None = None) -> Content:
    """One row of named texts."""
    found = [Column(key, ID.types, "{g}"), *(Column(name, TEXT, "'pad'") for name, _ in columns)]
    row = ["1", *(f"'{value}'" for _, value in columns)]
    places = order or tuple(range(len(found)))
    return Content(tuple(found[at] for at in places), (tuple(row[at] for at in places),), (key,))


def named(name: str, shown: str | None = None, **options: Any) -> list[Case]:
    """A column of a name, with an equal and another value."""
    return [
        Case(25, f"a column named {shown or name}", table((name, "x")), table((name, "x")), Expected(MATCHED), options),
        Case(
            25,
            f"a column named {shown or name} differs",
            table((name, "x")),
            table((name, "y")),
            Expected(MISMATCHED, value_differs=1, differs={name: 1}),
            options,
        ),
    ]


NAMES = (
    "order",
    'a"b',
    "a b",
    "%s",
    "a`b",
    "a.b",
    "a'b",
    "%(x)s",
    "{x}",
    "a:b",
    "ключ",
    "a\\b",
    "select",
    "?",
    "--x",
    "ß",
)

CASES = [
    Case(25, "150 columns, equal", wide(150, None), wide(150, None), Expected(MATCHED)),
    *(
        Case(
            25,
            f"150 columns, column {at} differs",
            wide(150, None),
            wide(150, at),
            Expected(MISMATCHED, value_differs=1, differs={f"c{at}": 1}),
        )
        for at in (1, 100, 101, 150)
    ),
    Case(
        25,
        "columns in another order",
        table(("a", "x"), ("b", "y")),
        table(("a", "x"), ("b", "y"), order=(2, 0, 1)),
        Expected(MATCHED),
    ),
    Case(
        25,
        "columns in another order, their values exchanged",
        table(("a", "x"), ("b", "y")),
        table(("a", "y"), ("b", "x"), order=(2, 0, 1)),
        Expected(MISMATCHED, value_differs=1, differs={"a": 1, "b": 1}),
    ),
    Case(25, "one more column in the target", table(("a", "x")), table(("a", "x"), ("b", "y")), Expected(MATCHED)),
    Case(
        25,
        "one more column, and a difference",
        table(("a", "x")),
        table(("a", "z"), ("b", "y")),
        Expected(MISMATCHED, value_differs=1, differs={"a": 1}),
    ),
    Case(25, "Id and id", table(("Id2", "x"), key="Id"), table(("id2", "x"), key="id"), Expected(MATCHED)),
    Case(
        25,
        "Name and name differ",
        table(("Name", "x")),
        table(("name", "y")),
        Expected(MISMATCHED, value_differs=1, differs={"Name": 1}),
    ),
    Case(
        25,
        "a key named order",
        table(("a", "x"), key="order"),
        table(("a", "y"), key="order"),
        Expected(MISMATCHED, value_differs=1, differs={"a": 1}),
    ),
    Case(25, "a renamed column", table(("a", "x")), table(("b", "x")), Expected(MATCHED), {"columns": ["a:b"]}),
    Case(
        25,
        "a renamed column differs",
        table(("a", "x")),
        table(("b", "y")),
        Expected(MISMATCHED, value_differs=1, differs={"a": 1}),
        {"columns": ["a:b"]},
    ),
    Case(
        25,
        "a column that is left out differs",
        table(("a", "x"), ("b", "1")),
        table(("a", "x"), ("b", "2")),
        Expected(MATCHED),
        {"exclude": ["b"]},
    ),
    *(case for name in NAMES for case in named(name)),
]
