"""docs/configuration.md names every key, and its example is good."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from reconcile_assets.configuration import checks, environment
from reconcile_assets.configuration.loading import load_config
from reconcile_assets.configuration.models import Config

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def models(kind: object) -> Iterator[type[BaseModel]]:
    """A model and all that its fields are made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(kind):
        yield from models(part)


FIELDS = sorted({(model.__name__, field) for model in models(Config) for field in model.model_fields})


@pytest.mark.parametrize(("model", "field"), FIELDS)
def test_every_key_is_named(model: str, field: str) -> None:
    assert re.search(rf"`[^`\n]*\b{field}\b[^`\n]*`", TEXT)


@pytest.mark.parametrize(
    "name", [member.model_fields["type"].default for member in get_args(get_args(checks.CheckConfig)[0])]
)
def test_every_check_has_its_row(name: str) -> None:
    assert f"\n| `{name}` | " in TEXT


def test_the_example_is_good(tmp_path: Path) -> None:
    example = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    path = tmp_path / "defs.yaml"
    path.write_text(example[1])
    environ = {environment.connection_variable(name): "x" for name in ("source", "target", "reporting")}
    assert len(load_config(path, environ={**environ, "ALERT_OPS_URL": "x"}).tables[0].checks) == 7


@pytest.mark.parametrize(
    "name",
    [
        environment.PROJECT_DATABASE,
        environment.CONFIG_FILE,
        environment.STATE_FOLDER,
        environment.UI_ADDRESS,
        environment.connection_variable("source"),
        environment.connection_variable("target"),
    ],
)
def test_every_variable_is_documented_and_in_the_example_without_a_value(name: str) -> None:
    assert name in TEXT
    assert f"\n{name}=\n" in (ROOT / ".env.example").read_text(encoding="utf-8")
