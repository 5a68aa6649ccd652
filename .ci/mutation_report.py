"""The result of a mutation run, by module; 1 where fewer mutants were killed than promised. Called by .ci/mutation."""

import json
import sys
from collections import Counter
from pathlib import Path

LEAST = 85.0  # percent of the mutants that a test must tell
SURVIVED, NO_TEST = 0, 33  # exit codes as mutmut keeps them; any other is a test that failed


def main() -> int:
    """Print a line for each module and the survivors by name."""
    total: Counter[str] = Counter()
    survivors: list[str] = []
    for path in sorted(Path("mutants/reconcile_assets/core").glob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found = Counter(_kind(code) for code in codes.values())
        if not found:
            continue
        survivors += [name for name, code in codes.items() if _kind(code) in ("survived", "untested")]
        total += found
        print(_line(path.name.removesuffix(".py.meta"), found))
    print(*survivors, sep="\n")
    print(_line("all", total))
    return 0 if total and not total["not run"] and _share(total) >= LEAST else 1


def _kind(code: int | None) -> str:
    return {None: "not run", SURVIVED: "survived", NO_TEST: "untested"}.get(code, "killed")


def _share(found: Counter[str]) -> float:
    judged = found.total() - found["not run"]
    return 100 * found["killed"] / judged if judged else 0.0


def _line(name: str, found: Counter[str]) -> str:
    parts = [f"{found[kind]} {kind}" for kind in ("survived", "untested", "not run") if found[kind]]
    return f"{name}: {_share(found):.1f} % of {found.total()} killed" + "".join(f", {part}" for part in parts)


if __name__ == "__main__":
    sys.exit(main())
