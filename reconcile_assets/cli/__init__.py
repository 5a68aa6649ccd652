"""The command line: ``main(argv) -> int`` with one error boundary.

Exit codes: 0 matched or done; 1 found something wrong (mismatched, gaps, degraded); 2 could
not do it or could not verify; 130 interrupted. Commands are modules that are imported only
when they are called, because ``--help`` and ``diff`` must start at once.

A command's module has ``add_parser(subparsers)``, which adds its parser, and
``run(args) -> int``, which returns the exit code or raises an error of ours.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

from reconcile_assets.cli.env_file import load_working_folder
from reconcile_assets.errors import ConfigurationError, ReconcileAssetsError

PROGRAM = "reconcile-assets"
INTERRUPTED = 130


class Command(NamedTuple):
    """A command: its name, the module that holds it, and its line in ``--help``."""

    name: str
    module: str
    help: str


COMMANDS = (
    Command("demo", "demo", "the whole story on real data and an embedded PostgreSQL"),
    Command("dev", "dev", "Dagster UI and daemon for the configured tables"),
    Command("doctor", "doctor", "connections, privileges, keys, indexes and every check's query, with the mend"),
    Command("gaps", "gaps", "compare both databases per partition and classify what is missing"),
    Command("backfill", "backfill", "fill partitions from the source and prove each equal"),
    Command("reconcile", "reconcile", "run the configured checks for partitions"),
    Command("diff", "diff", "compare any two tables by URL, without a configuration"),
    Command("report", "report", "the state of every partition as HTML or JSON"),
    Command("audit", "audit", "verify the audit log of every write"),
    Command("alerts", "alerts", "the alert outbox, and a test of each destination"),
)

DESCRIPTION = """\
Move history between databases and prove that nothing was lost: a partition is green
only when the target has been proved equal to the source."""

EXAMPLES = """\
examples:
  reconcile-assets doctor
  reconcile-assets gaps flights --from 2013-01-01 --to 2013-02-01
  reconcile-assets backfill flights --partition 2013-01-15
  reconcile-assets reconcile --json
  reconcile-assets diff postgresql://host/a ops.flights postgresql://host/b warehouse.flights -k flight_id

exit codes: 0 matched or done; 1 found something wrong; 2 could not do it or could not verify; 130 interrupted
Run `reconcile-assets COMMAND --help` for a command's options.
"""


class Parser(argparse.ArgumentParser):
    """A parser with the options every command has; it hands refusals to the one error boundary.

    A command's own option of the same name takes the common one's place.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        kwargs.update(allow_abbrev=False, conflict_handler="resolve")
        super().__init__(*args, **kwargs)
        absent = argparse.SUPPRESS  # so that a command's parser doesn't undo what stood before the command
        self.add_argument("--config", metavar="FILE", default=absent, help="the configuration (default: found in defs)")
        self.add_argument("--json", action="store_true", default=absent, help="one JSON document on stdout")
        self.add_argument("--verbose", action="store_true", default=absent, help="say more on stderr")

    def error(self, message: str) -> NoReturn:
        raise ConfigurationError(f"{message}; see {self.prog} --help")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import version  # imported here: it costs a start-up that other commands spare

        print(f"{PROGRAM} {version(PROGRAM)}")
        parser.exit()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: the arguments after the program's name; None: those of the process.

    Returns:
        The exit code; errors have been printed.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except ConfigurationError as error:  # a file's refusals are a line each
        _print_error(str(error) or type(error).__name__, arguments)
        return error.exit_code
    except ReconcileAssetsError as error:
        _print_error(str(error).replace("\n", "\\n") or type(error).__name__, arguments)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of stdout has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the last flush stays quiet too
        return 2
    except Exception as error:  # noqa: BLE001  # the one boundary: a bug still ends in one line and a code
        from reconcile_assets.cli.crash import describe_crash  # only needed here

        _print_error(describe_crash(error, verbose="--verbose" in arguments), arguments)
        return 2


def run() -> NoReturn:
    """The program's entry point: ``main`` as a process."""
    sys.exit(main())


def _run(arguments: list[str]) -> int:
    command = _command_in(arguments)
    parser = _build_parser(command)
    common = argparse.Namespace(config=None, json=False, verbose=False)
    try:
        args = parser.parse_args(arguments, common)
    except SystemExit as exit_:  # --help and --version
        return exit_.code if isinstance(exit_.code, int) else 0
    if command is None:
        if args.json:
            raise ConfigurationError(f"no command is named; see {PROGRAM} --help")
        parser.print_help(sys.stderr)
        return 2
    from reconcile_assets.cli.logs import log_to_stderr  # --help does without

    load_working_folder()
    with log_to_stderr(verbose=args.verbose):
        code = _module(command).run(args)
    return int(code)


def _command_in(arguments: Sequence[str]) -> Command | None:
    """The command that the arguments name: the first word that is no option and no option's value.

    Raises:
        ConfigurationError: when there is no such command.
    """
    word = _first_word(arguments)
    if word is None:
        return None
    for command in COMMANDS:
        if command.name == word:
            return command
    import difflib  # only needed here

    near = difflib.get_close_matches(word, [command.name for command in COMMANDS], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"see {PROGRAM} --help"
    raise ConfigurationError(f"unknown command {word!r}; {hint}")


def _first_word(arguments: Sequence[str]) -> str | None:
    words = iter(arguments)
    for word in words:
        if word == "--config":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _build_parser(command: Command | None) -> Parser:
    """The whole parser, of which only the called command's part is filled in."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EXAMPLES)
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for each in COMMANDS:
        if each is command:
            _module(each).add_parser(subparsers)
        else:
            subparsers.add_parser(each.name, help=each.help, add_help=False)
    return parser


def _module(command: Command) -> ModuleType:
    return importlib.import_module(f"{__name__}.{command.module}")


def _print_error(line: str, arguments: Sequence[str]) -> None:
    from reconcile_assets.cli.output import printable  # only needed here

    line = "\n".join(map(printable, line.split("\n")))  # it may tell a name, which must not steer a terminal
    print(line, file=sys.stderr)
    if "--json" not in arguments:
        return
    import json  # only needed here

    document = {"error": line}
    if _first_word(arguments) == "diff":  # its document has a verdict in every case
        document = {"verdict": "inconclusive", **document}
    print(json.dumps(document, ensure_ascii=False))
