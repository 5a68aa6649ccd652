"""Look the installed packages up in PyPI's advisories by pip-audit.

A known vulnerability fails the run unless ``ACCEPTED`` names it with a reason. Where the
advisory service can't be reached (or doesn't know the packages, as behind many mirrors)
nothing was found out: that is said, and the run goes on.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

ACCEPTED: dict[str, str] = {}  # advisory id -> why it does not touch this package
COMMAND = [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner=off", "--format=json"]


def judge(report: Mapping[str, Any], accepted: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Split pip-audit's JSON into findings (each fails the run) and remarks.

    Returns:
        Lines for findings, lines for remarks.
    """
    findings, remarks, skipped = [], [], []
    for package in report["dependencies"]:
        if "skip_reason" in package:
            skipped.append(package["name"])
        for advisory in package.get("vulns", ()):
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            line = f"{package['name']} {package['version']}: {advisory['id']}, fixed in {fixed}"
            if advisory["id"] in accepted:
                remarks.append(f"accepted: {line} ({accepted[advisory['id']]})")
            else:
                findings.append(line)
    asked = len(report["dependencies"])
    if asked and len(skipped) == asked:
        remarks.append(f"the advisory service knows none of the {asked} packages here: NOTHING was audited")
    elif skipped:
        remarks.append(f"not audited, unknown to the service: {', '.join(skipped)}")
    else:
        remarks.append(f"{asked} packages looked up")
    return findings, remarks


def main() -> int:
    """0 when nothing was found or nothing could be found out, 1 for a finding."""
    done = subprocess.run(COMMAND, capture_output=True, text=True, check=False)  # noqa: S603 - a constant command
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"pip-audit: the advisory service can't be reached, NOTHING was audited: {last}", file=sys.stderr)
        return 0
    findings, remarks = judge(report, ACCEPTED)
    for line in [*remarks, *(f"FOUND {finding}" for finding in findings)]:
        print(f"pip-audit: {line}", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
