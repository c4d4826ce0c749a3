"""Connecting, guarded: only public addresses, judged when the connection is made, and never past a deadline.

A name is resolved once and the connection goes to an address that was checked, so that no second answer of a name
server can come between check and use. Redirects and reused connections pass the same way.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

import httpcore
import httpx

from newsbeam.errors import FetchError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PUBLIC_IPV6 = ipaddress.ip_network("2000::/3")  # all of IPv6 that is handed out for global unicast
# Beside what `is_global` refuses (IANA's special-purpose registries): ways to reach an IPv4 address within an IPv6
# one, and what newer entries of the registries reserve.
_DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip


class Guard(NamedTuple):
    """Where connections may go.

    Args:
        allow: networks in CIDR form that are open although they are not public, and on any port.
        ports: those open elsewhere.
    """

    allow: Sequence[str] = ()
    ports: Sequence[int] = (80, 443)

    def check_address(self, ip: str, port: int) -> None:
        """Raises FetchError, `private_network` or `bad_port`, unless a connection may go there."""
        address = _unmapped(ipaddress.ip_address(ip.partition("%")[0]))
        if any(address in network for network in map(ipaddress.ip_network, self.allow)):
            return
        public = address.is_global and not any(address in network for network in _DENIED)
        if not public or (address.version == 6 and address not in _PUBLIC_IPV6):
            raise FetchError("private_network", f"{address} is not a public address")
        if port not in self.ports:
            raise FetchError("bad_port", f"port {port} is not one of {', '.join(map(str, self.ports))}")


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


# --- deadlines ----------------------------------------------------------------------------------------------------

_current = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Ends whatever this thread does over guarded connections after so many seconds, with a timeout."""
    before: Optional[float] = getattr(_current, "deadline", None)
    _current.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _current.deadline = before


def remaining(timeout: Optional[float] = None) -> float:
    """Seconds left of the deadline, or of a shorter timeout. Raises FetchError `timeout` when there are none."""
    end: Optional[float] = getattr(_current, "deadline", None)
    left = min(
        end - time.monotonic() if end is not None else float("inf"),
        timeout if timeout is not None else float("inf"),
    )
    if left <= 0:
        raise FetchError("timeout")
    return min(left, threading.TIMEOUT_MAX)


# --- connections --------------------------------------------------------------------------------------------------


class GuardedBackend(httpcore.NetworkBackend):
    """Makes httpcore's connections: resolves, checks, connects to the address that was checked."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Optional[float] = None,
        local_address: Optional[str] = None,
        socket_options: Optional[Iterable[Any]] = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of a host that is allowed and answers. Raises FetchError."""
        failure: Optional[FetchError] = None
        for ip in self._allowed(_resolve(host, port), port):
            try:
                stream = self._backend.connect_tcp(ip, port, remaining(timeout), local_address, socket_options)
                return _TimedStream(stream)
            except httpcore.ConnectTimeout:
                failure = FetchError("timeout", f"connecting to {host}")
            except httpcore.ConnectError as error:
                refused = isinstance(error.__context__ or error.__cause__, ConnectionRefusedError)
                failure = FetchError("refused" if refused else "connection", f"{host}: {error}")
        raise failure or FetchError("dns", f"{host} has no address")

    def _allowed(self, ips: Sequence[str], port: int) -> list[str]:
        allowed, refusal = [], None
        for ip in ips:
            try:
                self._guard.check_address(ip, port)
                allowed.append(ip)
            except FetchError as error:
                refusal = error
        if refusal and not allowed:
            raise refusal
        return allowed

    def connect_unix_socket(
        self, path: str, timeout: Optional[float] = None, socket_options: Optional[Iterable[Any]] = None
    ) -> httpcore.NetworkStream:
        raise FetchError("bad_url", "no sockets of this machine")

    def sleep(self, seconds: float) -> None:
        time.sleep(remaining(seconds))


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step ends with the deadline of its thread."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: Optional[float] = None) -> bytes:
        return self._stream.read(max_bytes, remaining(timeout))

    def write(self, buffer: bytes, timeout: Optional[float] = None) -> None:
        self._stream.write(buffer, remaining(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: Optional[str] = None, timeout: Optional[float] = None
    ) -> httpcore.NetworkStream:
        """TLS over this connection; the time is for the whole handshake, as Python's ssl counts. Raises FetchError."""
        try:
            return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, remaining(timeout)))
        except httpcore.ConnectTimeout:
            raise FetchError("timeout", f"TLS with {server_hostname}") from None
        except httpcore.ConnectError as error:
            raise FetchError("tls", f"{server_hostname}: {error}") from None

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, each once, within the deadline. Raises FetchError `dns`.

    The system's resolver can't be interrupted, so it works in a thread of its own, which is left behind if need be.
    """
    answer: list[list[str] | OSError | UnicodeError] = []

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.append(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answer.append(error)

    thread = threading.Thread(target=look_up, name="resolve", daemon=True)
    thread.start()
    thread.join(remaining())
    if not answer:
        raise FetchError("timeout", f"looking up {host}")
    if isinstance(answer[0], Exception):
        raise FetchError("dns", f"{host}: {answer[0]}")
    return answer[0]


class GuardedTransport(httpx.HTTPTransport):
    """httpx's transport over guarded connections: HTTP/1.1, no proxies, nothing taken from the environment."""

    def __init__(self, guard: Guard, *, keep: int = 16, verify: Optional[ssl.SSLContext] = None) -> None:
        context = verify or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=None,  # callers bound their threads
            max_keepalive_connections=keep,
            keepalive_expiry=4.0,  # below what servers keep, so that none is used as it closes
            network_backend=GuardedBackend(guard),
        )
