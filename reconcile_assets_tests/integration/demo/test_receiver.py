"""The demo's receiver takes what Apprise sends, and nothing else."""

import http.client
from urllib.parse import urlsplit

from pydantic import SecretStr

from reconcile_assets.alerts.message import Message
from reconcile_assets.alerts.sending import send_message
from reconcile_assets.demo.receiver import Receiver


def post(receiver: Receiver, body: bytes) -> int:
    connection = http.client.HTTPConnection(urlsplit(receiver.apprise_url).netloc, timeout=10)
    try:
        connection.request("POST", "/", body)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_message_arrives_as_it_was_sent() -> None:
    with Receiver() as receiver:
        send_message(SecretStr(receiver.apprise_url), Message("id", "failed", "flights / rows: bad", "Partitions (1)"))
        send_message(SecretStr(receiver.apprise_url), Message("id", "recovered", "flights / rows: good", "all"))
        found = [(each.title, each.body, each.kind) for each in receiver.messages]
    assert found == [
        ("flights / rows: bad", "Partitions (1)", "failure"),
        ("flights / rows: good", "all", "success"),
    ]


def test_what_is_no_message_is_refused_and_not_kept() -> None:
    with Receiver() as receiver:
        assert [post(receiver, body) for body in (b"not json", b"{}", b"[]", b"")] == [400] * 4
        assert receiver.messages == ()


def test_it_listens_on_loopback_and_ends_with_the_block() -> None:
    with Receiver() as receiver:
        assert receiver.apprise_url.startswith("json://127.0.0.1:")
    try:
        post(receiver, b"{}")
    except ConnectionRefusedError:
        return
    raise AssertionError("it still listens")
