"""Pairs of columns, and how each pair is compared: exact, coarser, within a tolerance, or not at all.

What has no exact common form is ``uncomparable``: it is named, and it is never green.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reconcile_assets.core.canonical import Canonical, ColumnForm, Form, natural_form
from reconcile_assets.core.tables import Column, ColumnType, Table, TypeKind
from reconcile_assets.core.tolerance import NO_TOLERANCE, Tolerance
from reconcile_assets.errors import MissingObject, NotComparable

NUMBERS = frozenset({TypeKind.INTEGER, TypeKind.DECIMAL, TypeKind.FLOAT32, TypeKind.FLOAT64})
FLOATS = frozenset({TypeKind.FLOAT32, TypeKind.FLOAT64})
TEXTS = frozenset({TypeKind.TEXT, TypeKind.CHAR, TypeKind.ENUM})
CLOCKS = frozenset({TypeKind.TIME, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})
DATED = frozenset({TypeKind.DATE, TypeKind.TIMESTAMP, TypeKind.TIMESTAMPTZ})
ZONELESS = frozenset({TypeKind.DATE, TypeKind.TIMESTAMP})
UUIDS = frozenset({TypeKind.UUID, TypeKind.TEXT, TypeKind.CHAR, TypeKind.BYTES})
MOMENTS = frozenset({Form.DATE, Form.TIME, Form.TIMESTAMP, Form.TIMESTAMPTZ})
FINEST = 6  # fractional digits of a second that are ever kept

_FINER = {0: "second", 3: "millisecond", 6: "microsecond"}


@dataclass(frozen=True)
class ColumnPair:
    """A column of the source and the column of the target that it is compared with."""

    source: Column
    target: Column


@dataclass(frozen=True)
class PairPlan:
    """A pair and how it is compared.

    Attributes:
        comparison: as reports show it.
        canonical: the common form; None when the pair is uncomparable.
        unit: microseconds in one unit of the coarser type, None where neither is coarser.
        coarse_float: one side keeps single precision only.
        same_engine: both sides are one engine, so that they render alike what they render at all.
        zones: the declared zone of each side's zoneless times.
        zero_is_null: MySQL's ``0000-00-00`` is read as NULL.
        note: a sentence about the types, None without one.
    """

    pair: ColumnPair
    comparison: str
    canonical: Canonical | None
    tolerance: Tolerance = NO_TOLERANCE
    unit: int | None = None
    coarse_float: bool = False
    native: bool = False
    same_engine: bool = False
    zones: tuple[str | None, str | None] = (None, None)
    zero_is_null: bool = False
    note: str | None = None

    @property
    def name(self) -> str:
        """The pair's name: the source's."""
        return self.pair.source.name

    @property
    def is_uncomparable(self) -> bool:
        """Whether no value of this pair can be called equal."""
        return self.canonical is None

    @property
    def is_exact(self) -> bool:
        """Whether two values match only when they are the same value."""
        return not self.tolerance and self.unit is None and not self.coarse_float

    @property
    def renders_alike(self) -> bool:
        """Whether equal values have equal digests, so that the digest alone can tell rows apart and together."""
        alike = self.canonical is not None and self.is_exact and _renders_alike(self.pair, self.canonical)
        return alike and not self.is_only_shipped

    @property
    def is_only_shipped(self) -> bool:
        """Whether some engine can't render a side in its SQL as others do, so that only shipped values are sure."""
        if self.same_engine or self.canonical is None:
            return False
        singles = TypeKind.FLOAT32 in (self.pair.source.type.kind, self.pair.target.type.kind)
        return any(self.zones) or (singles and self.canonical.form is Form.NUMBER)

    def keeps_unique(self, *, source: bool) -> bool:
        """Whether different values of one side always stay different in the common form."""
        kind = (self.pair.source if source else self.pair.target).type.kind
        other = (self.pair.target if source else self.pair.source).type.kind
        if not self.is_exact or self.canonical is None or (self.zero_is_null and kind in DATED):
            return False
        return not (kind in TEXTS and (other not in TEXTS or self.canonical.form is Form.UUID))

    def form(self, *, source: bool) -> ColumnForm:
        """One side's column in the common form."""
        if self.canonical is None:
            raise NotComparable(f"column {self.name} can't be compared: {self.comparison}")
        column = self.pair.source if source else self.pair.target
        zero_is_null = self.zero_is_null and column.type.kind in DATED
        if zero_is_null:
            column = replace(column, nullable=True)
        return ColumnForm(
            column,
            self.canonical,
            self.native,
            self.zones[0 if source else 1],
            zero_is_null,
            identical=self.native and self.pair.source.type == self.pair.target.type,
        )


