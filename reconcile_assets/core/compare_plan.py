"""From described tables to what is read and how it is compared: a pure plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reconcile_assets.core.canonical import Form
from reconcile_assets.core.compare import ColumnComparison
from reconcile_assets.core.compare_pairs import ZONELESS, ColumnPair, PairPlan, judge_pair
from reconcile_assets.core.tables import Table, TypeKind
from reconcile_assets.core.tolerance import NO_TOLERANCE, Tolerance
from reconcile_assets.errors import NotComparable


@dataclass(frozen=True)
class ComparisonPlan:
    """How two tables are compared.

    Attributes:
        key: identifies a row; for a keyless table the columns whose digests tell rows apart.
        columns: the other columns that can be compared.
        uncomparable: columns of which nothing can be said.
        keyless: rows are compared as a multiset, all columns being the key.
    """

    key: tuple[PairPlan, ...]
    columns: tuple[PairPlan, ...]
    uncomparable: tuple[PairPlan, ...] = ()
    keyless: bool = False

    @property
    def type_notes(self) -> tuple[str, ...]:
        """Sentences about pairs whose types differ, and about those not compared."""
        plans = (*self.key, *self.columns)
        notes = [plan.note for plan in plans if plan.note]
        notes += [f"column {plan.name}: {plan.comparison}" for plan in plans if plan.comparison.startswith("coarser")]
        notes += [f"column {plan.name} could not be verified: {plan.comparison}" for plan in self.uncomparable]
        return tuple(notes)

    def column_comparisons(self, differs: Mapping[str, int]) -> dict[str, ColumnComparison]:
        """Every compared column outside the key, in the plan's order."""
        shown = (*(self.key if self.keyless else ()), *self.columns, *self.uncomparable)
        return {plan.name: ColumnComparison(plan.comparison, differs.get(plan.name, 0)) for plan in shown}

    @property
    def has_integer_key(self) -> bool:
        """Whether the key is one column of whole numbers on both sides."""
        if self.keyless or len(self.key) != 1:
            return False
        pair = self.key[0].pair
        return pair.source.type.kind is pair.target.type.kind is TypeKind.INTEGER

    def is_unique(self, table: Table, *, source: bool) -> bool:
        """Whether the table's own keys promise that this key is unique and without NULLs on this side."""
        if self.keyless or not self.key:
            return True
        columns = {(plan.pair.source if source else plan.pair.target).name: plan for plan in self.key}
        if any(table.column(name).nullable for name in columns):
            return False
        kept = {name for name, plan in columns.items() if plan.keeps_unique(source=source)}
        promised = ((table.primary_key,) if table.primary_key else ()) + table.unique_keys
        return any(kept.issuperset(names) for names in promised)


def plan_comparison(
    pairs: Sequence[ColumnPair],
    key: Sequence[str],
    *,
    tolerances: Mapping[str, Tolerance] | None = None,
    strict: bool = False,
    same_engine: bool = False,
    zones: Mapping[str, str] | None = None,
    uuids: Collection[str] = (),
    zero_date_as_null: bool = False,
) -> ComparisonPlan:
    """Plan a comparison.

    Args:
        pairs: the key's columns among them.
        key: by the source's names; empty for a keyless table.
        tolerances: by the source's names.
        zones: IANA zone by column name (of either side), for zoneless times.
        uuids: by the source's names, columns whose texts and bytes are UUIDs.
        zero_date_as_null: MySQL's ``0000-00-00`` is read as NULL.

    Raises:
        NotComparable: a key or tolerance names no pair, or can't be used for its types.
    """
    tolerances = tolerances or {}
    names = [pair.source.name for pair in pairs]
    _refuse_strays(names, key, tolerances)
    _refuse_zones(pairs, zones or {})
    for name in uuids:
        if name not in names:
            raise NotComparable(f"{name} is declared as uuid, but is not compared; columns are {_some(names)}")
    plans = [
        judge_pair(
            pair,
            tolerance=tolerances.get(pair.source.name, NO_TOLERANCE),
            strict=strict,
            same_engine=same_engine,
            zones=((zones or {}).get(pair.source.name), (zones or {}).get(pair.target.name)),
            as_uuid=pair.source.name in uuids,
            zero_is_null=zero_date_as_null,
        )
        for pair in pairs
    ]
    if not plans:
        raise NotComparable("the two sides have no column in common; name pairs with -c SOURCE:TARGET")
    if not key:
        return _plan_keyless(plans)
    by_name = {plan.name: plan for plan in plans}
    keys = tuple(by_name[name] for name in key)
    for plan in keys:
        _refuse_key(plan)
    rest = [plan for plan in plans if plan.name not in key]
    return ComparisonPlan(
        keys,
        tuple(plan for plan in rest if not plan.is_uncomparable),
        tuple(plan for plan in rest if plan.is_uncomparable),
    )


def _refuse_strays(names: Sequence[str], key: Sequence[str], tolerances: Mapping[str, Tolerance]) -> None:
    for name in key:
        if name not in names:
            raise NotComparable(f"the key column {name} is not among the columns of both sides: {_some(names)}")
    for name in tolerances:
        if name not in names:
            raise NotComparable(f"a tolerance names {name}, which is not compared; columns are {_some(names)}")
        if name in key:
            raise NotComparable(f"a tolerance names {name}, which is in the key; a key is compared exactly")
        if not key:
            raise NotComparable(
                f"a tolerance names {name}, but a table without a key is compared by whole rows exactly"
            )
    if len(set(key)) != len(key):
        raise NotComparable(f"the key names a column twice: {_some(key)}")


def _refuse_zones(pairs: Sequence[ColumnPair], zones: Mapping[str, str]) -> None:
    zoneless = {column.name for pair in pairs for column in (pair.source, pair.target) if column.type.kind in ZONELESS}
    for name, zone in zones.items():
        if name not in zoneless:
            raise NotComparable(
                f"a zone is declared for {name}, which is no compared column with a time without a zone"
            )
        try:
            ZoneInfo(zone)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            raise NotComparable(f"there is no time zone {zone} for {name}; write e.g. America/New_York") from None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")


def _refuse_key(plan: PairPlan) -> None:
    if plan.canonical is None:
        raise NotComparable(f"the key column {plan.name} can't be compared: {plan.comparison}")
    if plan.canonical.form in (Form.JSON, Form.ARRAY) and not plan.renders_alike:
        raise NotComparable(
            f"the key column {plan.name} has no one form ({plan.pair.source.type.native}); choose another"
        )
    if plan.is_only_shipped:
        a, b = plan.pair.source.type, plan.pair.target.type
        raise NotComparable(
            f"the key column {plan.name} ({a.native} against {b.native}) has no form that two engines share;"
            " choose another key"
        )


def _plan_keyless(plans: Sequence[PairPlan]) -> ComparisonPlan:
    comparable = [plan for plan in plans if not plan.is_uncomparable]
    return ComparisonPlan(
        key=tuple(plan for plan in comparable if plan.renders_alike),
        columns=tuple(plan for plan in comparable if not plan.renders_alike),
        uncomparable=tuple(plan for plan in plans if plan.is_uncomparable),
        keyless=True,
    )
