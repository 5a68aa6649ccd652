"""Measuring and telling: nothing here passes or fails."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest


def median_seconds(command: Sequence[str], *, times: int = 7) -> float:
    """The median time of a command's whole process; the first run, which fills caches, is left out."""
    seconds = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


def tell(capsys: pytest.CaptureFixture[str], title: str, lines: Sequence[str]) -> None:
    """Print a measurement with what it was measured on, past pytest's capture of everything else."""
    load = os.getloadavg()[0]
    with capsys.disabled():
        print(f"\n{title} ({os.cpu_count()} cores, load {load:.1f}, Python {sys.version.split()[0]})")
        for line in lines:
            print(f"  {line}")
