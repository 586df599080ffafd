"""Which addresses webhooks are sent to: public ones, whatever they are wrapped in.

The resolver refuses a name if any of its addresses is refused; `guarded` looks again at the very
address that a socket is made for, which no form of writing and no second look-up can change.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
AddressInfo = tuple[Any, Any, int, str, tuple[Any, ...]]
Lookup = Callable[[str, int], Awaitable[list[AddressInfo]]]

GLOBAL_UNICAST = IPv6Network("2000::/3")
SPECIAL = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))
LAST_32_BITS = tuple(
    map(IPv6Network, ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
)
SIX_TO_FOUR = IPv6Network("2002::/16")
TEREDO = IPv6Network("2001::/32")
ISATAP = (0x0000_5EFE, 0x0200_5EFE)


class RefusedAddress(Exception):
    """The endpoint is not, or not only, at a public address."""


def allowed(text: str, *, loopback: bool = False) -> bool:
    """Whether something is sent to this address; one with a zone never is."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if getattr(address, "scope_id", None):
        return False
    inner = list(embedded(address))
    if loopback and not inner and address.is_loopback:
        return True
    return all(map(_public, inner or [address]))


def embedded(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 one stands for, or is a way to."""
    if isinstance(address, IPv4Address) or address.is_loopback:
        return
    number = int(address)
    if any(address in network for network in LAST_32_BITS):
        yield IPv4Address(number & 0xFFFF_FFFF)
    if address in SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if address in TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFF_FFFF)
        yield IPv4Address(~number & 0xFFFF_FFFF)
    if number >> 32 & 0xFFFF_FFFF in ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)


def _public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if isinstance(address, IPv4Address):
        return not any(address in network for network in SPECIAL)
    return address in GLOBAL_UNICAST


async def look_up(host: str, port: int) -> list[AddressInfo]:
    """`getaddrinfo` in a thread of its own: a name that does not resolve keeps nobody else."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[AddressInfo]] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(result)

    def resolve() -> None:
        result, error = None, None
        try:
            result = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as failure:
            error = OSError(str(failure))
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=resolve, name="webhook-name", daemon=True).start()
    return await found


class CheckedResolver(AbstractResolver):
    """All of a name's addresses, or `RefusedAddress` if one of them is refused."""

    def __init__(self, lookup: Lookup = look_up, *, loopback: bool = False) -> None:
        self._look_up = lookup
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._look_up(host, port)
        for *_, address in found:
            if not allowed(address[0], loopback=self._loopback):
                raise RefusedAddress(host)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=port,
                family=family,
                proto=proto,
                flags=socket.AI_NUMERICHOST,
            )
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        pass


def guarded(*, loopback: bool = False) -> Callable[[AddressInfo], socket.socket]:
    """What makes the connections' sockets: none for an address that is refused."""

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not allowed(address[0], loopback=loopback):
            raise RefusedAddress(address[0])
        return socket.socket(family, kind, protocol)

    return make
