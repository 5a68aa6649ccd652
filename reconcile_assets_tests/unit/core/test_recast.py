"""A value's exact text on its way into a column of another type."""

import pytest

from reconcile_assets.core.canonical import FOREIGN
from reconcile_assets.core.compare_pairs import ColumnPair
from reconcile_assets.core.recast import transfer_value
from reconcile_assets.core.tables import Column, ColumnType, TypeKind
from reconcile_assets.errors import LossyWrite

K = TypeKind
CANARY = "canary"
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"


def column(kind: TypeKind, **limits: object) -> Column:
    return Column("v", ColumnType(kind, kind.value, **limits))  # type: ignore[arg-type]


def moved(text: str | None, source: Column, target: Column) -> object:
    return transfer_value(ColumnPair(source, target), None)(text)


@pytest.mark.parametrize(
    ("source", "target", "text", "expected"),
    [
        (K.TEXT, K.TEXT, "NULL", "NULL"),
        (K.TEXT, K.TEXT, "", ""),
        (K.BOOLEAN, K.INTEGER, "true", "1"),
        (K.BOOLEAN, K.DECIMAL, "false", "0"),
        (K.INTEGER, K.BOOLEAN, "1", "true"),
        (K.DECIMAL, K.BOOLEAN, "0.00", "false"),
        (K.FLOAT64, K.DECIMAL, "1e+22", "10000000000000000000000"),
        (K.FLOAT64, K.INTEGER, "-5.0", "-5"),
        (K.FLOAT32, K.DECIMAL, "0.1", "0.1"),
        (K.DECIMAL, K.INTEGER, "7.000", "7"),
        (K.DECIMAL, K.FLOAT64, "1.10", "1.10"),
        (K.FLOAT64, K.DECIMAL, "NaN", "NaN"),
        (K.DATE, K.TIMESTAMP, "2024-02-29", "2024-02-29 00:00:00"),
        (K.DATE, K.TIMESTAMP, "0044-03-15 BC", "0044-03-15 00:00:00 BC"),
        (K.DATE, K.TIMESTAMP, "infinity", "infinity"),
        (K.TIMESTAMP, K.DATE, "2024-02-29 00:00:00", "2024-02-29"),
        (K.TIMESTAMP, K.DATE, "0044-03-15 00:00:00 BC", "0044-03-15 BC"),
        (K.TIMESTAMP, K.DATE, "infinity", "infinity"),
        (K.UUID, K.BYTES, UUID, "\\x" + UUID.replace("-", "")),
        (K.UUID, K.TEXT, UUID, UUID),
        (K.TEXT, K.UUID, "{" + UUID.upper() + "}", UUID),
        (K.BYTES, K.UUID, "\\x" + UUID.replace("-", ""), UUID),
        (K.TEXT, K.BYTES, UUID, "\\x" + UUID.replace("-", "")),
        (K.JSON, K.TEXT, '{"a": 1}', '{"a": 1}'),
        (K.BIT, K.INTEGER, "0101", "5"),
        (K.BIT, K.BOOLEAN, "1", "true"),
    ],
)
def test_a_value_is_what_it_was(source: TypeKind, target: TypeKind, text: str, expected: str) -> None:
    assert moved(text, column(source), column(target)) == expected
    assert moved(None, column(source), column(target)) is None


def test_bits_are_written_to_the_columns_length() -> None:
    assert moved("5", column(K.INTEGER), column(K.BIT, length=8)) == "00000101"
    assert moved("true", column(K.BOOLEAN), column(K.BIT, length=2)) == "01"
    with pytest.raises(LossyWrite):
        moved("5", column(K.INTEGER), column(K.BIT, length=2))
    with pytest.raises(LossyWrite):
        moved("-1", column(K.INTEGER), column(K.BIT, length=8))


@pytest.mark.parametrize(
    ("source", "target", "text"),
    [
        (K.INTEGER, K.BOOLEAN, "2"),
        (K.FLOAT64, K.INTEGER, "1.5"),
        (K.FLOAT64, K.INTEGER, "NaN"),
        (K.DECIMAL, K.INTEGER, "0.1"),
        (K.DATE, K.TIMESTAMP, "294277-01-01"),
        (K.TIMESTAMP, K.DATE, "2024-02-29 00:00:00.000001"),
        (K.TEXT, K.UUID, CANARY),
        (K.BYTES, K.UUID, "\\x00"),
        (K.TEXT, K.BYTES, CANARY),
        (K.BIT, K.BOOLEAN, "10"),
        (K.INTEGER, K.TEXT, f"{FOREIGN}text:{CANARY}"),
    ],
)
def test_what_would_be_changed_is_refused_with_the_column_and_without_the_value(
    source: TypeKind, target: TypeKind, text: str
) -> None:
    with pytest.raises(LossyWrite, match=r"column v: the .* of the target can't hold a value of the source") as caught:
        moved(text, column(source), column(target))
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(("text", "fits"), [("1.25", True), ("1.250", True), ("-1.2500", True), ("1.255", False)])
def test_a_decimal_that_would_be_rounded_is_refused(text: str, fits: bool) -> None:
    target = column(K.DECIMAL, precision=10, scale=2)
    if fits:
        assert moved(text, column(K.DECIMAL), target) == text
    else:
        with pytest.raises(LossyWrite):
            moved(text, column(K.DECIMAL), target)
    unenforced = column(K.DECIMAL, precision=10, scale=2, enforced=False)
    assert moved(text, column(K.DECIMAL), unenforced) == text


def test_what_the_driver_cannot_take_is_refused_too() -> None:
    pair = ColumnPair(column(K.TEXT), column(K.TEXT))
    assert transfer_value(pair, int)("7") == 7
    with pytest.raises(LossyWrite, match="column v"):
        transfer_value(pair, int)(CANARY)
