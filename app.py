"""IterIT Studio in the browser: reads arguments, wires folders and page, launches. Never imports torch."""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from backend.errors import ConfigError, StudioError
from iterit_ui import layout
from iterit_ui.components.base import STYLES
from iterit_ui.logins import VARIABLE, Logins, logins, refuse_inside
from iterit_ui.shared.theme import gradio_theme

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MAX_UPLOAD = "512mb"


def build(home: Path, data_roots: Sequence[Path] = (), model_roots: Sequence[Path] = ()) -> gr.Blocks:
    """The page over a runs folder; see `iterit_ui.layout.build`."""
    home = Path(home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    return layout.build(home, _folders(data_roots), _folders(model_roots))


def launch(
    page: gr.Blocks,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    auth: Logins | None = None,
    browser: bool = False,
    block: bool = True,
) -> str:
    """Serve the page and return its address.

    auth : names and passwords of those who may see it; None for whoever reaches the address.

    Raises
    ------
    ConfigError : an address other than this machine's own without a name and password.
    """
    if not is_loopback(host) and auth is None and not in_space():
        raise ConfigError(
            f"--host {host} would show every pool and run to the network; give --auth-file FILE too (a line "
            f"NAME:PASSWORD for each visitor), or set {VARIABLE}, or leave --host at 127.0.0.1"
        )
    _, url, _ = page.queue(default_concurrency_limit=4).launch(
        server_name=host,
        server_port=port,
        auth=auth,
        inbrowser=browser,
        quiet=True,
        share=False,
        show_error=True,
        theme=gradio_theme(),
        css_paths=STYLES,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        pwa=False,
        ssr_mode=False,
        max_file_size=MAX_UPLOAD,
        app_kwargs={"middleware": _trusted_hosts(host)},
        prevent_thread_lock=True,
    )
    print(f"IterIT Studio: {url}", flush=True)
    if block:
        page.block_thread()
    return str(url)


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def in_space() -> bool:
    """Whether this is a Hugging Face Space: made to be seen by its visitors, behind a proxy that must reach it."""
    return bool(os.environ.get("SPACE_ID"))


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line of `python app.py`."""
    parser = argparse.ArgumentParser(prog="app.py", description="IterIT Studio in the browser.")
    parser.add_argument(
        "--port", type=int, default=None, help="port to listen on (default: the first free from 7860)"
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0" if in_space() else "127.0.0.1",
        help=f"address to listen on; another than this machine's needs --auth-file or {VARIABLE} (default: %(default)s)",
    )
    parser.add_argument(
        "--auth-file",
        type=Path,
        default=None,
        metavar="FILE",
        help=f"ask visitors for a name and a password: a file with one NAME:PASSWORD per line. The environment variable {VARIABLE} "
        "takes the same lines",
    )
    parser.add_argument(
        "--auth",
        default=None,
        metavar="NAME:PASSWORD",
        help="the same for one visitor; every user of this machine can read the password in the list of processes",
    )
    parser.add_argument(
        "--runs-dir", type=Path, default=Path("runs"), help="folder for pools and runs (default: runs)"
    )
    parser.add_argument(
        "--data-root",
        type=Path,
        action="append",
        default=[],
        help="folder that pools may be read from; may be repeated",
    )
    parser.add_argument(
        "--model-root",
        type=Path,
        action="append",
        default=[],
        help="folder that models may be read from; may be repeated",
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Run the app until it is stopped; 2 where the arguments do not fit."""
    given = arguments(words)
    try:
        auth, warnings = logins(given.auth, given.auth_file, os.environ)
        os.environ.pop(VARIABLE, None)  # the processes started from here have no business with it
        refuse_inside(given.auth_file, [given.runs_dir, *given.data_root, *given.model_root])
        for warning in warnings:
            print(f"app.py: {warning}", file=sys.stderr)
        page = build(given.runs_dir, given.data_root, given.model_root)
        launch(
            page,
            port=given.port,
            host=given.host,
            auth=auth,
            browser=not given.no_browser and has_display(),
        )
    except (StudioError, OSError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    return 0


def has_display() -> bool:
    """Whether a browser could be opened here."""
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def _folders(paths: Sequence[Path]) -> tuple[Path, ...]:
    missing = [path for path in paths if not Path(path).is_dir()]
    if missing:
        raise ConfigError(f"{missing[0]} is not a folder")
    return tuple(Path(path).resolve() for path in paths)


def _trusted_hosts(host: str) -> list[Any]:
    """Only this machine's names on the loopback: a page elsewhere cannot reach the app through a name of its own."""
    if not is_loopback(host):
        return []
    return [Middleware(TrustedHostMiddleware, allowed_hosts=list(LOOPBACK))]


if __name__ == "__main__":
    sys.exit(main())
