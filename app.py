"""IterIT Studio in the browser: reads arguments, wires folders and page, launches. Never imports torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import typer
from starlette.middleware import Middleware

from backend import store
from backend.cli.options import RunsDir
from backend.cli.serving import (
    VARIABLE,
    AllowedHosts,
    Auth,
    AuthFile,
    DataRoots,
    Host,
    ModelRoots,
    NoBrowser,
    Port,
    ReadOnly,
    RootPath,
    Share,
    Window,
)
from backend.errors import ConfigError, StudioError
from backend.jobs import lifecycle
from backend.store.leftovers import remove_leftovers
from backend.store.network_disk import warn_of_network_disk
from iterit_ui import layout
from iterit_ui.access.addresses import is_loopback, listening, own_hosts
from iterit_ui.access.front import Front
from iterit_ui.access.logins import logins, refuse_inside
from iterit_ui.access.upload_bounds import LARGEST, Uploads
from iterit_ui.access.visitors import LOGIN_WORDS, Access, asked
from iterit_ui.components.page_files import STYLES, WEB, routes
from iterit_ui.shared import desktop_window
from iterit_ui.shared.daily_copy import copy_daily
from iterit_ui.shared.freed_memory import give_memory_back
from iterit_ui.shared.theme import gradio_theme

if TYPE_CHECKING:
    from iterit_ui.access.guarded_page import GuardedPage

UPLOADS = "uploads"  # within the runs folder
SHARED_HOSTS = ("*.gradio.live",)  # where Gradio's servers show an app that was started with --share


def build(home: Path, data_roots: Sequence[Path] = (), model_roots: Sequence[Path] = ()) -> GuardedPage:
    """The page over a runs folder; see `iterit_ui.layout.build`."""
    home = Path(home).resolve()
    home.mkdir(parents=True, exist_ok=True)
    remove_leftovers(home)
    return layout.build(home, _folders(data_roots), _folders(model_roots))


def launch(
    page: GuardedPage,
    *,
    port: int | None = None,
    host: str = "127.0.0.1",
    access: Access | None = None,
    allowed_hosts: Sequence[str] = (),
    root_path: str = "",
    share: bool = False,
    uploads: Path | None = None,
    browser: bool = False,
    block: bool = True,
) -> str:
    """Serve the page and return its address.

    access : who may come in and change something; None for whoever reaches the address, and everything.
    allowed_hosts : names that it answers to beside its own. root_path : where a proxy shows it, as a path or a whole address.
    share : show it on a server of Gradio's, too. uploads : the folder that uploads go to, where it is this app's alone.

    Raises
    ------
    ConfigError : an address other than this machine's own, or share, without a name and password; an address or a name that cannot be.
    """
    access = access or Access()
    if share and access.logins is None:
        raise ConfigError(
            f"--share shows every pool and run to whoever has the link; give --auth-file FILE too, or set {VARIABLE}"
        )
    if not is_loopback(host) and access.logins is None and not access.read_only and not in_space():
        raise ConfigError(
            f"--host {host} would show every pool and run to the network; give --auth-file FILE too (a line "
            f"for each visitor, made by `python -m backend password NAME`), or set {VARIABLE}, or give --read-only for a "
            "demonstration that everybody may look at, or leave --host at 127.0.0.1"
        )
    give_memory_back()
    copy_daily(page.folders[0])
    host = listening(host)
    space = [name] if in_space() and (name := os.environ.get("SPACE_HOST")) else []
    shared = SHARED_HOSTS if share else ()
    hosts = own_hosts(host, [*allowed_hosts, *(shared if allowed_hosts or is_loopback(host) else ())])
    kept = Uploads(uploads)
    kept.sweep()
    page.access = access
    StudioError.hidden = tuple(map(str, page.folders))
    front = Middleware(
        Front,
        page=page,
        hosts=hosts,
        trusted=[*(name.lower() for name in allowed_hosts), *shared, *space],
        uploads=kept,
    )
    _, url, shared_url = queued(page).launch(
        server_name=host,
        server_port=port,
        root_path=root_path or None,
        auth=asked(access),
        auth_message=login_words(),
        inbrowser=browser,
        quiet=True,
        share=share,
        show_error=True,
        theme=gradio_theme(),
        css_paths=STYLES,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        pwa=True,
        favicon_path=WEB / "icon.svg",
        ssr_mode=False,
        max_file_size=LARGEST,
        app_kwargs={"middleware": [front], "routes": routes()},
        prevent_thread_lock=True,
    )
    print(f"IterIT Studio: {url}", flush=True)
    if share:
        print(
            f"for others: {shared_url}"
            if shared_url
            else "--share: Gradio's server gave no link, so the app is at the address above only",
            flush=True,
        )
    if block:
        page.block_thread()
    return str(url)


def queued(page: GuardedPage) -> GuardedPage:
    """The page with a queue that looks for work 50 times a second, not 1,000 times: that took 5 % of a core from an idle app."""
    # `page.queue(default_concurrency_limit=4)` would build the server once more, as `launch` does anyway
    page._queue.default_concurrency_limit = 4
    page._queue.sleep_when_free = 0.02
    return page


def login_words() -> str:
    """What stands above the fields for name and password, with the style of that page: Gradio gives it none of the app's."""
    styles = "".join(
        (WEB / "page" / f"{name}.css").read_text(encoding="utf-8") for name in ("tokens", "login")
    )
    return f"<span>{LOGIN_WORDS}</span><style>{styles}</style>"


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
    read_only: ReadOnly = False,
    allowed_host: AllowedHosts = None,
    root_path: RootPath = "",
    share: Share = False,
    window: Window = False,
    no_browser: NoBrowser = False,
) -> None:
    """IterIT Studio in the browser."""
    roots, models = data_root or [], model_root or []
    try:
        visitors, warnings = logins(auth, auth_file, os.environ)
        os.environ.pop(VARIABLE, None)  # the processes started from here have no business with it
        refuse_inside(auth_file, [runs_dir, *roots, *models])
        warn_of_network_disk(runs_dir)
        for warning in warnings:
            print(f"app.py: {warning}", file=sys.stderr)
        if window and not has_display():
            raise ConfigError("--window needs a desktop: there is no display here (DISPLAY is not set)")
        shown = desktop_window.window_of() if window else None
        uploads = _upload_folder(runs_dir)
        url = launch(
            build(runs_dir, roots, models),
            port=port,
            host=host or ("0.0.0.0" if in_space() else "127.0.0.1"),
            access=Access(visitors, read_only),
            allowed_hosts=allowed_host or [],
            root_path=root_path,
            share=share,
            uploads=uploads,
            browser=not no_browser and shown is None and has_display(),
            block=shown is None,
        )
        if shown is not None:
            desktop_window.show(shown, url, lambda: _busy(Path(runs_dir).resolve()))
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


def _busy(home: Path) -> bool:
    """Whether a run is at work or waits its turn."""
    lifecycle.pump(home)
    return any(info.active or info.state == "queued" for info in store.runs(home))


def _upload_folder(runs_dir: Path) -> Path | None:
    """Where uploads go: a folder of this app's own, so that what is old there can be deleted; None where the environment names
    one or there can be none."""
    if "GRADIO_TEMP_DIR" in os.environ:
        return None
    folder = Path(runs_dir).resolve() / UPLOADS
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:  # an archive that can only be looked at: the page says so, and loads nothing
        return None
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


if __name__ == "__main__":
    sys.exit(main())
