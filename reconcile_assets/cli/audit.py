"""``audit``: verify, show and export the log of every write, which lives in the target itself."""

import argparse
import json
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconcile_assets.cli.output import print_json, print_table, say
from reconcile_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from reconcile_assets.core.report_inputs import AuditFigures
    from reconcile_assets.engine.connections import Connections
    from reconcile_assets.ledger import AuditEntry

_EXAMPLES = """\
examples:
  reconcile-assets audit verify
  reconcile-assets audit log --table flights --limit 5
  reconcile-assets audit export --output audit.jsonl
  reconcile-assets audit set-aside target --reason "restored from the backup of 2024-05-01"

exit codes of verify: 0 every chain verifies; 1 one does not, the first bad entry is named; 2 one could not be read
"""
_PAGE = 1_000
_ASIDE = """\
DATABASE_URL keeps a copy of each target's audit log. A target that was made anew, or restored from an older
backup, does not go on where its copy ends, and `audit verify` says so for ever. This keeps the old copy under
another name, with the reason, and lets the target begin another. Nothing is deleted, and `audit verify` goes on
telling of it. It is refused where the target's log is whole and goes on from its copy.
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser and those of its parts."""
    parser = subparsers.add_parser("audit", help="verify the audit log of every write", epilog=_EXAMPLES)
    parts = parser.add_subparsers(title="parts", dest="part", metavar="PART", required=True)
    verify = parts.add_parser("verify", help="verify each target's hash chain, its copy and its batches")
    log = parts.add_parser("log", help="the latest entries, newest first")
    log.add_argument("--limit", metavar="N", type=_count, default=20, help="how many entries (default: 20)")
    log.add_argument("--table", metavar="TABLE", help="entries of this table only")
    export = parts.add_parser("export", help="every entry as one line of JSON")
    export.add_argument("--output", metavar="FILE", required=True, help="the file to write")
    aside = parts.add_parser(
        "set-aside",
        help="keep the copy of a target's log under another name: for a target that was made anew",
        epilog=_ASIDE,
    )
    aside.add_argument("target", metavar="TARGET", help="the target's connection name")
    aside.add_argument("--reason", metavar="TEXT", required=True, help="why; kept beside the copy")
    aside.add_argument("--actor", metavar="NAME", help="who (default: the user of this machine)")
    for part in (verify, log, export):
        part.add_argument("--connection", metavar="NAME", help="this target only (default: every table's)")


def run(args: argparse.Namespace) -> int:
    """Run one part.

    Raises:
        ReconcileAssetsError: configuration or ledger can't be read, or the file can't be written.
    """
    from reconcile_assets.cli.arguments import load_configuration
    from reconcile_assets.cli.project_database import project_connections

    config = load_configuration(args)
    with project_connections(config) as connections:
        parts = {"verify": _verify, "log": _log, "export": _export, "set-aside": _set_aside}
        return parts[args.part](args, connections)


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of entries; write 1 or more")
    return number


def _targets(name: str | None, connections: "Connections", option: str = "--connection") -> tuple[str, ...]:
    config = connections.config
    known = tuple(dict.fromkeys(config.target_of(table) for table in config.tables))
    if name is None:
        if not known:
            raise ConfigurationError("the configuration has no tables, so it has no target; add one under tables:")
        return known
    if name not in known:
        raise ConfigurationError(f"{option} {name}: no table is written there; name one of {', '.join(known)}")
    return (name,)


def _verify(args: argparse.Namespace, connections: "Connections") -> int:
    from reconcile_assets.cli.report_figures import verify_audit

    found = [verify_audit(connections, target) for target in _targets(args.connection, connections)]
    if args.json:
        print_json({"ok": _worst(found), "targets": [chain.to_dict() for chain in found]})
    else:
        columns = ("target", "audit log", "entries", "batches", "copied")
        print_table(columns, [_verify_row(chain) for chain in found])
        for chain in found:
            if chain.reason:
                first = "" if chain.first_bad is None else f"first bad entry {chain.first_bad}: "
                say(f"{chain.target}: {first}{chain.reason}")
            for kept in chain.set_aside:
                say(f"note: {chain.target}: {kept.sentence}")
    return {True: 0, False: 1, None: 2}[_worst(found)]


