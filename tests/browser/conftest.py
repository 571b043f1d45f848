"""The app as its users meet it: a process of its own on a free port, and one Chromium.

The page fixtures fail on an error of the page, an error in its console, a dialog (the test data hold payloads that
would open one) and a request that leaves the machine. App and Chromium end with the last test of this folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from backend import store
from backend.errors import RunError
from backend.jobs import lifecycle

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 60_000  # ms; the machine may be busy with something else

# whether no box has moved since this was asked before
AT_REST = """() => {
  const boxes = [...document.querySelectorAll('.panel, .sheet, .st-note')].map((e) => e.getBoundingClientRect());
  const [before, now] = [window.boxesBefore, JSON.stringify(boxes)];
  window.boxesBefore = now;
  return before === now;
}"""

# what must show up as the text that it is
PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    "${alert(2)} {{constructor.constructor('alert(3)')()}}",
    "<script>alert(4)</script></textarea><b>bold</b>",
    "`${document.body.innerHTML=''}` &lt;i&gt; \\u003cb\\u003e",
]


# files that take minutes, with few tests each: begun last they would leave one process without work
LONG_FILES = (
    "test_tune_run",
    "test_tune_epochs",
    "test_guide",
    "test_app_restart",
    "test_curate",
    "test_data",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, then the others in their order."""
    rank = {ROOT / "tests" / "browser" / f"{name}.py": number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.fixture(scope="package")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files as people bring them: payloads, unknown columns, and one that holds nothing."""
    folder = tmp_path_factory.mktemp("data")
    rows = [
        {"instruction": f"{payload} question {i}", "output": f"{payload} answer {i}", "source": payload}
        for i, payload in enumerate(PAYLOADS * 10)
    ]
    rows.append({"instruction": "no answer"})
    (folder / "payloads.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (folder / "broken.json").write_text('{"this is": [not json')
    odd = [{"question text": f"What is {i} + {i}?", "reply": f"It is {2 * i}."} for i in range(30)]
    (folder / "columns.json").write_text(json.dumps(odd))
    return folder


@pytest.fixture(scope="package")
def shared() -> Path:
    """Real pools that are no part of the project."""
    folder = Path(os.environ.get("ITERIT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there (ITERIT_SHARED names the folder)")
    return folder


@pytest.fixture(scope="package")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The app's runs folder."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module", autouse=True)
def nothing_left_running(runs_dir: Path) -> Iterator[None]:
    """A run that a failed test left queued, waiting or at work does not hold up those of the next file."""
    yield
    for job in store.list_jobs(runs_dir, kind="run", states=("queued",)):
        store.set_state(runs_dir, job.id, "stopped", expect=("queued",))
    for job in store.list_jobs(runs_dir, kind="run", states=store.ACTIVE):
        with contextlib.suppress(RunError):  # it has ended meanwhile
            lifecycle.kill(runs_dir, job.id)


@pytest.fixture(scope="package")
def app_url(runs_dir: Path, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app."""
    with serving(runs_dir, data_root, tmp_path_factory.mktemp("app")) as url:
        yield url


@contextlib.contextmanager
def serving(runs_dir: Path, data_root: Path, folder: Path) -> Iterator[str]:
    """Within the block an app answers at the address. folder : an empty one for its log and uploads."""
    words = ["app.py", "--runs-dir", str(runs_dir), "--data-root", str(data_root), "--no-browser"]
    with serving_page(words, folder) as url:
        yield url


@contextlib.contextmanager
def serving_page(words: Sequence[str], folder: Path, **environment: str) -> Iterator[str]:
    """The same for any script that serves a page at the port it is given.

    words : the script and what it is given. environment : what it has besides this process's and no network.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, uploads = folder / "app.log", folder / "uploads"
    uploads.mkdir()
    command = [sys.executable, *words, "--port", str(port)]
    variables = {
        **os.environ,
        "GRADIO_ANALYTICS_ENABLED": "False",
        "HF_HUB_OFFLINE": "1",
        "GRADIO_TEMP_DIR": str(uploads),
        **environment,
    }
    with open(log, "w") as out:
        app = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        started = time.monotonic()
        while True:
            assert app.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(url, timeout=3).read()
                break
            except (urllib.error.URLError, OSError):
                assert time.monotonic() - started < 120, log.read_text()
                time.sleep(0.1)
        yield url
    finally:
        app.terminate()
        app.wait(30)


@pytest.fixture(scope="package")
def browser() -> Iterator[object]:
    """Chromium; without it the browser tests are skipped, except where a machine runs all tests (CI is set)."""
    sync_api = pytest.importorskip("playwright.sync_api")
    # the first is the same engine without a browser's window around it
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        if os.environ.get("CI"):
            pytest.fail("browser tests need Chromium: apt-get install chromium")
        pytest.skip("no Chromium here: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def visitor(browser) -> Iterator[object]:
    """A browser that keeps the scripts it has loaded, as a visitor's does; it forgets all else between tests."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(WAIT)
    yield context
    context.close()


def watched_parting(page) -> None:
    """Let a page say that it is going: then answers that it waited for are not missed."""
    if hasattr(page, "leaving"):
        return
    page.leaving = False

    def parting(call: Callable) -> Callable:
        def leave(*given, **named):
            page.leaving = True
            try:
                return call(*given, **named)
            finally:
                page.leaving = False

        return leave

    page.goto, page.reload = parting(page.goto), parting(page.reload)


@pytest.fixture
def new_page(browser, visitor, app_url: str) -> Iterator[Callable]:
    """Opens pages of a given size that are watched; checks all of them at the end. Each is another visitor's.

    The first is the window of the test before: one that has drawn the app does so again in half the time.
    """
    opened, bad = [], []

    def spoken(page, message) -> bool:
        # a page that goes aborts the requests that are under way, and Gradio says so, sometimes when the next is there
        parting = "AbortError" in message.text or (page.leaving and "errored out" in message.text)
        return message.type == "error" and not parting

    def watch(page) -> list[tuple[str, Callable]]:
        allowed = (app_url, "data:", "blob:")
        listeners = [
            ("pageerror", lambda error: bad.append(f"page error: {error}")),
            ("console", lambda m: bad.append(f"console: {m.text}") if spoken(page, m) else None),
            ("dialog", lambda d: (bad.append(f"dialog: {d.message}"), d.dismiss())),
            ("request", lambda r: None if r.url.startswith(allowed) else bad.append(f"external: {r.url}")),
        ]
        for event, listener in listeners:
            page.on(event, listener)
        return listeners

    def open_page(width: int = 1280, height: int = 900, fresh: bool = False):
        if opened or fresh:
            context = browser.new_context(reduced_motion="reduce")
            context.set_default_timeout(WAIT)
            page = context.new_page()
        else:
            page = visitor.pages[0] if visitor.pages else visitor.new_page()
            kept = {"origin": app_url, "storageTypes": "local_storage,cookies"}
            session = visitor.new_cdp_session(page)
            session.send("Storage.clearDataForOrigin", kept)
            session.detach()
        watched_parting(page)
        page.set_viewport_size({"width": width, "height": height})
        opened.append((page, watch(page)))
        return page

    yield open_page
    for page, listeners in opened:
        if page.context is not visitor:
            page.context.close()
            continue
        if page.is_closed():
            continue
        page.unroute_all(behavior="ignoreErrors")
        for event, listener in listeners:
            page.remove_listener(event, listener)
        if page.url.startswith(app_url):
            page.evaluate("sessionStorage.clear()")
        page.mouse.move(0, 0)
        page.goto("about:blank")
    assert bad == []


@pytest.fixture
def page(new_page):
    """A page of 1280 x 900."""
    return new_page(1280, 900)


@pytest.fixture
def fresh_page(new_page):
    """A page of 1280 x 900 in a window of its own, which a script may be planted in."""
    return new_page(1280, 900, fresh=True)


@pytest.fixture
def wide_page(new_page):
    """A page of 1920 x 1080."""
    return new_page(1920, 1080)


@pytest.fixture
def goto(app_url: str) -> Callable:
    """Opens the app on a tab and waits until that tab's first component has been drawn."""
    first = {"data": "data-cards", "curate": "curate-cards", "tune": "", "epochs": "", "compare": ""}

    def go(page, tab: str = "data", **query: object):
        words = "&".join(f"{key}={value}" for key, value in {"tab": tab, **query}.items())
        page.goto(f"{app_url}/?{words}")
        page.locator(f'#steps button[role=tab][data-tab-id="{tab}"][aria-selected=true]').wait_for()
        if first[tab]:
            page.locator(f"#{first[tab]} .st-card").first.wait_for()
        return page

    return go


@pytest.fixture
def rev() -> Callable:
    """The revision that a component wrote after it last drew."""

    def read(page, elem_id: str) -> str:
        found = page.locator(f"#{elem_id} [data-rev]").first
        found.wait_for(state="attached")
        return found.get_attribute("data-rev")

    return read


@pytest.fixture
def redrawn() -> Callable:
    """Waits until a component shows another revision than the given one."""

    def wait(page, elem_id: str, before: str) -> None:
        page.wait_for_function(
            "([id, rev]) => { const e = document.querySelector(`#${id} [data-rev]`); return e && e.dataset.rev !== rev; }",
            arg=[elem_id, before],
        )

    return wait


@pytest.fixture
def tidy() -> Callable:
    """Checks that a page neither scrolls sideways nor shows boxes that overlap."""

    def check(page) -> None:
        width = page.viewport_size["width"]
        page.evaluate("scrollTo(0, 0)")  # further down the header is over what scrolls
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = page.evaluate(
            """() => [...document.querySelectorAll('.panel, .sheet, .st-note, .st-header, .scorer')]
                .filter(e => e.offsetParent !== null && e.offsetWidth && !e.parentElement.closest('.panel'))
                .map(e => {
                    let {left, top, right, bottom} = e.getBoundingClientRect();
                    // what a column that scrolls has cut off covers nothing
                    for (let around = e.parentElement; around !== document.body; around = around.parentElement) {
                        if (getComputedStyle(around).overflowY === 'visible') continue;
                        const cut = around.getBoundingClientRect();
                        [left, right] = [Math.max(left, cut.left), Math.min(right, cut.right)];
                        [top, bottom] = [Math.max(top, cut.top), Math.min(bottom, cut.bottom)];
                    }
                    return [e.className + '#' + (e.closest('[id]')?.id || ''), left, top, right, bottom];
                })
                .filter(([, left, top, right, bottom]) => left < right && top < bottom)"""
        )
        assert len(boxes) > 3
        inside = ("sheet", "scorer")
        for i, (name, left, top, right, bottom) in enumerate(boxes):
            assert left >= -1 and right <= width + 1, (name, left, right)
            for other, left2, top2, right2, bottom2 in boxes[i + 1 :]:
                if any(word in name or word in other for word in inside):
                    continue  # panels inside a sheet
                apart = right <= left2 + 1 or right2 <= left + 1 or bottom <= top2 + 1 or bottom2 <= top + 1
                assert apart, (name, other)

    return check


@pytest.fixture
def tidy_everywhere(tidy) -> Callable:
    """The same at both widths, in light and dark."""

    def check(page) -> None:
        for theme in ("light", "dark"):
            if theme == "dark":
                page.locator("#header .st-theme").click()
                page.wait_for_function("document.body.classList.contains('dark')")
            for width, height in ((1280, 900), (1920, 1080)):
                page.set_viewport_size({"width": width, "height": height})
                # charts and tables take their new size a moment after the window has
                page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
                page.wait_for_function(AT_REST, polling=200)
                tidy(page)

    return check
