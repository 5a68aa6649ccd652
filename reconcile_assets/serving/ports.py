"""Ports on the loopback interface: this project listens nowhere else."""

import socket

from reconcile_assets.errors import AlreadyRunning, ConfigurationError

HOST = "127.0.0.1"
UI_PORT = 3000


def choose_port(asked: int | None, *, preferred: int = UI_PORT) -> int:
    """The port to listen on: the one asked for, else the preferred one, else any free one.

    Raises:
        AlreadyRunning: something listens on the port that was asked for.
        ConfigurationError: that port is no port, or this user may not listen on it.
    """
    if asked is None:
        return preferred if _why_not(preferred) is None else find_free_port()
    if not 0 < asked < 65536:
        raise ConfigurationError(f"port {asked} is not between 1 and 65535; choose another --port")
    reason = _why_not(asked)
    if isinstance(reason, PermissionError):
        raise ConfigurationError(f"port {asked} needs privileges that this user lacks; choose one above 1023")
    if reason is not None:
        raise AlreadyRunning(f"port {asked} is in use; choose another --port, or leave it out to take a free one")
    return asked


def find_free_port() -> int:
    """A port that nothing listens on right now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((HOST, port)) == 0


def _why_not(port: int) -> OSError | None:
    """What hinders a server of this port; None when nothing does."""
    if is_listening(port):  # also one that listens on all interfaces, beside which a bind may succeed
        return OSError()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the web server does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error
    return None
