"""What people read of partitions that changed without a batch, or did not change, and of verdicts that are outdated."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from reconcile_assets.core.changes import Change, show_moment
from reconcile_assets.core.verdicts import CONFIGURATION_CHANGED

_SHOWN = 20


def change_lines(changes: Sequence[tuple[str, Change]]) -> Iterator[str]:
    """A line for each partition that changed, the first of them, and how many there are besides."""
    for partition, change in changes[:_SHOWN]:
        yield f"{partition}: {change.sentence}"
    if len(changes) > _SHOWN:
        yield f"and {len(changes) - _SHOWN} more that changed; --json lists them all"


def unchanged_lines(moments: Sequence[datetime | None]) -> Iterator[str]:
    """One line on how many partitions stand as they were proved; none where none does.

    Args:
        moments: for each partition since when it is unchanged, None where that is not known.
    """
    known = sorted(moment for moment in moments if moment is not None)
    if not known:
        return
    first, last = show_moment(known[0]), show_moment(known[-1])
    since = first if first == last else f"{first} to {last}"
    yield f"unchanged on both sides since last proved equal: {len(known)} of {len(moments)} partitions (since {since})"


def outdated_lines(outdated: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A line for each check that has verdicts of another configuration.

    Args:
        outdated: partitions by check.
    """
    for check, partitions in outdated.items():
        span = (
            partitions[0]
            if len(partitions) == 1
            else f"{len(partitions)} partitions, {partitions[0]} to {partitions[-1]}"
        )
        yield f"check {check}, {span}: {CONFIGURATION_CHANGED}; reconcile them"
