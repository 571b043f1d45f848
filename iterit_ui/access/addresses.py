"""Addresses that the app may listen on and names that it answers to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection, Sequence

from backend.errors import ConfigError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
NAME = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def listening(host: str) -> str:
    """A host as the server takes it, after trying to listen there. host : an address or a name of this machine.

    Raises
    ------
    ConfigError : no such name, or an address of another machine.
    """
    name = host.strip().strip("[]")
    try:
        found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"--host {host}: there is no such name ({error}); 127.0.0.1 is this machine alone, 0.0.0.0 all its addresses"
        ) from error
    family, _, _, _, address = found[0]
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.bind(address)
    except OSError as error:
        raise ConfigError(
            f"--host {host} is {address[0]}, which is no address of this machine ({error.strerror or error}); "
            "127.0.0.1 is this machine alone, 0.0.0.0 all its addresses"
        ) from error
    # Gradio makes addresses of it, in which one of IPv6 stands in brackets
    return f"[{name}]" if ":" in name else name


def own_hosts(host: str, allowed: Sequence[str]) -> tuple[str, ...]:
    """Names that the app answers to; none for any name: whoever listens on the network asks for passwords instead.

    host : as `listening` gives it. allowed : what `--allowed-host` names.

    Raises
    ------
    ConfigError : one of them is no host name.
    """
    for name in allowed:
        if not NAME.fullmatch(name.strip("[]")):
            raise ConfigError(
                f"--allowed-host {name!r} is not a host name; expected one such as studio.example.org or *.example.org, "
                "without https:// and port"
            )
    if not allowed and not is_loopback(host):
        return ()
    own = [] if host in ("0.0.0.0", "[::]") else [host.strip("[]").lower()]
    return tuple(dict.fromkeys([*LOOPBACK, *own, *(name.strip("[]").lower() for name in allowed)]))


def host_of(given: str) -> str:
    """The name in a Host header or an origin, without its port; "" where there is none."""
    name = given.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0]


def names_fit(name: str, hosts: Collection[str]) -> bool:
    """Whether a name is one of them, or below one that begins with `*.`."""
    return any(name == host or (host.startswith("*.") and name.endswith(host[1:])) for host in hosts)
