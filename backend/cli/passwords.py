"""The command that makes a line for the app's file of names and passwords, and the hashes in these lines."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import sys
from typing import Annotated

import typer

from backend.errors import ConfigError

KIND = "scrypt"
# 2^15 blocks of 128 * r bytes (32 MiB), three times over: what OWASP's Password Storage Cheat Sheet lists for r = 8
COST, BLOCK, TIMES = 15, 8, 3
HIGHEST_COST = 17  # a line may ask for at most 128 MiB
SALT, LENGTH = 16, 32  # bytes
SHORTEST = 8  # characters of a password

Name = Annotated[str, typer.Argument(metavar="NAME", help="The visitor's name; it may hold no colon.")]
Look = Annotated[bool, typer.Option("--look", help="The visitor may look at everything and change nothing.")]


def password(name: Name, *, look: Look = False) -> None:
    """Make a line for --auth-file: asks for a password without showing it, prints NAME and a hash of it."""
    name = " ".join(name.split())
    if not name or ":" in name or name.startswith("#"):
        raise ConfigError(f"{name!r} is not a name; expected one without a colon, not beginning with #")
    given = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    if len(given) < SHORTEST:
        raise ConfigError(f"the password has {len(given)} characters; expected {SHORTEST} or more")
    print(f"{name}:{hashed(given)}{':look' if look else ''}")
    sys.stdout.flush()


def hashed(given: str, *, cost: int = COST) -> str:
    """A password's hash with what it takes to check it: `scrypt.cost.block.times.salt.key`, the last two in base64.

    No character of it means anything to a shell, to docker compose, or to the file's own colons.
    """
    salt = secrets.token_bytes(SALT)
    key = _key(given, salt, cost=cost)
    return ".".join([KIND, str(cost), str(BLOCK), str(TIMES), _text(salt), _text(key)])


def is_hash(stored: str) -> bool:
    """Whether a line's second part is such a hash and not a password as it is typed."""
    return stored.startswith(f"{KIND}.")


def checked_hash(stored: str) -> str:
    """The hash, if it can be checked against.

    Raises
    ------
    ConfigError : it was cut off, or asks for more memory than a login may take.
    """
    _parts(stored)
    return stored


def matches(given: str, stored: str) -> bool:
    """Whether a password is the one behind a hash. Takes about a third of a second and 32 MiB, on purpose."""
    salt, key, cost, block, times = _parts(stored)
    return hmac.compare_digest(_key(given, salt, cost=cost, block=block, times=times, length=len(key)), key)


def _parts(stored: str) -> tuple[bytes, bytes, int, int, int]:
    try:
        kind, cost, block, times, salt, key = stored.split(".")
        numbers = int(cost), int(block), int(times)
        found = _bytes(salt), _bytes(key)
    except (ValueError, binascii.Error) as error:
        raise ConfigError(
            "the hash is cut off or damaged; `python -m backend password NAME` makes one"
        ) from error
    allowed = (
        kind == KIND and 10 <= numbers[0] <= HIGHEST_COST and numbers[1] == BLOCK and 1 <= numbers[2] <= 8
    )
    if not allowed or len(found[0]) < 8 or len(found[1]) < 16:
        raise ConfigError("the hash is not one of `python -m backend password NAME`")
    return *found, *numbers


def _key(
    given: str,
    salt: bytes,
    *,
    cost: int = COST,
    block: int = BLOCK,
    times: int = TIMES,
    length: int = LENGTH,
) -> bytes:
    memory = 128 * block * (2**cost + times + 2)
    return hashlib.scrypt(
        given.encode(), salt=salt, n=2**cost, r=block, p=times, maxmem=memory + 2**20, dklen=length
    )


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
