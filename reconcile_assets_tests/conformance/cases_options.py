"""Options that change what is equal (8, 21, 31), and changes that are alike in two columns (31)."""

from reconcile_assets_tests.conformance import cases
from reconcile_assets_tests.conformance.cases import (
    ID,
    MISMATCHED,
    Case,
    Column,
    Content,
    Expected,
    Held,
    Literal,
    held,
)
from reconcile_assets_tests.conformance.kinds import (
    bigint,
    boolean,
    date,
    decimal,
    double,
    integer,
    interval,
    null,
    quoted,
    raw,
    timestamp,
    uuid,
    uuid_bytes,
    uuid_text,
)

A = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
AS_UUID = {"key_types": {"v": "uuid"}}
UUIDS = [
    cases.differ(8, "texts of one UUID, not declared", uuid_text(f"'{A}'"), uuid_text(f"'{A.upper()}'")),
    cases.same(8, "texts of one UUID, declared", uuid_text(f"'{A}'"), uuid_text(f"'{A.upper()}'"), **AS_UUID),
    cases.same(8, "text and bytes of one UUID, declared", uuid_text(f"'{{{A}}}'"), uuid_bytes(A), **AS_UUID),
    cases.differ(8, "texts of two UUIDs, declared", uuid_text(f"'{A}'"), uuid_text(f"'{A[:-1]}2'"), **AS_UUID),
    cases.differ(8, "no UUID in capitals, declared", uuid_text("'abc'"), uuid_text("'ABC'"), **AS_UUID),
    cases.unsure(8, "text and bytes of one UUID, not declared", uuid_text(f"'{A}'"), uuid_bytes(A)),
]

ZERO = {"zero_date_as_null": True}
NO_DATE = held("", "datetime(6)", literal="'0000-00-00 00:00:00'", pad="'2020-01-02 00:00:00'")
NO_DAY = held("", "date", literal="'0000-00-00'", pad="'2020-01-02'")
ZEROS = [
    cases.same(21, "0000-00-00 00:00:00 and NULL, zero_date_as_null", NO_DATE, null(timestamp("''")), **ZERO),
    cases.same(21, "0000-00-00 and NULL, zero_date_as_null", NO_DAY, null(date("''")), **ZERO),
    cases.same(21, "0000-00-00 and midnight's NULL, zero_date_as_null", NO_DAY, null(timestamp("''")), **ZERO),
    cases.differ(21, "0000-00-00 and 0001-01-01, zero_date_as_null", NO_DAY, date("'0001-01-01'"), **ZERO),
    cases.differ(21, "2024-01-01 and NULL, zero_date_as_null", date("'2024-01-01'"), null(date("''")), **ZERO),
    cases.differ(
        21,
        "2024-00-00 and NULL, zero_date_as_null",
        held("", "date", literal="'2024-00-00'", pad="'2020-01-02'"),
        null(date("''")),
        **ZERO,
    ),
]

FOLDED = [
    cases.same(31, "a and A, ignore_case", quoted("a"), quoted("A"), ignore_case=["v"]),
    cases.same(31, "É and é, ignore_case", quoted("É"), quoted("é"), ignore_case=["v"]),
    cases.differ(31, "e and é, ignore_case", quoted("e"), quoted("é"), ignore_case=["v"]),
    cases.differ(31, "a and A with a space, ignore_case", quoted("a"), quoted("A "), ignore_case=["v"]),
    cases.same(31, "a trailing space, ignore_trailing_space", quoted("a"), quoted("a  "), ignore_trailing_space=["v"]),
    cases.differ(31, "a leading space, ignore_trailing_space", quoted("a"), quoted(" a"), ignore_trailing_space=["v"]),
    cases.differ(
        31, "no text and NULL, ignore_trailing_space", quoted(" "), null(quoted("")), ignore_trailing_space=["v"]
    ),
    cases.differ(31, "a trailing tab, ignore_trailing_space", quoted("a"), quoted("a\t"), ignore_trailing_space=["v"]),
]


def alike(name: str, one: Held, other: Held) -> list[Case]:
    """Two columns of one kind, in which both values change alike, change places, or move beside NULL."""
    columns = (ID, Column("v", one.types, one.pad), Column("w", one.types, one.pad))
    rows: dict[str, tuple[Literal, Literal]] = {
        "aa": (one.literal, one.literal),
        "bb": (other.literal, other.literal),
        "ab": (one.literal, other.literal),
        "ba": (other.literal, one.literal),
        "an": (one.literal, "NULL"),
        "na": ("NULL", one.literal),
        "nn": ("NULL", "NULL"),
    }
    contents = {key: Content(columns, (("1", *row),)) for key, row in rows.items()}
    expected = Expected(MISMATCHED, value_differs=1, differs={"v": 1, "w": 1})
    shown = {"a": "a", "b": "b", "n": "NULL"}
    return [
        Case(
            31,
            f"{name}: ({shown[left[0]]}, {shown[left[1]]}) and ({shown[right[0]]}, {shown[right[1]]})",
            contents[left],
            contents[right],
            expected,
        )
        for left, right in (("aa", "bb"), ("ab", "ba"), ("an", "na"), ("aa", "nn"))
    ]


ALIKE = [
    *alike("booleans", boolean("true"), boolean("false")),
    *alike("integers 0 and 1", integer("0"), integer("1")),
    *alike("integers 0 and -1", bigint("0"), bigint("-1")),
    *alike("integers of one fold to 32 bits", bigint("4294967297"), bigint("8589934594")),
    *alike("doubles 0 and 1", double("0"), double("1")),
    *alike("decimals 5 and -5", decimal("5"), decimal("-5")),
    *alike("texts", quoted(""), quoted("a")),
    *alike("dates", date("'2000-01-01'"), date("'2000-01-02'")),
    *alike("times", timestamp("'2000-01-01 00:00:00'"), timestamp("'2000-01-01 01:11:34.967296'")),
    *alike("uuids", uuid(A), uuid(A[:-1] + "2")),
    *alike("bytes", raw("00"), raw("0000")),
    *alike("intervals", interval("'1 month'"), interval("'30 days'")),
]

CASES = [*UUIDS, *ZEROS, *FOLDED, *ALIKE]
