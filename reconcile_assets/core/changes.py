"""What has changed in a partition since it was last proved equal, told by checksums alone.

A checksum says nothing beside one of another form: another hash family, other columns or types,
another window. So each carries its form, and only like is compared with like.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconcile_assets.core.canonical import Canonical, ColumnForm
from reconcile_assets.core.windows import Partition

UNAUDITED = "unaudited change"
STALE = "stale"
NO_BATCH = ""
"""In the place of a batch's id: no batch ever wrote the partition."""

PORTABLE = "md5"
_RENDERING = 2  # raised when a canonical form is rendered in another way: older checksums are then not like newer ones


@dataclass(frozen=True)
class ChecksumScope:
    """What the checksums of one comparison are of: everything that decides them but the rows.

    Attributes:
        family: the hash family of both sides where its fast hash served, else ``md5``; it decides the width too.
        source, target: the relations, as text.
        columns: of the source, the key's first; with `target_columns` in the same order.
        keys: how many of them are the key's.
        partition_columns: of the source and of the target; None for whole relations.
    """

    family: str
    source: str
    target: str
    columns: Sequence[ColumnForm]
    target_columns: Sequence[ColumnForm]
    keys: int
    partition_columns: tuple[str, str] | None = None

    def form(self, partition: Partition | None) -> str:
        """The form of one partition's checksums, e.g. ``postgresql-15/0f3c...``: equal only for what compares."""
        described = [
            _RENDERING,
            self.source,
            self.target,
            [_describe(each) for each in self.columns],
            [_describe(each) for each in self.target_columns],
            self.keys,
            self.partition_columns,
            None if partition is None else [_iso(partition.start), _iso(partition.end)],
        ]
        text = json.dumps(described, ensure_ascii=True, separators=(",", ":"))
        return f"{self.family}/{hashlib.sha256(text.encode()).hexdigest()[:16]}"


@dataclass(frozen=True)
class Proof:
    """What stood on both sides of a partition when it was last proved equal, by a batch or a verdict.

    Attributes:
        source, target: checksums, hex; None where that side's is not known.
        form: of both checksums.
        at: since when they are known to stand so; aware, UTC.
        batch_id: the partition's last batch then, `NO_BATCH` where there was none; None when it could not be asked.
    """

    source: str | None
    target: str | None
    form: str
    at: datetime
    batch_id: str | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "source": self.source,
            "target": self.target,
            "form": self.form,
            "at": _iso(self.at),
            "batch": self.batch_id,
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Proof":
        """Read what `to_dict` wrote."""
        at = datetime.fromisoformat(document["at"])
        return cls(document["source"], document["target"], document["form"], at, document["batch"])


@dataclass(frozen=True)
class Look:
    """What stands there now.

    Attributes:
        source, target, form, batch_id: as `Proof` has them.
    """

    source: str
    target: str
    form: str
    batch_id: str | None


@dataclass(frozen=True)
class Change:
    """What changed since a partition was last proved equal, though no batch has written it since.

    Attributes:
        since: when the checksums before were proved; aware, UTC.
        source, target: checksums before and now of each side that changed; None for one that did not.
    """

    since: datetime
    source: tuple[str, str] | None = None
    target: tuple[str, str] | None = None

    @property
    def is_unaudited(self) -> bool:
        """Whether the target changed: something other than a batch of ours wrote to it."""
        return self.target is not None

    @property
    def name(self) -> str:
        """``unaudited change``, ``stale`` (the source moved on), or both."""
        words = ((UNAUDITED, self.target), (STALE, self.source))
        return ", ".join(word for word, side in words if side is not None)

    @property
    def sentence(self) -> str:
        """What happened, with the checksums, in one line."""
        told = []
        if self.target is not None:
            told.append(f"{UNAUDITED} of the target: its checksum was {_was(self.target)}, and no batch wrote it since")
        if self.source is not None:
            told.append(f"{STALE}: the source has changed since, its checksum was {_was(self.source)}")
        return f"{'; '.join(told)} (last proved equal at {show_moment(self.since)})"

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "name": self.name,
            "since": _iso(self.since),
            "source": None if self.source is None else {"before": self.source[0], "now": self.source[1]},
            "target": None if self.target is None else {"before": self.target[0], "now": self.target[1]},
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "Change":
        """Read what `to_dict` wrote."""
        sides = [document[side] for side in ("source", "target")]
        source, target = (None if side is None else (side["before"], side["now"]) for side in sides)
        return cls(datetime.fromisoformat(document["since"]), source, target)


def find_changes(proof: Proof | None, look: Look) -> tuple[Change | None, datetime | None]:
    """What changed since a proof, and since when nothing has.

    Nothing is said of checksums of two forms, nor where a batch has written since or the batches
    could not be asked: then both are None.

    Returns:
        The change, or None; and the proof's moment where both sides are as they were, else None.
    """
    if proof is None or proof.form != look.form or proof.batch_id is None or proof.batch_id != look.batch_id:
        return None, None
    source = _changed(proof.source, look.source)
    target = _changed(proof.target, look.target)
    if source or target:
        return Change(proof.at, source, target), None
    whole = proof.source is not None and proof.target is not None
    return None, proof.at if whole else None


def show_moment(moment: datetime) -> str:
    """``2024-01-31 12:00:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _changed(before: str | None, now: str) -> tuple[str, str] | None:
    return None if before is None or before == now else (before, now)


def _was(side: tuple[str, str]) -> str:
    return f"{side[0]} and is {side[1]}"


def _describe(form: ColumnForm) -> list[Any]:
    described = [form.column.name, form.column.type.native, _canonical(form.canonical), form.native, form.zone]
    return [*described, "zero is null"] if form.zero_is_null else described


def _canonical(canonical: Canonical | None) -> list[Any] | None:
    return None if canonical is None else [canonical.form.value, canonical.digits, _canonical(canonical.element)]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
