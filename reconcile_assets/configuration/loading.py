"""Reading the configuration: one YAML file, refused line by line where it is wrong.

``load_config`` reads a file (a dg component's ``defs.yaml`` or a plain one);
``parse_attributes`` reads what Dagster has read already. Both refuse the same things.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reconcile_assets.configuration.document import Document, plain, read_documents
from reconcile_assets.configuration.environment import CONFIG_FILE, connection_variable
from reconcile_assets.configuration.models import Config
from reconcile_assets.configuration.refusals import Location, near_name, refusals
from reconcile_assets.errors import ConfigurationError

COMPONENT_TYPE = "reconcile_assets.components.ReconciledTables"
DEFINITIONS = "reconcile_assets/defs"
_MOST_LINES = 10
_COMPONENT_KEYS = frozenset({"type", "attributes", "requirements", "post_processing", "template_vars_module"})


def load_config(path: Path, *, environ: Mapping[str, str], require_variables: bool = True) -> Config:
    """Read and validate a configuration file.

    ``alerts``, ``critical_tables``, ``queue`` and ``health`` may stand beside ``attributes`` or inside.

    Args:
        environ: must hold the URL of every connection in use and of every alert destination.
        require_variables: False leaves unset variables to the caller, as `doctor` does.

    Raises:
        ConfigurationError: up to ten lines, each ``FILE:LINE: field: value what; next step``.
    """
    document = _component(read_documents(_read(path), _label(path)), path)
    moved = _merge(document)
    try:
        config = Config.model_validate(document.value)
    except ValidationError as error:
        raise _refused(document, moved, refusals(error, Config)) from None
    unset = list(_unset_variables(config, environ))
    if unset and require_variables:
        raise _refused(document, moved, unset)
    return config


def parse_attributes(attributes: Mapping[str, Any]) -> Config:
    """Validate a mapping that has been read elsewhere; variables are not looked at.

    Raises:
        ConfigurationError: up to ten lines, each ``field: value what; next step``.
    """
    try:
        return Config.model_validate(plain(attributes))
    except ValidationError as error:
        lines = [message for _, message in refusals(error, Config)]
        raise ConfigurationError("\n".join(lines[:_MOST_LINES])) from None


def check_variables(config: Config, environ: Mapping[str, str]) -> None:
    """Refuse unset variables of connections in use and of alert destinations.

    Raises:
        ConfigurationError: one line for each.
    """
    lines = [message for _, message in _unset_variables(config, environ)]
    if lines:
        raise ConfigurationError("\n".join(lines[:_MOST_LINES]))


def find_config(cwd: Path, environ: Mapping[str, str], flag: str | None = None) -> Path:
    """The configuration file: the flag's, else RECONCILE_CONFIG's, else the only ``defs.yaml`` of ours below ``cwd``.

    Raises:
        ConfigurationError: when there is none, or more than one to choose from.
    """
    named = flag or environ.get(CONFIG_FILE, "").strip()
    if named:
        path = cwd / named
        if not path.is_file():
            raise ConfigurationError(f"{named}: no such file; --config or {CONFIG_FILE} names the configuration")
        return path
    found = sorted(path for path in (cwd / DEFINITIONS).glob("**/defs.yaml") if COMPONENT_TYPE in _read(path))
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigurationError(f"no configuration below {DEFINITIONS}; name one by --config FILE or {CONFIG_FILE}")
    names = ", ".join(str(path.relative_to(cwd)) for path in found)
    raise ConfigurationError(f"{len(found)} configurations ({names}); choose one by --config FILE or {CONFIG_FILE}")


def _label(path: Path) -> str:
    """The file's name in messages: from the working folder where it is inside."""
    cwd = Path.cwd()
    return str(path.relative_to(cwd) if path.is_relative_to(cwd) else path)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError(f"{_label(path)}:1: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{_label(path)}: {error.strerror}; name a readable file by --config FILE") from None


def _component(documents: tuple[Document, ...], path: Path) -> Document:
    """The one document that is ours: of our component's type, or a plain configuration."""
    ours = [
        each
        for each in documents
        if not (isinstance(each.value, dict) and each.value.get("type", COMPONENT_TYPE) != COMPONENT_TYPE)
    ]
    if len(ours) > 1:
        raise ours[1].refusal((), "a second configuration in one file; put its tables into the first")
    if not ours:
        raise ConfigurationError(f"{_label(path)}:1: holds no configuration; begin with type: {COMPONENT_TYPE}")
    if not isinstance(ours[0].value, dict):
        raise ours[0].refusal((), "is not a mapping; begin with type: and attributes:")
    return ours[0]


def _merge(document: Document) -> frozenset[str]:
    """Move what stands in ``attributes`` up beside the rest; return the moved keys."""
    top: dict[str, Any] = document.value
    attributes = top.get("attributes")
    if "attributes" not in top and "type" not in top:
        return frozenset()
    if not isinstance(attributes, dict):
        raise document.refusal(("attributes",), "attributes: is not a mapping; write tables: under it")
    beside = {key: value for key, value in top.items() if key not in _COMPONENT_KEYS}
    for key in beside:
        if key in attributes:
            raise document.refusal((key,), f"{key}: stands here and in attributes; keep one")
        if key not in Config.model_fields:
            known = [*_COMPONENT_KEYS, *Config.model_fields]
            raise document.refusal((key,), f"{key}: unknown field; {near_name(key, known)}")
    document.value = {**beside, **attributes}
    return frozenset(attributes)


def _refused(document: Document, moved: frozenset[str], lines: list[tuple[Location, str]]) -> ConfigurationError:
    placed: dict[str, int] = {}
    for place, message in lines:
        path = ("attributes", *place) if place and place[0] in moved else place
        placed[message] = document.line_of(path)
    ordered = sorted(placed.items(), key=lambda item: item[1])
    return ConfigurationError(
        "\n".join(f"{document.file}:{line}: {message}" for message, line in ordered[:_MOST_LINES])
    )


def _unset_variables(config: Config, environ: Mapping[str, str]) -> Iterator[tuple[Location, str]]:
    """Each unset variable once, at the first place that needs it."""
    seen: set[str] = set()
    for place, name in _connections(config):
        variable = connection_variable(name)
        if variable not in seen and not environ.get(variable, "").strip():
            seen.add(variable)
            yield place, f"{variable} is not set: connection {name!r} needs it; export it or put it into .env"
    for name, destination in config.alerts.destinations.items():
        variable = destination.url_env
        if variable not in seen and not environ.get(variable, "").strip():
            seen.add(variable)
            place = ("alerts", "destinations", name, "url_env")
            yield place, f"{variable} is not set: alert destination {name!r} needs it; export it or put it into .env"


def _connections(config: Config) -> Iterator[tuple[Location, str]]:
    for index, table in enumerate(config.tables):
        for side, name in (("source", config.source_of(table)), ("target", config.target_of(table))):
            here = ("tables", index, side) if getattr(table, side) else ("tables", index)
            yield ((side,) if side in config.model_fields_set and not getattr(table, side) else here), name
        for number, check in enumerate(table.checks):
            if check.against is not None:
                yield ("tables", index, "checks", number, "against"), check.against
