"""What the documents say can be done."""

import ast
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from reconcile_assets.cli import COMMANDS, _build_parser, _command_in
from reconcile_assets.configuration.loading import load_config

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")
ENVIRON = {f"{name}_DATABASE_URL": "postgresql://host/db" for name in ("SOURCE", "TARGET", "REPORTING")}
SETTING = re.compile(r"RECONCILE_[A-Z_]+|[A-Z]+_DATABASE_URL|DATABASE_URL|REDIS_URL|API_KEY|ALERT_[A-Z_]+")


def _blocks(language: str) -> list[tuple[str, str]]:
    pattern = re.compile(rf"^```{language}\n(.*?)^```", re.DOTALL | re.MULTILINE)
    return [
        (f"{page.name}-{number}", block)
        for page in PAGES
        for number, block in enumerate(pattern.findall(page.read_text(encoding="utf-8")))
    ]


def _invocations() -> list[str]:
    lines = [
        line.partition("#")[0].strip() for _, block in [*_blocks(""), *_blocks("sh")] for line in block.splitlines()
    ]
    return sorted({line for line in lines if line.startswith("reconcile-assets ")})


@pytest.mark.parametrize("command", [command.name for command in COMMANDS])
def test_the_readme_names_every_command(command: str) -> None:
    assert re.search(rf"^\| `{command}[` ]", README, re.MULTILINE)


@pytest.mark.parametrize(("name", "block"), _blocks("yaml"), ids=lambda value: value if len(value) < 40 else "")
def test_every_yaml_block_loads(name: str, block: str, tmp_path: Path) -> None:
    path = tmp_path / "defs.yaml"
    path.write_text(block)

    assert load_config(path, environ={**ENVIRON, "ALERT_OPS_URL": "json://host"}).tables


def test_the_readmes_yaml_has_ten_lines() -> None:
    blocks = [block for name, block in _blocks("yaml") if name.startswith("README")]

    assert [len(block.splitlines()) for block in blocks] == [9]


@pytest.mark.parametrize("line", _invocations())
def test_every_command_line_is_understood(line: str) -> None:
    arguments = shlex.split(line)[1:]

    _build_parser(_command_in(arguments)).parse_args(arguments)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if not link.startswith(("http://", "https://"))]

    assert [link for link in local if not (page.parent / link).exists()] == []


def test_every_target_of_make_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)

    assert (
        set(re.findall(r"`?make ([a-z-]+)", " ".join(re.findall(r"`make [^`]*`|^make .*$", text, re.MULTILINE))))
        <= targets
    )


def test_the_example_of_the_environment_has_every_setting_and_no_value() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    used = {
        node.value
        for path in (ROOT / "reconcile_assets").rglob("*.py")
        if "demo" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SETTING.fullmatch(node.value)
    }

    assert used - set(example) == set()
    assert set(example.values()) == {""}


def test_no_tracked_file_names_a_folder_of_somebodys_machine() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    home = re.compile(
        r"/(?:home|Users)/[a-z]|/ro" + "ot/|/wo" + "rk/|/tmp/pl" + "an"
    )  # in parts: this file is tracked too
    texts = {name: _text(ROOT / name) for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()}

    assert {name: home.findall(text) for name, text in texts.items() if home.search(text)} == {}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="ignore")
