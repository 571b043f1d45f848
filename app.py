"""IterIT Studio in the browser: reads arguments, wires folders and page, launches. Never imports torch."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import typer
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from backend.cli.options import RunsDir
from backend.cli.serving import (
    VARIABLE,
    Auth,
    AuthFile,
    DataRoots,
    Host,
    ModelRoots,
    NoBrowser,
    Port,
)
from backend.errors import ConfigError, StudioError
from iterit_ui import layout
from iterit_ui.components.base import STYLES
from iterit_ui.logins import Logins, logins, refuse_inside
from iterit_ui.shared.theme import gradio_theme

if TYPE_CHECKING:
    import gradio as gr

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
    _, url, _ = queued(page).launch(
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


def queued(page: gr.Blocks) -> gr.Blocks:
    """The page with a queue that looks for work 50 times a second, not 1,000 times: that took 5 % of a core from an idle app."""
    # `page.queue(default_concurrency_limit=4)` would build the server once more, as `launch` does anyway
    page._queue.default_concurrency_limit = 4
    page._queue.sleep_when_free = 0.02
    return page


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


def serve(
    *,
    port: Port = None,
    host: Host = "",
    auth_file: AuthFile = None,
    auth: Auth = None,
    runs_dir: RunsDir = Path("runs"),
    data_root: DataRoots = None,
    model_root: ModelRoots = None,
    no_browser: NoBrowser = False,
) -> None:
    """IterIT Studio in the browser."""
    roots, models = data_root or [], model_root or []
    try:
        visitors, warnings = logins(auth, auth_file, os.environ)
        os.environ.pop(VARIABLE, None)  # the processes started from here have no business with it
        refuse_inside(auth_file, [runs_dir, *roots, *models])
        for warning in warnings:
            print(f"app.py: {warning}", file=sys.stderr)
        launch(
            build(runs_dir, roots, models),
            port=port,
            host=host or ("0.0.0.0" if in_space() else "127.0.0.1"),
            auth=visitors,
            browser=not no_browser and has_display(),
        )
    except (StudioError, OSError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        raise typer.Exit(2) from error


def main(words: Sequence[str] | None = None) -> int:
    """Run the app until it is stopped; 2 where the arguments do not fit."""
    command = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    command.command()(serve)
    try:
        command(args=words, prog_name="app.py")
    except SystemExit as end:
        return int(end.code or 0)
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