def pair_columns(
    source: Table,
    target: Table,
    *,
    rename: Mapping[str, str] | None = None,
    exclude: Sequence[str] = (),
) -> tuple[tuple[ColumnPair, ...], tuple[str, ...]]:
    """Pair columns by exact name, else by name without case where that is unambiguous.

    Args:
        rename: the source's name -> the target's.
        exclude: names of either side that are left out.

    Returns:
        The pairs in the source's order, and a note for each column that only one side has.

    Raises:
        MissingObject: a renamed or excluded column is on neither side.
    """
    _refuse_unknown(source, target, rename or {}, exclude)
    left = {column.name: column for column in target.columns if column.name not in exclude}
    renamed = dict(rename or {})
    pairs: list[ColumnPair] = []
    alone: list[Column] = []
    pending = [column for column in source.columns if column.name not in exclude]
    taken: dict[str, Column] = {}
    for column in pending:
        wanted = renamed.get(column.name, column.name)
        if wanted in left:
            taken[column.name] = left.pop(wanted)
    for column in pending:
        found = taken.get(column.name) or _without_case(column, pending, taken, left)
        if found is None:
            alone.append(column)
            continue
        left.pop(found.name, None)
        taken[column.name] = found
        pairs.append(ColumnPair(column, found))
    notes = [f"column {column.name} is in the source only: not compared" for column in alone]
    notes += [f"column {name} is in the target only: not compared" for name in left]
    return tuple(pairs), tuple(notes)


def _without_case(
    column: Column, pending: Sequence[Column], taken: Mapping[str, Column], left: Mapping[str, Column]
) -> Column | None:
    folded = column.name.lower()
    rivals = [other for other in pending if other.name.lower() == folded and other.name not in taken]
    found = [other for name, other in left.items() if name.lower() == folded]
    return found[0] if len(found) == 1 and len(rivals) == 1 else None


def _refuse_unknown(source: Table, target: Table, rename: Mapping[str, str], exclude: Sequence[str]) -> None:
    in_source = {column.name for column in source.columns}
    in_target = {column.name for column in target.columns}
    for name in (*rename, *(name for name in exclude if name not in in_target)):
        if name not in in_source:
            raise MissingObject(f"there is no column {name} in {source.name}; its columns are {_some(in_source)}")
    for name in rename.values():
        if name not in in_target:
            raise MissingObject(f"there is no column {name} in {target.name}; its columns are {_some(in_target)}")


def _some(names: set[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:20]) + (", ..." if len(listed) > 20 else "")


