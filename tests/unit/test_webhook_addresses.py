"""Webhooks go to public addresses only, however another one is written or wrapped."""

import socket

import pytest

from services.exchange.webhooks.addresses import CheckedResolver, RefusedAddress, allowed, guarded

INSIDE = (
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "2002:7f00:1::",
    "2002:a00:1::5",
    "2001:0:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:db8::1",
    "2400:cb00::5efe:10.0.0.1",
    "2400:cb00::200:5efe:127.0.0.1",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "2400:cb00::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "100::1",
    "localhost",
    "2130706433",
    "",
)
OUTSIDE = ("8.8.8.8", "103.10.66.1", "2400:cb00::1", "64:ff9b::808:808", "2002:808:808::1")


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_is_sent_inside(address):
    assert not allowed(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_sent_to(address):
    assert allowed(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0"])
def test_loopback_for_development_opens_nothing_else(address):
    assert allowed("127.0.0.1", loopback=True) and allowed("::1", loopback=True)
    assert not allowed(address, loopback=True)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f.1", "127.1", "017700000001", "①②⑦.⓪.⓪.①", "１２７.0.0.1", "localhost"],
)
async def test_however_the_resolver_is_asked_for_loopback_it_is_refused(host):
    with pytest.raises((RefusedAddress, OSError)):
        await CheckedResolver().resolve(host, 443)


def info(address: str) -> tuple:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (address, 443))


async def test_a_name_is_refused_if_one_of_its_addresses_is():
    async def both(host, port):
        return [info("8.8.8.8"), info("10.0.0.1")]

    with pytest.raises(RefusedAddress):
        await CheckedResolver(both).resolve("mixed.example", 443)


async def test_a_name_leads_to_the_addresses_that_were_checked():
    async def public(host, port):
        return [info("8.8.8.8"), info("2400:cb00::1")]

    found = await CheckedResolver(public).resolve("public.example", 443)
    assert [(each["hostname"], each["host"]) for each in found] == [
        ("public.example", "8.8.8.8"),
        ("public.example", "2400:cb00::1"),
    ]


def test_no_socket_is_made_for_an_address_inside():
    with pytest.raises(RefusedAddress):
        guarded()(info("::ffff:10.0.0.1"))
    guarded()(info("8.8.8.8")).close()
