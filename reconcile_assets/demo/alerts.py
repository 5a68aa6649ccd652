"""The messages that arrive: one for each asset and check, with names, a count and a link."""

from collections.abc import Sequence

from reconcile_assets.demo import damage
from reconcile_assets.demo.claims import Claims
from reconcile_assets.demo.receiver import Received
from reconcile_assets.demo.stage import Stage
from reconcile_assets.demo.watching import wait_until
from reconcile_assets.serving.ports import HOST

_WAIT_SECONDS = 120.0
_NAMES = {"failure": "alerts", "success": "recovery notices"}
_LEDGER_KINDS = {"failure": "failed", "success": "recovered"}


def expect_messages(stage: Stage, claims: Claims, *, kind: str, since: int) -> float:
    """Wait for the messages of this kind; return the longest time from verdict to arrival, in seconds.

    Args:
        kind: ``failure`` or ``success``.
        since: how many messages of any kind had arrived before.

    Raises:
        ClaimFailed: one is missing, or one too many, or one lacks what it must tell.
    """
    expected = damage.expected_red()

    def arrived() -> list[Received]:
        return [each for each in stage.receiver.messages[since:] if each.kind == kind]

    wait_until(f"{len(expected)} {_NAMES[kind]} arrive", lambda: len(arrived()) >= len(expected), _WAIT_SECONDS)
    messages = {_place(each): each for each in arrived()}
    claims.expect(f"{_NAMES[kind]}, one for each asset and check", expected=len(expected), seen=len(arrived()))
    claims.expect(f"{_NAMES[kind]} tell of", expected={_name(place) for place in expected}, seen=set(messages))
    for place, keys in sorted(expected.items()):
        message = messages[_name(place)]
        lacking = _lacks(message, place[0], keys, stage)
        told = f"without {', '.join(lacking)}" if lacking else "told"
        claims.expect(f"{message.title}: names, count and link", expected="told", seen=told)
    return max(_waits(stage, list(messages.values()), _LEDGER_KINDS[kind]))


def _lacks(message: Received, table: str, keys: frozenset[str], stage: Stage) -> list[str]:
    """What should stand in a message and does not."""
    wanted = [*sorted(keys), f"({len(keys)})", f"http://{HOST}:{stage.place.port}/assets/{table}"]
    return [text for text in wanted if text not in message.body]


def _waits(stage: Stage, messages: Sequence[Received], kind: str) -> list[float]:
    written = {
        _name((alert.table, alert.check)): alert.created_at
        for alert in stage.connections.ledger().fetch_alerts()
        if alert.kind == kind
    }
    return [(each.at - written[_place(each)]).total_seconds() for each in messages]


def _place(message: Received) -> str:
    return message.title.partition(":")[0]


def _name(place: tuple[str, str]) -> str:
    return " / ".join(place)
