"""Takes the pictures of this folder anew: `make screenshots` (first compares two strategies on the demo, unless --runs-dir
has runs; that takes minutes).

Each tab at 1280 px, light and dark, as a visitor sees it after a demo run.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "screenshots"
BROWSER = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
READY = {  # what has to be drawn before a tab's picture is taken
    "data": "#sources-chart .main-svg",
    "curate": "#lengths-chart .main-svg",
    "tune": "#tune-loss .main-svg",
    "epochs": "#epochs-flow svg",
    "compare": "#compare-course .main-svg",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs-dir", type=Path, help="a runs folder with a finished comparison")
    parser.add_argument("--tab", choices=list(READY), action="append", help="only these")
    given = parser.parse_args()
    chromium = shutil.which("chromium") or sys.exit("Chromium is not installed")
    with tempfile.TemporaryDirectory() as folder:
        runs = given.runs_dir or Path(folder)
        if given.runs_dir is None:
            strategies = "iterit,random,random-each-epoch"
            words = [
                "compare",
                "start",
                "demo",
                "--model",
                "demo",
                "--strategies",
                strategies,
                "--seeds",
                "0,1",
            ]
            subprocess.run([*backend(*words), "--yes", "--runs-dir", runs], cwd=ROOT, check=True)
        told = subprocess.run(
            [*backend("compare", "list"), "--json", "--runs-dir", runs],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        comparison = json.loads(told.stdout)[0]
        wait_for_the_end(runs)
        run = comparison["runs"][0]
        app = subprocess.Popen(
            [sys.executable, "app.py", "--no-browser", "--runs-dir", runs],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert app.stdout is not None
            address = re.search(r"http://\S+", app.stdout.readline())
            assert address, "the app did not say its address"
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER)
                for theme in ("light", "dark"):
                    page = browser.new_page(viewport={"width": 1280, "height": 900})
                    for tab in given.tab or READY:
                        take(page, address[0], tab, theme, run, comparison["id"])
                    page.close()
        finally:
            app.terminate()
            app.wait()


def backend(*words: str) -> list[str]:
    return [sys.executable, "-m", "backend", *words]


def wait_for_the_end(runs: Path) -> None:
    """Return once no run is running or queued."""
    while True:
        told = subprocess.run(
            [*backend("runs"), "--json", "--runs-dir", runs], cwd=ROOT, check=True, capture_output=True
        )
        if all(info["state"] in ("done", "failed", "stopped") for info in json.loads(told.stdout)):
            return
        time.sleep(5)


def take(page: Page, address: str, tab: str, theme: str, run: str, comparison: str) -> None:
    """One picture, once everything on it is drawn and has come to rest."""
    query = {"tab": tab, "__theme": theme, "run": run, "epoch": 2, "comparison": comparison}
    page.goto(f"{address}?{urlencode(query)}")
    page.wait_for_selector(READY[tab], timeout=60_000)
    if tab == "curate":
        page.locator("#curate-table tbody tr").nth(2).click()
    page.evaluate("scrollTo(0, 0)")  # what stays in sight would stand in the middle of the picture
    page.wait_for_timeout(8000)  # the page keeps a connection open, so there is no idle network to wait for
    OUT.mkdir(exist_ok=True)
    # Curate fits the window
    page.set_viewport_size({"width": 1280, "height": 800 if tab in ("curate", "epochs") else 900})
    page.wait_for_timeout(1000)
    page.screenshot(path=OUT / f"{tab}-{theme}.png", full_page=True)
    print(OUT / f"{tab}-{theme}.png")


if __name__ == "__main__":
    main()
