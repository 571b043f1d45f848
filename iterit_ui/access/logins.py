"""Who may see the app: names, passwords and roles from a file, the environment or the command line.

A line is `NAME:HASH` or `NAME:HASH:look`, as `python -m backend password NAME` prints it; `NAME:PASSWORD` with a password as it is
typed is read too, with a warning.
"""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from backend.cli.passwords import checked_hash, is_hash
from backend.cli.serving import VARIABLE
from backend.errors import ConfigError

LONGEST_FILE = 1_000_000  # bytes

Role = Literal["change", "look"]


@dataclass(frozen=True)
class Login:
    """A visitor who may come in. secret : a hash (`backend.cli.passwords`), or a password as it is typed."""

    name: str
    secret: str = field(repr=False)
    role: Role = "change"


Logins = list[Login]


def logins(
    given: str | None, file: Path | None, environment: Mapping[str, str]
) -> tuple[Logins | None, list[str]]:
    """(who may come in or None where nobody is asked, warnings for whoever starts the app).

    given : NAME:PASSWORD as `--auth` takes it. file : with a visitor per line. environment : may hold ITERIT_AUTH, lines like those
    of a file; either option overrules it.

    Raises
    ------
    ConfigError : both options, a file that cannot be read, a line without a name or password, or a name twice. No message
        repeats a password.
    """
    if given is not None and file is not None:
        raise ConfigError("give --auth or --auth-file, not both")
    if file is not None:
        found = _parsed(_text_of(file), f"--auth-file {file}")
        return found, [*_too_open(file), *_typed_out(found, f"--auth-file {file}")]
    if given is not None:
        warning = (
            "--auth: everybody on this machine can read the password in the list of processes (ps); "
            f"--auth-file FILE or the environment variable {VARIABLE} keeps it private"
        )
        return _parsed(given, "--auth"), [warning]
    if VARIABLE in environment:
        found = _parsed(environment[VARIABLE], VARIABLE)
        return found, _typed_out(found, VARIABLE)
    return None, []


def refuse_inside(file: Path | None, folders: Sequence[Path]) -> None:
    """Raise where visitors could read the file of passwords as a pool or a model.

    Raises
    ------
    ConfigError : it lies in one of the folders.
    """
    for folder in folders:
        if file is not None and file.resolve().is_relative_to(Path(folder).resolve()):
            raise ConfigError(
                f"--auth-file {file} lies in {folder}, whose files the app shows to visitors; keep it elsewhere"
            )


def _text_of(file: Path) -> str:
    try:
        if file.stat().st_size > LONGEST_FILE:
            raise ConfigError(
                f"--auth-file {file} is larger than {LONGEST_FILE:,} bytes; expected one NAME:PASSWORD per line"
            )
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"--auth-file {file} cannot be read ({why})") from error


def _too_open(file: Path) -> list[str]:
    """A warning where other users of this machine may read the file; Windows has no such bits."""
    if sys.platform == "win32":
        return []
    if not file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return []
    return [
        f"--auth-file {file} can be read by other users of this machine; chmod 600 {file} keeps it private"
    ]


def _typed_out(found: Logins, where: str) -> list[str]:
    names = [one.name for one in found if not is_hash(one.secret)]
    if not names:
        return []
    return [
        f"{where} holds the {'password' if len(names) == 1 else 'passwords'} of {', '.join(names)} as typed; "
        "`python -m backend password NAME` makes a line with a hash instead"
    ]


def _parsed(text: str, where: str) -> Logins:
    found: dict[str, Login] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            one = _login(line)
        except ConfigError as error:
            raise ConfigError(f"{where} line {number}: {error}") from error
        if one.name in found:
            raise ConfigError(f"{where} line {number}: the name {one.name!r} is listed twice")
        found[one.name] = one
    if not found:
        raise ConfigError(f"{where} is empty; expected NAME:PASSWORD, one per line")
    return list(found.values())


def _login(line: str) -> Login:
    name, _, secret = line.partition(":")
    name = name.strip()
    if not name or not secret:
        raise ConfigError("expected NAME:PASSWORD, one per line")
    if not is_hash(secret):
        # the colons of a typed password are its own, and a role that is read as a part of it would let its visitor change things
        if secret.rstrip().endswith(":look"):
            raise ConfigError(
                "the role look needs a hashed password; `python -m backend password NAME --look` makes the line"
            )
        return Login(name, secret)
    stored, _, role = secret.strip().partition(":")
    if role not in ("", "change", "look"):
        raise ConfigError(f"the role {role!r} is not known; look and change are")
    return Login(name, checked_hash(stored), "look" if role == "look" else "change")
