"""Who may see the app: names and passwords from a file, the environment or the command line."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.cli.serving import VARIABLE
from backend.errors import ConfigError

LONGEST_FILE = 1_000_000  # bytes

Logins = list[tuple[str, str]]


def logins(
    given: str | None, file: Path | None, environment: Mapping[str, str]
) -> tuple[Logins | None, list[str]]:
    """(names with passwords or None where none is asked for, warnings for whoever starts the app).

    given : NAME:PASSWORD as `--auth` takes it. file : with one NAME:PASSWORD per line. environment : may hold ITERIT_AUTH,
    lines like those of a file; either option overrules it.

    Raises
    ------
    ConfigError : both options, a file that cannot be read, a line without a name or password, or a name twice. No message
        repeats a password.
    """
    if given is not None and file is not None:
        raise ConfigError("give --auth or --auth-file, not both")
    if file is not None:
        return _parsed(_text_of(file), f"--auth-file {file}"), _too_open(file)
    if given is not None:
        warning = (
            "--auth: everybody on this machine can read the password in the list of processes (ps); "
            f"--auth-file FILE or the environment variable {VARIABLE} keeps it private"
        )
        return _parsed(given, "--auth"), [warning]
    if VARIABLE in environment:
        return _parsed(environment[VARIABLE], VARIABLE), []
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
    """A warning where other users of this machine may read the file."""
    if not file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        return []
    return [
        f"--auth-file {file} can be read by other users of this machine; chmod 600 {file} keeps it private"
    ]


def _parsed(text: str, where: str) -> Logins:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, password = line.partition(":")
        name = name.strip()
        if not name or not password:
            raise ConfigError(f"{where} line {number}: expected NAME:PASSWORD, one per line")
        if name in found:
            raise ConfigError(f"{where} line {number}: the name {name!r} is listed twice")
        found[name] = password
    if not found:
        raise ConfigError(f"{where} is empty; expected NAME:PASSWORD, one per line")
    return list(found.items())
