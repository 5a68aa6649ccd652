"""``demo``: the whole story on real data and an embedded PostgreSQL, each claim read back."""

import argparse
import importlib
from typing import Any

_DESCRIPTION = "The whole story on real data and an embedded PostgreSQL, each claim read back."
_EXAMPLES = """\
examples:
  reconcile-assets demo
  reconcile-assets demo --exit

Everything it needs and leaves stands in the folder demo of the state folder (.state, or RECONCILE_STATE).

exit codes: 0 every claim was read back; 1 one was not; 2 it could not be told; 130 interrupted
"""


def add_parser(subparsers: Any) -> None:
    """Add the command's parser."""
    parser = subparsers.add_parser(
        "demo",
        help="the whole story on real data and an embedded PostgreSQL",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
    )
    parser.add_argument("--exit", action="store_true", help="end afterwards; otherwise the UI stays up until Ctrl-C")
    parser.add_argument("--port", type=int, help="of the UI (default: 3000, or a free one when that is taken)")


def run(args: argparse.Namespace) -> int:
    """Tell the story.

    Raises:
        ReconcileAssetsError: a claim did not hold, or it could not be told.
    """
    story = importlib.import_module("reconcile_assets.demo.story")  # by name: the demo stands above the commands
    return int(story.tell(end=args.exit, port=args.port))
