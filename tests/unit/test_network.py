"""Where connections may go, and for how long."""

from __future__ import annotations

import ipaddress
import threading
import time

import httpcore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsbeam.errors import FetchError
from newsbeam.network import Guard, GuardedBackend, deadline, remaining


def refusal(ip: str, port: int = 80, *allow: str) -> str:
    with pytest.raises(FetchError) as caught:
        Guard(allow).check_address(ip, port)
    return caught.value.reason


@pytest.mark.parametrize(
    "ip",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1", "192.168.0.1",
        "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:2::1", "2001:db8::1", "2001:10::1", "2001:20::1",
        "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fe80::1%1",
        "fec0::1", "ff02::1", "ff0e::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(ip: str) -> None:
    assert refusal(ip) == "private_network"


@pytest.mark.parametrize("ip", ["8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1"])
def test_public_addresses_on_the_usual_ports(ip: str) -> None:
    Guard().check_address(ip, 80)
    Guard().check_address(ip, 443)
    assert refusal(ip, 8080) == "bad_port"
    assert refusal(ip, 22) == "bad_port"


def test_allowed_networks_are_open_on_any_port() -> None:
    guard = Guard(("127.0.0.0/8", "fd00::/8"))
    for ip in ("127.1.2.3", "::ffff:127.0.0.1", "fd00::1"):
        guard.check_address(ip, 8080)
    assert refusal("10.0.0.1", 80, "127.0.0.0/8", "fd00::/8") == "private_network"
    assert refusal("::1", 80, "127.0.0.0/8") == "private_network"


@settings(deadline=None, max_examples=500)
@given(st.ip_addresses(), st.integers(1, 65_535))
def test_what_is_let_through_is_global(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> None:
    try:
        Guard().check_address(str(address), port)
    except FetchError:
        return
    assert address.is_global and not address.is_multicast and not address.is_private and not address.is_loopback
    assert port in (80, 443)


def test_a_name_with_private_addresses_alone_is_refused() -> None:
    with deadline(5), pytest.raises(FetchError) as caught:
        GuardedBackend(Guard()).connect_tcp("localhost", 80)
    assert caught.value.reason == "private_network"


def test_unix_sockets_are_refused() -> None:
    with pytest.raises(FetchError):
        GuardedBackend(Guard(("127.0.0.0/8",))).connect_unix_socket("/var/run/docker.sock")


def test_deadlines_nest_and_belong_to_their_thread() -> None:
    assert remaining(3.0) == 3.0
    seen: list[float] = []
    with deadline(10):
        assert remaining() <= 10
        with deadline(0.0), pytest.raises(FetchError) as caught:
            remaining()
        assert caught.value.reason == "timeout"
        assert 5 < remaining() <= 10
        assert remaining(1.0) == 1.0
        thread = threading.Thread(target=lambda: seen.append(remaining(99.0)))
        thread.start()
        thread.join()
    assert seen == [99.0]
    assert remaining() == threading.TIMEOUT_MAX


def test_waiting_counts_too() -> None:
    started = time.monotonic()
    with deadline(0.05), pytest.raises(FetchError):
        while True:
            GuardedBackend(Guard()).sleep(1.0)
    assert time.monotonic() - started < 30  # not the second that was asked for, again and again


def test_a_closed_port_is_refused_by_reason() -> None:
    with deadline(5), pytest.raises(FetchError) as caught:
        GuardedBackend(Guard(("127.0.0.0/8",))).connect_tcp("127.95.0.1", 9)
    assert caught.value.reason == "refused"
    assert isinstance(httpcore.SyncBackend(), httpcore.NetworkBackend)
