"""What several commands take alike: the configuration, tables, and a range of partitions.

``[TABLE...] --from ISO --to ISO`` (half-open) or ``--partition KEY``; everything by default.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from reconcile_assets.configuration.loading import find_config, load_config
from reconcile_assets.configuration.models import Config, TableConfig
from reconcile_assets.configuration.refusals import near_name
from reconcile_assets.core.windows import Partition, PartitionScheme
from reconcile_assets.errors import ConfigurationError

_RANGE = "..."


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add ``[TABLE...]``, ``--from``, ``--to`` and ``--partition`` to a command's parser."""
    parser.add_argument("tables", nargs="*", metavar="TABLE", help="tables of the configuration (default: all)")
    parser.add_argument("--from", dest="start", metavar="ISO", type=_moment, help="first moment, inside")
    parser.add_argument("--to", dest="end", metavar="ISO", type=_moment, help="last moment, outside")
    parser.add_argument(
        "--partition",
        dest="partitions",
        metavar="KEY",
        action="append",
        help=f"one partition; repeatable; A{_RANGE}B takes all from A to B, both inside",
    )


def load_configuration(args: argparse.Namespace, *, require_variables: bool = True) -> Config:
    """The configuration that ``--config``, RECONCILE_CONFIG or the working folder names.

    Args:
        require_variables: refuse unset variables of connections and alert destinations.

    Raises:
        ConfigurationError: when there is none or it is refused.
    """
    cwd = Path.cwd()
    path = find_config(cwd, os.environ, args.config)
    return load_config(path, environ=os.environ, require_variables=require_variables)


def select_tables(config: Config, names: Sequence[str]) -> tuple[TableConfig, ...]:
    """The tables of these names, each once, in the configuration's order; all when none is named.

    Raises:
        ConfigurationError: when a name is unknown, or the configuration has no table.
    """
    known = [table.name for table in config.tables]
    for name in names:
        if name not in known:
            raise ConfigurationError(f"table: {name!r} is not configured; {near_name(name, known)}")
    if not known:
        raise ConfigurationError("the configuration has no tables; add one under tables:")
    return tuple(table for table in config.tables if not names or table.name in names)


def select_partitions(
    scheme: PartitionScheme,
    now: datetime,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    keys: Sequence[str] | None = None,
) -> tuple[Partition, ...]:
    """The partitions that have ended by ``now`` and match, oldest first.

    Args:
        now: aware.
        start, end: windows with an instant in ``[start, end)``; naive: on the wall clock of the scheme's zone.
        keys: keys, or ranges of keys ``A...B`` with both ends inside.

    Raises:
        ConfigurationError: when a key is unknown or the range is empty or backwards.
    """
    if keys is not None and (start is not None or end is not None):
        raise ConfigurationError("--partition and --from/--to name partitions in two ways; use one of them")
    every = scheme.partitions(now)
    if keys is not None:
        return _with_keys(scheme, every, keys)
    return scheme.select(now, start=start, end=end)


def selected(
    args: argparse.Namespace, config: Config, now: datetime
) -> tuple[tuple[TableConfig, tuple[Partition, ...]], ...]:
    """Each selected table with its selected partitions.

    A key that only some of the tables have is taken from those, unless the tables were named.

    Raises:
        ConfigurationError: when a table or key is unknown, or nothing at all is selected.
    """
    found: list[tuple[TableConfig, tuple[Partition, ...]]] = []
    refused: ConfigurationError | None = None
    for table in select_tables(config, args.tables):
        try:
            chosen = select_partitions(
                table.partition.scheme(), now, start=args.start, end=args.end, keys=args.partitions
            )
        except ConfigurationError as error:
            if args.tables or not args.partitions:
                raise
            refused = error
            continue
        if chosen:
            found.append((table, chosen))
    if found:
        return tuple(found)
    raise refused or ConfigurationError("no partition has ended within this range; widen --from and --to")


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no ISO date or time; write e.g. 2013-01-31") from None


def _with_keys(scheme: PartitionScheme, every: Sequence[Partition], keys: Sequence[str]) -> tuple[Partition, ...]:
    places = {partition.key: place for place, partition in enumerate(every)}
    wanted: set[int] = set()
    for text in keys:
        first, dots, last = text.partition(_RANGE)
        begin, finish = _place(scheme, places, first), _place(scheme, places, last if dots else first)
        if finish < begin:
            raise ConfigurationError(f"--partition {text}: {last} is before {first}; write the earlier key first")
        wanted.update(range(begin, finish + 1))
    return tuple(every[place] for place in sorted(wanted))


def _place(scheme: PartitionScheme, places: dict[str, int], key: str) -> int:
    if key in places:
        return places[key]
    try:
        scheme.partition(key)
    except ConfigurationError as error:
        near = near_name(key, places) if len(places) <= 10_000 else ""
        hint = f"; {near}" if near.startswith("did") else ""
        raise ConfigurationError(f"{error}{hint}") from None
    raise ConfigurationError(f"partition: {key!r} has not ended yet; the latest is {next(reversed(places), 'none')}")


def current_user() -> str:
    """Who runs the command, for the audit log."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the password file, as in some containers
        return "unknown"
