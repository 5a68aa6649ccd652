"""What a person reads: a title that says it all, a body that says where to look.

Rendered from names, counts and notes of the outbox; row values never get there.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from reconcile_assets.alerts.grouping import AlertGroup
from reconcile_assets.core.changes import UNAUDITED
from reconcile_assets.ledger.outbox import REMOVED

NAMED_PARTITIONS = 20
"""How many partitions a message names; the rest are counted."""

_NAMED_NOTES = 5
_NAMED_CHANGES = 10
_DIFFERENCES = {
    "missing_in_target": "missing in target",
    "missing_in_source": "missing in source",
    "value_differs": "with other values",
}


@dataclass(frozen=True)
class Message:
    """A rendered message.

    Attributes:
        message_id: the id of the oldest alert in it; a repeat carries the same.
        kind: ``failed`` or ``recovered``.
    """

    message_id: str
    kind: str
    title: str
    body: str


def render_message(group: AlertGroup, *, ui_url: str) -> Message:
    """Render alerts that are told together.

    Args:
        ui_url: the Dagster UI's address, without a slash at its end.
    """
    facts = _Facts.of(group)
    lines = [
        *facts.lines(),
        f"When: {_moments(group)}",
        f"Severity: {group.severity}",
        f"Look: {check_page(ui_url, table=group.table, check=group.check)}",
        f"Alert: {', '.join(group.alert_ids)}",
    ]
    return Message(
        group.alert_ids[0], group.kind, f"{group.table} / {group.check}: {facts.headline()}", "\n".join(lines)
    )


def check_page(ui_url: str, *, table: str, check: str) -> str:
    """The asset check's page in the Dagster UI."""
    path = "/".join(quote(part, safe="") for part in table.split("/"))
    return f"{ui_url}/assets/{path}?{urlencode({'view': 'checks', 'checkDetail': check})}"


@dataclass(frozen=True)
class _Facts:
    """A group boiled down to what a message tells.

    Attributes:
        partitions: keys, as far as the outbox lists them.
        total: how many partitions there are in all.
        source_rows, target_rows: in these partitions, as far as the check counts them.
        changes: of partitions that changed without a batch, one line each, as far as the outbox lists them.
        change_count: how many there are in all.
        removed: the check is configured no more.
    """

    kind: str
    partitions: tuple[str, ...]
    total: int
    mismatched: int
    inconclusive: int
    differences: Counter[str]
    source_rows: int
    target_rows: int
    notes: tuple[str, ...]
    changes: tuple[str, ...] = ()
    change_count: int = 0
    removed: bool = False

    @classmethod
    def of(cls, group: AlertGroup) -> "_Facts":
        payloads = [alert.payload for alert in group.alerts]
        listed = tuple(dict.fromkeys(key for payload in payloads for key in _texts(payload, "partitions")))
        unlisted = sum(
            max(0, _number(payload, "partition_count") - len(_texts(payload, "partitions"))) for payload in payloads
        )
        return cls(
            kind=group.kind,
            partitions=listed,
            total=len(listed) + unlisted,
            mismatched=sum(_number(payload, "mismatched") for payload in payloads),
            inconclusive=sum(_number(payload, "inconclusive") for payload in payloads),
            differences=Counter({kind: sum(_number(payload, kind) for payload in payloads) for kind in _DIFFERENCES}),
            source_rows=sum(_number(payload, "source_rows") for payload in payloads),
            target_rows=sum(_number(payload, "target_rows") for payload in payloads),
            notes=tuple(dict.fromkeys(note for payload in payloads for note in _texts(payload, "notes"))),
            changes=tuple(dict.fromkeys(line for payload in payloads for line in _changes(payload))),
            change_count=sum(_number(payload, "change_count") for payload in payloads),
            removed=payloads[-1].get("wording") == REMOVED,
        )

    def headline(self) -> str:
        if self.removed:
            return "check removed, its last state is closed"
        if self.kind == "recovered":
            return "recovered, no partition is wrong any more"
        parts = []
        if self.mismatched:
            verb = "does" if self.mismatched == 1 else "do"
            parts.append(f"{_count(self.mismatched, 'partition')} {verb} not match")
        if self.inconclusive:
            parts.append(f"could not verify {_count(self.inconclusive, 'partition')}")
        if any(UNAUDITED in line for line in self.changes):
            parts.append(UNAUDITED)
        return ", ".join(parts) or "failed"

    def lines(self) -> list[str]:
        found = [f"Partitions ({self.total:,}): {_names(self.partitions, self.total)}"]
        told = [
            f"{_count(rows, 'row')} {text}" for kind, text in _DIFFERENCES.items() if (rows := self.differences[kind])
        ]
        if told:
            found.append(f"Differences: {', '.join(told)}")
        found.extend(f"Changed: {line}" for line in self.changes[:_NAMED_CHANGES])
        if self.change_count > (shown := min(len(self.changes), _NAMED_CHANGES)):
            found.append(f"Changed: {self.change_count - shown:,} more partitions")
        if self.source_rows != self.target_rows:
            found.append(f"Rows: {self.source_rows:,} in the source, {self.target_rows:,} in the target")
        found.extend(f"Note: {note}" for note in self.notes[:_NAMED_NOTES])
        return found


def _number(payload: Mapping[str, object], name: str) -> int:
    """A count; 0 where another version has left it out, so that the alert is told all the same."""
    value = payload.get(name)
    return value if isinstance(value, int) else 0


def _texts(payload: Mapping[str, object], name: str) -> list[str]:
    """A list of texts; empty where another version has left it out."""
    value = payload.get(name)
    return [str(item) for item in value] if isinstance(value, list) else []


def _changes(payload: Mapping[str, object]) -> list[str]:
    """A line for each partition that changed without a batch: which, what, and both checksums."""
    found = payload.get("changes")
    lines = []
    for each in found if isinstance(found, list) else ():
        sides = {side: each.get(side) for side in ("target", "source")}
        told = [f"{side} checksum {pair['before']} before, {pair['now']} now" for side, pair in sides.items() if pair]
        lines.append(f"{each.get('partition')}: {each.get('name')}, {', '.join(told)}")
    return lines


def _names(partitions: tuple[str, ...], total: int) -> str:
    named = ", ".join(partitions[:NAMED_PARTITIONS])
    more = total - min(len(partitions), NAMED_PARTITIONS)
    return f"{named} and {more:,} more" if more > 0 else named


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _moments(group: AlertGroup) -> str:
    first, last = group.alerts[0].created_at, group.alerts[-1].created_at
    return _utc(first) if first == last else f"{_utc(first)} to {_utc(last)}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
