"""What a write queue has to tell, and how far the news of a full one has come: pure.

::

    "" ──(a write is refused)──▶ untold ──(told)──▶ told ──(half empty again)──▶ over ──(told)──▶ ""
                                                      ▲                           │
                                                      └───(a write is refused)────┘

Each course has the number of the change in which it began, so that it is told once, whoever tells it.
"""

from dataclasses import dataclass
from enum import StrEnum


class NewsKind(StrEnum):
    """``long``: from ``warn_at`` on; ``full``: writes are refused; ``room``: it was full, and is half empty again."""

    LONG = "long"
    FULL = "full"
    ROOM = "room"


@dataclass(frozen=True)
class QueueNews:
    """One thing to tell.

    Attributes:
        waiting: writes.
        news_id: the same for the same news, also from another process.
    """

    kind: NewsKind
    waiting: int
    capacity: int
    news_id: str


def after_refusal(overflow: str, version: int) -> str:
    """How far the news has come when a write was refused."""
    state, _, course = overflow.partition(" ")
    if not state:
        return f"untold {version}"
    return f"told {course}" if state == "over" else overflow


def after_settling(overflow: str, waiting: int, capacity: int) -> str:
    """How far it has come when so many wait; what was never told is told all the same."""
    state, _, course = overflow.partition(" ")
    return f"over {course}" if state == "told" and waiting <= capacity // 2 else overflow


def find_news(overflow: str, waiting: int, capacity: int) -> tuple[QueueNews, str] | None:
    """What is to be told now, and how far the news has come then; None when there is none."""
    state, _, course = overflow.partition(" ")
    if state == "untold":
        told = after_settling(f"told {course}", waiting, capacity)
        return QueueNews(NewsKind.FULL, waiting, capacity, f"full {course}"), told
    if state == "over":
        return QueueNews(NewsKind.ROOM, waiting, capacity, f"room {course}"), ""
    return None
