"""The app in a window of the desktop instead of a tab: with pywebview where it is installed, else a browser without its bars."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backend.errors import ConfigError

TITLE = "IterIT Studio"
SIZE = (1440, 900)
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
    "chrome",
)
# where they are without being on the path
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
LOOK_AGAIN = 2.0  # seconds


def window_of() -> Callable[[str], None]:
    """What shows an address in a window and returns when that is closed; looked for before the app starts.

    Raises
    ------
    ConfigError : neither pywebview nor a browser that can is installed.
    """
    if importlib.util.find_spec("webview") is not None:
        return with_webview
    browser = find_browser()
    if browser is None:
        raise ConfigError(
            "--window needs pywebview (pip install pywebview) or Chromium, Chrome or Edge, and none was found; "
            "without --window the app opens in the browser that is there"
        )
    print("--window: pywebview is not installed; this is a window of the browser", file=sys.stderr)
    return lambda url: with_browser(browser, url)


def find_browser() -> str | None:
    """A browser that knows windows without bars."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or next((place for place in PLACES if Path(place).is_file()), None)


def with_webview(url: str) -> None:
    """In a window of the system's own web view."""
    webview = importlib.import_module("webview")
    webview.create_window(TITLE, url, width=SIZE[0], height=SIZE[1])
    webview.start()


def with_browser(browser: str, url: str) -> None:
    """In a window of a browser, with a profile of its own: with the visitor's it would belong to a process that goes on."""
    with tempfile.TemporaryDirectory(prefix="iterit-window-", ignore_cleanup_errors=True) as profile:
        words = [f"--app={url}", f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}"]
        words += ["--no-first-run", "--no-default-browser-check"]
        # what a browser prints is of no use to whoever started the app
        subprocess.run([browser, *words], check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def show(window: Callable[[str], None], url: str, busy: Callable[[], bool]) -> None:
    """Show the app until its window is closed, and go on as long as something is at work.

    busy : whether a run is going or waits its turn, which this process would start.
    """
    window(url)
    if busy():
        print(
            f"A run is going: the app stays at {url} until it is done; Ctrl+C ends it, the run goes on.",
            flush=True,
        )
    while busy():
        time.sleep(LOOK_AGAIN)
