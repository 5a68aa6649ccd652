"""What `doctor` found: one line for each thing it looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad a finding is: only ``fail`` keeps the product from working or from telling the truth."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: what was looked at: ``connection source``, ``table flights``, ``check flights.revenue``.
        message: what was found; no row values, no secrets.
        mend: what to do about it; empty when all is well, or when the message says it.
    """

    level: Level
    subject: str
    message: str
    mend: str = ""

    @classmethod
    def ok(cls, subject: str, message: str) -> "Finding":
        """All is well."""
        return cls(Level.OK, subject, message)

    @classmethod
    def warning(cls, subject: str, message: str, mend: str) -> "Finding":
        """It works, but should not stay so."""
        return cls(Level.WARNING, subject, message, mend)

    @classmethod
    def fail(cls, subject: str, message: str, mend: str = "") -> "Finding":
        """It cannot work, or could not be trusted."""
        return cls(Level.FAIL, subject, message, mend)


def worst_level(findings: Iterable[Finding]) -> Level:
    """The worst of all levels; ``ok`` when nothing was found."""
    levels = {finding.level for finding in findings}
    return next((level for level in (Level.FAIL, Level.WARNING) if level in levels), Level.OK)


def on_side(side: str, error: Exception) -> str:
    """An error's message that names the side, once: a connection often has the side's name."""
    text = str(error)
    return text if text.startswith(f"{side}: ") else f"{side}: {text}"
