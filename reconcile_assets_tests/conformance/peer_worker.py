"""Puts jobs to the peers' own process, and judges what they answer."""

import json
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reconcile_assets_tests.conformance.cases import INCONCLUSIVE, MY, REFUSED, Case, Content, Expected
from reconcile_assets_tests.conformance.ours import turned_options
from reconcile_assets_tests.conformance.sides import SERVER, Sides

PEERS = ("reladiff", "datacompy")
MOST_SECONDS = 60.0


class PeerWorker:
    """One process of the peers' environment, started anew after a job that took too long.

    Args:
        python: of that environment.
    """

    def __init__(self, python: Path) -> None:
        self._command = [str(python), str(Path(__file__).with_name("peers.py"))]
        self._process: subprocess.Popen[str] | None = None

    def ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """The peer's answer."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the peers' process has no pipes")
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], MOST_SECONDS)
        line = process.stdout.readline() if ready else ""
        if not line:
            self.close()
            return {"refuses": f"no answer within {MOST_SECONDS:g} seconds" if not ready else "its process ended"}
        return dict(json.loads(line))

    def ask_fairly(self, peer: str, found: Mapping[str, Any], expected: Expected) -> str:
        """A peer's judged answer; datacompy's is right where either way of reading its frames makes it right."""
        if peer != "datacompy":
            return judge(self.ask({**found, "peer": peer}), expected)
        answers = []
        for reading in ("ordinary", "exact"):
            answers.append(judge(self.ask({**found, "peer": peer, "reading": reading}), expected))
            if answers[-1] in ("right", "-"):
                return answers[-1]
        return answers[0]

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def job(case: Case, sides: Sides, source: str, target: str, *, padded: bool, turned: bool) -> dict[str, Any]:
    """A job without the peer's name.

    Args:
        source, target: engines; turned, the target's table is the source.
    """
    options = turned_options(case.options) if turned else case.options
    places = [(case.source, source, 0), (case.target, target, 1)]
    first, second = reversed(places) if turned else places
    paired = pair_names(first[0], second[0], options)
    return {
        "padded": padded,
        "options": {name: value for name, value in options.items() if name in _OPTIONS},
        "source": _side(sides, *first, [pair[0] for pair in paired], options),
        "target": _side(sides, *second, [pair[1] for pair in paired], options),
    }


# Options that change what is equal; renamed, excluded and key columns are told to the peers in their own way.
_OPTIONS = (
    "abs_tol",
    "rel_tol",
    "seconds",
    "zones",
    "strict",
    "key_types",
    "zero_date_as_null",
    "ignore_case",
    "ignore_trailing_space",
    "where",
)


def pair_names(source: Content, target: Content, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns that both sides have: by a given pair, by name, or by name without case."""
    renamed = dict(name.split(":", 1) for name in options.get("columns", ()))
    left = [column.name for column in source.columns if column.name not in options.get("exclude", ())]
    right = {column.name: column.name for column in target.columns}
    folded = {name.lower(): name for name in right}
    pairs = []
    for name in left:
        other = right.get(renamed.get(name, name)) or folded.get(name.lower())
        if other is not None:
            pairs.append((name, other))
    return pairs


def _side(
    sides: Sides, content: Content, engine: str, side: int, names: list[str], options: Mapping[str, Any]
) -> dict[str, Any]:
    key = [] if options.get("keyless") else list(options.get("key", content.key))
    file = sides.file(engine, side)
    server = {**SERVER, "database": sides.url(MY, side).rpartition("/")[2]} if engine == MY else {}
    return {
        "engine": engine,
        "url": sides.url(engine, side),
        "file": str(file),
        "server": server,
        "columns": names,
        "key": [name for name in names if name.lower() in {item.lower() for item in key}],
    }


def judge(answer: Mapping[str, Any], expected: Expected) -> str:
    """``right``; ``refuses: why``; ``equal``, of other tables; ``wrong: what``; ``-`` where no answer is right."""
    if "refuses" in answer:
        return "right" if expected.verdict == REFUSED else f"refuses: {answer['refuses']}"
    if expected.verdict == INCONCLUSIVE:
        return "-"
    counted = tuple(answer[name] for name in ("missing_in_target", "missing_in_source", "value_differs"))
    wanted = (expected.missing_in_target, expected.missing_in_source, expected.value_differs)
    if counted == wanted and expected.verdict != REFUSED:
        return "right"
    if not any(counted):
        return "equal"
    return "wrong: " + _words(counted)


def _words(counted: tuple[int, ...]) -> str:
    names = ("missing", "extra", "changed")
    return ", ".join(f"{count:,} {name}" for count, name in zip(counted, names, strict=True) if count)
