from __future__ import annotations

import socket

import pytest

from streams.broker.errors import BrokerError
from streams.broker.ports import FREE_PORTS, free_port, require_free


def test_a_free_port_can_be_listened_on_and_is_none_that_outgoing_connections_get() -> None:
    port = free_port()
    require_free(port)
    assert port in FREE_PORTS


def test_a_used_port_is_refused_whatever_address_its_user_listens_on() -> None:
    for address in ("127.0.0.1", "0.0.0.0"):  # noqa: S104 - that is the point
        with socket.socket() as other:
            other.bind((address, 0))
            other.listen()
            with pytest.raises(BrokerError, match=f"Port {other.getsockname()[1]} on 127.0.0.1 is in use"):
                require_free(other.getsockname()[1])


def test_a_port_whose_last_connection_was_closed_just_now_is_free() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        server.accept()[0].close()
        client.close()
    require_free(port)


@pytest.mark.parametrize("port", [-1, 65536, 100_000])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(BrokerError, match=f"{port} is no port"):
        require_free(port)