def judge_pair(
    pair: ColumnPair,
    *,
    tolerance: Tolerance = NO_TOLERANCE,
    strict: bool = False,
    same_engine: bool = False,
    zones: tuple[str | None, str | None] = (None, None),
    as_uuid: bool = False,
    zero_is_null: bool = False,
) -> PairPlan:
    """Decide how a pair is compared.

    Args:
        strict: a coarser type on one side is no excuse.
        same_engine: both sides are one engine, so that its own binary forms may serve.
        zones: the IANA zone in which each side's zoneless times are read; None where none was declared.
        as_uuid: texts and bytes that write a UUID are that UUID.
        zero_is_null: MySQL's ``0000-00-00`` is read as NULL.

    Raises:
        NotComparable: the tolerance or the declared type does not fit the types.
    """
    zones = _zone_of(pair.source.type, zones[0]), _zone_of(pair.target.type, zones[1])
    a, b = _in_zone(pair.source.type, zones[0]), _in_zone(pair.target.type, zones[1])
    canonical = _uuid_form(pair, a, b) if as_uuid else common_form(a, b)
    if canonical is None:
        plan = PairPlan(pair, f"uncomparable:{_why_not(a, b)}", None)
        return _with_tolerance(plan, a, b, tolerance)
    note = None if _same_type(a, b) else f"column {pair.source.name}: {a.native} compared with {b.native}"
    if as_uuid and not a.kind is b.kind is TypeKind.UUID:
        note = f"column {pair.source.name}: {a.native} compared with {b.native} as uuid"
    if note and TypeKind.CHAR in (a.kind, b.kind):
        note += ", without the padding of char"
    plan = PairPlan(pair, "exact", canonical, same_engine=same_engine, zones=zones, note=note)
    plan = replace(plan, zero_is_null=zero_is_null and bool({a.kind, b.kind} & DATED))
    plan = replace(plan, native=same_engine and a.kind is b.kind and not any(zones))
    if tolerance:
        return _with_tolerance(plan, a, b, tolerance)
    return plan if strict else _as_coarse(plan, a, b)


def _with_tolerance(plan: PairPlan, a: ColumnType, b: ColumnType, tolerance: Tolerance) -> PairPlan:
    if not tolerance:
        return plan
    form = plan.canonical.form if plan.canonical else None
    numeric = form in (Form.NUMBER, Form.FLOAT32, Form.DOUBLE) and {a.kind, b.kind} <= NUMBERS
    if (tolerance.abs_tol or tolerance.rel_tol) and not numeric:
        raise NotComparable(f"column {plan.name}: abs_tol and rel_tol are for numbers, not {a.native} and {b.native}")
    if tolerance.seconds and form not in MOMENTS:
        raise NotComparable(f"column {plan.name}: seconds are for dates and times, not {a.native} and {b.native}")
    if tolerance.folds_text and form is not Form.TEXT:
        raise NotComparable(
            f"column {plan.name}: ignore_case and ignore_trailing_space are for text, not {a.native} and {b.native}"
        )
    return replace(plan, comparison=f"tolerance:{tolerance}", tolerance=tolerance)


def _as_coarse(plan: PairPlan, a: ColumnType, b: ColumnType) -> PairPlan:
    if plan.canonical is None:
        return plan
    if {a.kind, b.kind} == FLOATS:
        why = f"coarser:{_coarser(a, b).native} keeps 24 bits"
        return replace(plan, comparison=why, canonical=Canonical(Form.FLOAT32), coarse_float=True, native=False)
    if {a.kind, b.kind} <= CLOCKS:
        digits = [FINEST if found.precision is None else found.precision for found in (a, b)]
        if digits[0] != digits[1]:
            kept = min(digits)
            finer = _FINER.get(kept, f"{kept} digits of a second")
            why = f"coarser:{(a if digits[0] == kept else b).native} keeps {_article(finer)}"
            cut = replace(plan.canonical, digits=kept)
            return replace(plan, comparison=why, canonical=cut, unit=10 ** (FINEST - kept), native=False)
    return plan


def _article(unit: str) -> str:
    return f"whole {unit}s" if unit in _FINER.values() else unit


def _coarser(a: ColumnType, b: ColumnType) -> ColumnType:
    return a if a.kind is TypeKind.FLOAT32 else b


def _zone_of(column_type: ColumnType, zone: str | None) -> str | None:
    """The zone where it is needed: an instant of the same name on the other side has its own."""
    return zone if column_type.kind in ZONELESS else None


def _in_zone(column_type: ColumnType, zone: str | None) -> ColumnType:
    return column_type if zone is None else replace(column_type, kind=TypeKind.TIMESTAMPTZ)