def _set_aside(args: argparse.Namespace, connections: "Connections") -> int:
    from reconcile_assets.cli.arguments import current_user
    from reconcile_assets.cli.report_figures import set_aside_figures
    from reconcile_assets.ledger.text import require_text

    (target,) = _targets(args.target, connections, "TARGET")
    reason = args.reason.strip()
    if not reason:
        raise ConfigurationError("--reason: is empty; say why the target's audit log begins anew")
    for name, text in (("--reason", reason), ("--actor", args.actor)):
        require_text(name, text)
    ledger = connections.ledger()
    with connections.database(target).session() as session:
        ledger.set_aside_audit_copy(target, session.sqlalchemy(), by=args.actor or current_user(), reason=reason)
    kept = set_aside_figures(ledger, target)[-1]
    if args.json:
        print_json({"target": target, "set_aside": kept.to_dict()})
    else:
        print(f"{target}: {kept.sentence}")
        say("the next backfill begins another copy; nothing was deleted")
    return 0


def _worst(found: "Iterable[AuditFigures]") -> bool | None:
    """False as soon as one chain is wrong, else None as soon as one could not be read."""
    states = {chain.ok for chain in found}
    return False if False in states else None if None in states else True


def _verify_row(chain: "AuditFigures") -> tuple[object, ...]:
    words = {True: "verified", False: "WRONG", None: "could not verify"}[chain.ok]
    copied = "-" if chain.copied is None else chain.copied
    return (chain.target, words, chain.entries, chain.batches, copied)


def _log(args: argparse.Namespace, connections: "Connections") -> int:
    entries: list[tuple[str, AuditEntry]] = []
    for target in _targets(args.connection, connections):
        mine = (entry for entry in _iterate(connections, target) if args.table in (None, entry.table))
        entries.extend((target, entry) for entry in deque(mine, maxlen=args.limit))
    entries = sorted(entries, key=lambda found: (found[1].recorded_at, found[1].seq))[: -args.limit - 1 : -1]
    if args.json:
        print_json({"entries": [_document(target, entry) for target, entry in entries]})
        return 0
    columns = (
        "target",
        "entry",
        "when (UTC)",
        "action",
        "table",
        "partition",
        "read",
        "deleted",
        "inserted",
        "actor",
        "run",
    )
    print_table(columns, [_log_row(target, entry) for target, entry in entries])
    if not entries:
        say(f"no entry of {args.table}" if args.table else "no entry yet")
    return 0


def _log_row(target: str, entry: "AuditEntry") -> tuple[object, ...]:
    when = f"{entry.recorded_at:%Y-%m-%d %H:%M:%S}"
    rows = (entry.rows_read, entry.rows_deleted, entry.rows_inserted)
    return (target, entry.seq, when, entry.action, entry.table, entry.partition, *rows, entry.actor, entry.run_id)


def _export(args: argparse.Namespace, connections: "Connections") -> int:
    from reconcile_assets.cli.files import write_whole

    written = 0

    def lines() -> Iterator[str]:
        nonlocal written
        for target in _targets(args.connection, connections):
            for entry in _iterate(connections, target):
                written += 1
                yield json.dumps(_document(target, entry), ensure_ascii=False) + "\n"

    path = write_whole(Path(args.output), lines(), hint="name another file with --output")
    if args.json:
        print_json({"file": str(path), "entries": written})
    else:
        print(path)
        say(f"{written:,} audit entries exported")
    return 0


def _document(target: str, entry: "AuditEntry") -> dict[str, object]:
    return {"target": target, **entry.to_dict()}


def _iterate(connections: "Connections", target: str) -> "Iterator[AuditEntry]":
    """Every entry of a target in the order of its numbers; none where nothing was ever written."""
    from reconcile_assets.ledger import iterate_audit_entries
    from reconcile_assets.ledger.copies import has_chain

    with connections.database(target).session() as session:
        connection = session.sqlalchemy()
        if has_chain(connection):
            yield from iterate_audit_entries(connection)
