"""YAML read with the line of each value, so that a refusal can point at it.

A document is composed into nodes and turned into plain values here: a key given twice,
a tab, and aliases that unfold without end are refused instead of passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from reconcile_assets.errors import ConfigurationError

Path = tuple[str | int, ...]
_MOST_VALUES = 100_000  # a hand-written file has thousands; an alias bomb has billions
_DEEPEST = 40
_COLLECTIONS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"})
_MERGE = "tag:yaml.org,2002:merge"


@dataclass
class Document:
    """Plain values, and the line (from 1) on which each key or list item stands."""

    file: str
    value: Any = None
    line: int = 1
    lines: dict[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of a path, or of the nearest place around it that the file has."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return self.line

    def refusal(self, path: Path, message: str) -> ConfigurationError:
        """An error that begins with the file and the line of ``path``."""
        return ConfigurationError(f"{self.file}:{self.line_of(path)}: {message}")


def read_documents(text: str, file: str) -> tuple[Document, ...]:
    """Read all YAML documents of a text; an empty document is left out.

    Args:
        file: the name that stands in errors.

    Raises:
        ConfigurationError: one line with file, line and the next step.
    """
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if node is not None]
        return tuple(_Builder(file, node).document for node in nodes)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(_syntax_line(error, text, file)) from None
    except yaml.YAMLError:  # the reader's own, without a mark: characters that YAML does not allow
        raise ConfigurationError(
            f"{file}:1: holds characters that YAML does not allow; save it as UTF-8 text"
        ) from None
    except RecursionError:
        raise ConfigurationError(f"{file}:1: is nested too deeply; write it flat") from None


class _Builder:
    def __init__(self, file: str, root: yaml.Node) -> None:
        self.document = Document(file, line=root.start_mark.line + 1)
        self._scalars = yaml.constructor.SafeConstructor()
        self._left = _MOST_VALUES
        self.document.value = self._build(root, ())

    def _build(self, node: yaml.Node, path: Path) -> Any:
        self._left -= 1
        if self._left < 0 or len(path) > _DEEPEST:
            raise self._refusal(node, "holds too many values or aliases; write it out plainly")
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            raise self._refusal(node, f"the tag {node.tag} is not known; take it out")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            raise self._refusal(node, f"{node.value!r} cannot be read as {node.tag}; put it in quotes") from None

    def _sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        values = []
        for index, item in enumerate(node.value):
            self.document.lines[(*path, index)] = item.start_mark.line + 1
            values.append(self._build(item, (*path, index)))
        return values

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        own: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE:
                for key, value in self._merged(value_node, path):
                    values.setdefault(key, value)
                continue
            key = self._key(key_node)
            if key in own:
                raise self._refusal(key_node, f"{key!r} stands here a second time, first on line {own[key]}; keep one")
            own[key] = line
            self.document.lines[(*path, key)] = line
            values[key] = self._build(value_node, (*path, key))
        return values

    def _merged(self, node: yaml.Node, path: Path) -> Iterator[tuple[str, Any]]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                raise self._refusal(source, "<< takes a mapping; name one by *alias")
            yield from self._mapping(source, path).items()

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._refusal(node, "a key is a word; put it in quotes")
        return str(node.value)

    def _refusal(self, node: yaml.Node, message: str) -> ConfigurationError:
        return ConfigurationError(f"{self.document.file}:{node.start_mark.line + 1}: {message}")


def _syntax_line(error: yaml.MarkedYAMLError, text: str, file: str) -> str:
    mark = error.problem_mark or error.context_mark
    number = 1 if mark is None else mark.line + 1
    problem = " ".join((error.problem or "is no YAML").split())
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    if "\\t" in problem or "\t" in line[: len(line) - len(line.lstrip())]:
        return f"{file}:{number}: a tab; YAML is indented with spaces, use spaces"
    if "alias" in problem or "alias" in (error.context or ""):
        return f"{file}:{number}: a value that begins with * or & is read as an alias; put it in quotes"
    return f"{file}:{number}: YAML syntax: {problem}; look at this line and the one before it"


def plain(value: Any) -> Any:
    """Copy mappings and sequences of any kind into dicts and lists."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
