"""A known vulnerability fails the run; an advisory service that knows nothing is said to."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.fixture
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _report(*packages: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(packages)}


BAD = {"name": "leaky", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
GOOD = {"name": "sound", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "private", "skip_reason": "not found"}


def test_a_vulnerability_is_a_finding_that_names_its_mend(audit: ModuleType) -> None:
    findings, _ = audit.judge(_report(BAD, GOOD), {})

    assert findings == ["leaky 1.0: CVE-1, fixed in 1.1"]


def test_one_accepted_with_a_reason_is_a_remark(audit: ModuleType) -> None:
    findings, remarks = audit.judge(_report(BAD), {"CVE-1": "only on Windows"})

    assert findings == []
    assert "only on Windows" in remarks[0]


def test_nothing_found_says_how_many_were_looked_up(audit: ModuleType) -> None:
    assert audit.judge(_report(GOOD, GOOD), {}) == ([], ["2 packages looked up"])


def test_a_service_that_knows_no_package_has_audited_nothing(audit: ModuleType) -> None:
    findings, remarks = audit.judge(_report(UNKNOWN, UNKNOWN), {})

    assert findings == []
    assert "NOTHING was audited" in remarks[0]


def test_a_package_that_is_unknown_is_named(audit: ModuleType) -> None:
    assert audit.judge(_report(GOOD, UNKNOWN), {})[1] == ["not audited, unknown to the service: private"]
