"""The command that opens the page, and its options, which `python app.py` takes, too."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from backend.cli import console
from backend.cli.options import RunsDir
from backend.errors import ConfigError

VARIABLE = "ITERIT_AUTH"  # names and passwords, where they are given in the environment

Port = Annotated[
    int | None, typer.Option("--port", help="Port to listen on; the first free from 7860 by default.")
]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        help=f"Address to listen on; another than this machine's needs --auth-file or {VARIABLE}. "
        "[default: 127.0.0.1; 0.0.0.0 in a Space]",
    ),
]
AuthFile = Annotated[
    Path | None,
    typer.Option(
        "--auth-file",
        envvar="ITERIT_AUTH_FILE",
        metavar="FILE",
        help="Ask visitors for a name and a password: a file with a line for each, made by "
        f"`python -m backend password NAME`. The environment variable {VARIABLE} takes the same lines.",
    ),
]
Auth = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="NAME:PASSWORD",
        help="The same for one visitor; every user of this machine can read the password in the list of processes.",
    ),
]
DataRoots = Annotated[
    list[Path] | None,
    typer.Option(
        "--data-root", envvar="ITERIT_DATA_ROOT", help="Folder that pools may be read from; may be repeated."
    ),
]
ModelRoots = Annotated[
    list[Path] | None,
    typer.Option(
        "--model-root",
        envvar="ITERIT_MODEL_ROOT",
        help="Folder that models may be read from; may be repeated.",
    ),
]
ReadOnly = Annotated[
    bool,
    typer.Option(
        "--read-only",
        envvar="ITERIT_READ_ONLY",
        help="Every visitor may look and nobody may change anything; for demonstrations.",
    ),
]
AllowedHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allowed-host",
        envvar="ITERIT_ALLOWED_HOST",
        metavar="NAME",
        help="A name by which a proxy asks for the app (studio.example.org, *.example.org); others are refused. May be repeated.",
    ),
]
RootPath = Annotated[
    str,
    typer.Option(
        "--root-path",
        envvar="ITERIT_ROOT_PATH",
        metavar="PATH",
        help="Where a proxy shows the app: /studio, or a whole address (https://example.org/studio).",
    ),
]
Share = Annotated[
    bool,
    typer.Option(
        "--share",
        help="Show the app under a link on a server of Gradio's, too, for a week; needs passwords.",
    ),
]
Window = Annotated[
    bool,
    typer.Option(
        "--window",
        help="Show the app in a window of its own; closing it ends the app, unless a run is going.",
    ),
]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")]


def open_app(
    *,
    port: Port = None,
    host: Host = "",
    auth_file: AuthFile = None,
    auth: Auth = None,
    runs_dir: RunsDir = Path("runs"),
    data_root: DataRoots = None,
    model_root: ModelRoots = None,
    read_only: ReadOnly = False,
    allowed_host: AllowedHosts = None,
    root_path: RootPath = "",
    share: Share = False,
    window: Window = False,
    no_browser: NoBrowser = False,
) -> None:
    """Open the page in the browser, the same as python app.py."""
    words = ["--runs-dir", str(runs_dir)]
    words += ["--host", host] if host else []
    words += ["--port", str(port)] if port is not None else []
    words += ["--auth-file", str(auth_file)] if auth_file is not None else []
    if auth is not None:
        if auth_file is not None:
            raise ConfigError("give --auth or --auth-file, not both")
        console.say(
            "--auth: a password on a command line can be read in the list of processes (ps) and stays in the shell's "
            f"history; --auth-file FILE or {VARIABLE} keeps it private"
        )
        os.environ[VARIABLE] = auth  # not on the app's command line
    for name, values in (
        ("--data-root", data_root),
        ("--model-root", model_root),
        ("--allowed-host", allowed_host),
    ):
        for value in values or ():
            words += [name, str(value)]
    words += ["--root-path", root_path] if root_path else []
    words += ["--read-only"] if read_only else []
    words += ["--share"] if share else []
    words += ["--window"] if window else []
    words += ["--no-browser"] if no_browser else []
    sys.stdout.flush()
    if sys.platform == "win32":  # there it would leave the terminal while the app goes on
        raise typer.Exit(subprocess.call(app_command(words)))
    os.execv(sys.executable, app_command(words))


def app_command(words: Sequence[str]) -> list[str]:
    """The command that opens the app with these options: app.py at the top of the repository, or where it is installed."""
    root = Path(__file__).resolve().parents[2]
    if (root / "iterit_ui" / "app.py").exists():  # where a wheel has it, see pyproject.toml
        # a folder named backend where the command is given is not ours
        return [sys.executable, "-P", "-m", "iterit_ui.app", *words]
    return [sys.executable, str(root / "app.py"), *words]
