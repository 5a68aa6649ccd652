"""What the story claims, each read back before it is told."""

from dataclasses import dataclass, field

from reconcile_assets.cli.output import say
from reconcile_assets.errors import ReconcileAssetsError


class ClaimFailed(ReconcileAssetsError):  # noqa: N818  # as in the tree of errors, the name says what happened
    """What was read back is not what the story says."""

    exit_code = 1


@dataclass
class Claims:
    """Counts what held.

    Attributes:
        held: how many claims held so far.
    """

    held: int = field(default=0)

    def expect(self, what: str, *, expected: object, seen: object) -> None:
        """Say that it holds.

        Raises:
            ClaimFailed: it does not.
        """
        if expected != seen:
            raise ClaimFailed(f"{what}: expected {_short(expected)}, seen {_short(seen)}")
        self.held += 1
        say(f"  ok: {what}: {_short(seen)}")

    def expect_below(self, what: str, *, limit: float, seen: float, unit: str = "s") -> None:
        """Say that a figure is below its limit.

        Raises:
            ClaimFailed: it is not.
        """
        if not seen < limit:
            raise ClaimFailed(f"{what}: expected less than {limit:g} {unit}, seen {seen:.1f} {unit}")
        self.held += 1
        say(f"  ok: {what}: {seen:.1f} {unit} (limit {limit:g} {unit})")

    def expect_above(self, what: str, *, limit: float, seen: float, unit: str) -> None:
        """Say that a figure is above its limit.

        Raises:
            ClaimFailed: it is not.
        """
        if not seen > limit:
            raise ClaimFailed(f"{what}: expected more than {limit:g} {unit}, seen {seen:.2f} {unit}")
        self.held += 1
        say(f"  ok: {what}: {seen:.2f} {unit} (limit {limit:g} {unit})")


def _short(value: object) -> str:
    if isinstance(value, set | frozenset):
        return f"{len(value)}: {', '.join(sorted(str(each) for each in value)[:20])}" if value else "none"
    return str(value)
