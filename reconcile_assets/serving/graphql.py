"""Dagster's own API, as its UI speaks it."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from reconcile_assets.errors import DatabaseUnavailable, PermanentError

_TIMEOUT_SECONDS = 60.0


class GraphQL:
    """Questions and orders to one web server.

    Args:
        url: of the web server, e.g. ``http://127.0.0.1:3000``.
    """

    def __init__(self, url: str) -> None:
        self._endpoint = f"{url}/graphql"

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """Send one query or mutation; return its ``data``.

        Raises:
            DatabaseUnavailable: the server does not answer.
            PermanentError: it refused the query.
        """
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._endpoint, data=body, headers=headers)  # noqa: S310  # our own http address
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as reply:  # noqa: S310  # nosec B310  # as above
                answer = json.load(reply)
        except urllib.error.HTTPError as error:
            raise PermanentError(f"Dagster refused a query: {_first_message(error.read())}") from None
        except (OSError, ValueError):
            raise DatabaseUnavailable(f"Dagster's web server at {self._endpoint} does not answer") from None
        if answer.get("errors"):
            raise PermanentError(f"Dagster refused a query: {answer['errors'][0].get('message', 'no reason given')}")
        return answer["data"]


def _first_message(body: bytes) -> str:
    try:
        return str(json.loads(body)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return "no reason given"