def common_form(a: ColumnType, b: ColumnType) -> Canonical | None:
    """The form in which both types can be rendered exactly; None when there is none."""
    kinds = {a.kind, b.kind}
    if TypeKind.UNKNOWN in kinds:
        return None
    if TypeKind.OPAQUE in kinds:
        return Canonical(Form.OPAQUE) if a.kind is b.kind and a.native == b.native else None
    if kinds == {TypeKind.DECIMAL} and a.scale == b.scale:
        return Canonical(Form.NUMBER, scale=a.scale)
    if kinds == {TypeKind.ARRAY}:
        return _array_form(a.element, b.element)
    if len(kinds) == 1:
        return natural_form(a)
    for group, form in _GROUPS:
        if kinds <= group:
            return Canonical(form)
    if TypeKind.BIT in kinds and kinds <= {TypeKind.BIT, TypeKind.INTEGER, TypeKind.DECIMAL, TypeKind.BOOLEAN}:
        bits = a if a.kind is TypeKind.BIT else b
        return Canonical(Form.NUMBER) if bits.length is not None and bits.length <= _WORD else None
    if TypeKind.UUID in kinds and kinds <= UUIDS:
        return Canonical(Form.UUID)
    if kinds in ({TypeKind.JSON, TypeKind.TEXT}, {TypeKind.JSON, TypeKind.CHAR}):
        return Canonical(Form.JSON)
    return None


def _uuid_form(pair: ColumnPair, a: ColumnType, b: ColumnType) -> Canonical:
    if not {a.kind, b.kind} <= UUIDS:
        raise NotComparable(
            f"column {pair.source.name}: only text, bytes and uuid can hold UUIDs, not {a.native} and {b.native}"
        )
    return Canonical(Form.UUID)


def _array_form(a: ColumnType | None, b: ColumnType | None) -> Canonical | None:
    """Arrays are summed up by their text, so elements must be such that equal texts are equal values."""
    if a is None or b is None:
        return None
    kinds = {a.kind, b.kind}
    if len(kinds) > 1 and not kinds <= NUMBERS and not kinds <= {TypeKind.TEXT, TypeKind.ENUM}:
        return None
    element = common_form(a, b)
    return Canonical(Form.ARRAY, element=element) if element else None


_WORD = 63  # bits that fit a signed 64-bit integer

_GROUPS: tuple[tuple[frozenset[TypeKind], Form], ...] = (
    (FLOATS, Form.DOUBLE),
    (NUMBERS, Form.NUMBER),
    (frozenset({TypeKind.BOOLEAN, TypeKind.INTEGER, TypeKind.DECIMAL}), Form.NUMBER),
    (TEXTS, Form.TEXT),
    (ZONELESS, Form.TIMESTAMP),
)


def _same_type(a: ColumnType, b: ColumnType) -> bool:
    return a.kind is b.kind or {a.kind, b.kind} <= {TypeKind.TEXT}


def _why_not(a: ColumnType, b: ColumnType) -> str:
    kinds = {a.kind, b.kind}
    if TypeKind.TIMESTAMPTZ in kinds and kinds & ZONELESS:
        return f"{a.native} against {b.native}: declare the zone of the zoneless side"
    if TypeKind.UNKNOWN in kinds and a.native == b.native:
        return f"{a.native} has no exact canonical form"
    return f"{a.native} against {b.native} has no exact common form"


_EXACT_TEXT = frozenset(
    {TypeKind.INTEGER, TypeKind.BOOLEAN, TypeKind.TEXT, TypeKind.ENUM, TypeKind.UUID, TypeKind.DATE, TypeKind.BYTES}
)


def _renders_alike(pair: ColumnPair, canonical: Canonical) -> bool:
    if canonical.form is Form.JSON:
        return False
    if canonical.form is Form.ARRAY:
        a, b = pair.source.type.element, pair.target.type.element
        return a is not None and b is not None and a.kind is b.kind and a.kind in _EXACT_TEXT
    return True
