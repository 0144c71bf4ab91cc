"""Ports on the loopback interface."""

from __future__ import annotations

import errno
import random
import socket

from streams.broker.errors import BrokerError

LOOPBACK = "127.0.0.1"
# Below the ports that Linux (32768-60999) and macOS (49152-65535) give to outgoing connections. A broker that is
# stopped and started again must find its port free; from the range of outgoing connections, a client that tries to
# reconnect meanwhile can be given just this port, and even connect to itself.
FREE_PORTS = range(20_000, 32_768)
TRIES = 200


def why_not_free(port: int) -> OSError | None:
    """The error that listening on 127.0.0.1:`port` gives, or None where it works."""
    with socket.socket() as listener:
        # As Java does: a port whose last connections are still in TIME_WAIT is free.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError as error:
            return error
    return None


def free_port(*, besides: int | None = None) -> int:
    """A port on which nobody listens now, other than `besides`.

    Raises:
        BrokerError: none of many was free.
    """
    for port in random.sample(FREE_PORTS, TRIES):
        if port != besides and why_not_free(port) is None:
            return port
    raise BrokerError(
        f"None of {TRIES} ports tried between {FREE_PORTS.start} and {FREE_PORTS.stop - 1} is free on {LOOPBACK}: "
        "choose a port yourself"
    )


def require_free(port: int) -> None:
    """Raise BrokerError, which says why, unless 127.0.0.1:`port` can be listened on."""
    if not 0 < port < 65536:
        raise BrokerError(f"{port} is no port: expected a number from 1 to 65535, or 0 for a free one")
    error = why_not_free(port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise BrokerError(
            f"Port {port} on {LOOPBACK} is in use by another program: stop it, or choose another port (0: a free one)"
        )
    raise BrokerError(
        f"Port {port} on {LOOPBACK} cannot be used ({error.strerror}): choose another one (0: a free one)"
    )
