"""Curate and Epochs at one glance: what is in the window without scrolling, and panels that are widened, folded and enlarged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import expect

from .conftest import WAIT
from .test_in_sight import STEPS, in_sight

sys.path.append(str(Path(__file__).parents[1] / "ui"))
from run_folders import make_run

expect.set_options(timeout=WAIT)
CHARTS = ["#complexity-chart .st-plot", "#diversity-chart .st-plot", "#lengths-chart .st-plot"]
SIZE = "selector => { const b = document.querySelector(selector).getBoundingClientRect(); return [b.width, b.height]; }"


@pytest.fixture
def bench(page, goto):
    """The demo on Curate, in a window of 1280 x 800, with a sample open."""
    page.set_viewport_size({"width": 1280, "height": 800})
    goto(page, "curate")
    page.locator("#curate-map .st-stage[data-points]").wait_for()
    page.locator("#lengths-chart .main-svg").first.wait_for()
    page.locator("#curate-table tbody tr").nth(2).locator("td").last.click()
    page.locator("#curate-sample .st-talk").wait_for()
    return page


def size(page, selector: str) -> tuple[float, float]:
    return tuple(page.evaluate(SIZE, selector))


def fits(page) -> None:
    """The window scrolls in neither direction."""
    page.wait_for_function(
        "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
    )


def test_curate_at_one_glance(bench):
    fits(bench)
    first = ".st-scroll tbody tr:nth-child({})"
    rows = [f"#curate-table {first.format(n)}" for n in (1, 2, 3)]
    parts = [
        STEPS,
        "#tab-curate .side",
        ".bench-top",
        "#curate-filter",
        "#curate-map .st-stage",
        *CHARTS,
        *rows,
    ]
    in_sight(bench, *parts, "#tab-curate .aside")
    for chart in CHARTS:
        width, height = size(bench, chart)
        assert width > 200 and height > 50, (chart, width, height)
    assert min(size(bench, "#curate-map .st-stage")) > 150  # also while a line says that it is being laid out
    ends = [bench.locator(s).bounding_box() for s in ("#curate-map [data-tool=names]", "#curate-map .st-map")]
    assert ends[0]["x"] + ends[0]["width"] <= ends[1]["x"] + ends[1]["width"]  # the last of the map's tools
    # the figures stand in one line, the two that matter large
    boxes = [card.bounding_box() for card in bench.locator("#curate-cards .st-card").all()[:-1]]
    assert max(box["y"] + box["height"] for box in boxes) - min(box["y"] for box in boxes) < 60
    sizes = bench.evaluate(
        "[...document.querySelectorAll('#curate-cards .num')].map(n => parseFloat(getComputedStyle(n).fontSize))"
    )
    assert sorted(sizes)[-2] > 1.4 * sorted(sizes)[-3]
    # settings and sample scroll within their panels
    for panel in (".bench-side > .sheet", ".bench-aside > .st-host"):
        assert bench.evaluate("s => getComputedStyle(document.querySelector(s)).overflowY", panel) == "auto"
    # what the axes and titles say is not cut
    for chart in ("complexity", "diversity", "lengths"):
        assert bench.evaluate(
            """id => { const box = document.querySelector(id).getBoundingClientRect();
              return [...document.querySelectorAll(`${id} .xtick, ${id} .ytick`)].every((one) => {
                const b = one.getBoundingClientRect(); return b.left >= box.left && b.bottom <= box.bottom + 1; }); }""",
            f"#{chart}-chart",
        )


def test_epochs_at_one_glance(page, goto, runs_dir, app_url):
    run = make_run(runs_dir, epochs=2, planned=2)
    page.set_viewport_size({"width": 1280, "height": 800})
    goto(page, "epochs", run=run)
    page.locator("#epochs-lengths .main-svg").first.wait_for()
    page.locator("#epochs-flow svg").wait_for()
    charts = [f"#epochs-{name} .st-plot" for name in ("complexity", "diversity", "lengths")]
    in_sight(page, STEPS, ".epochs-bar", "#epochs-cards", "#epochs-flow .st-flow", "#epochs-map", *charts)
    for chart in charts:
        assert size(page, chart)[1] > 50


def test_panels_are_folded_widened_and_enlarged_and_it_is_remembered(bench):
    page = bench
    before = size(page, "#curate-map .st-stage")[0]
    page.get_by_role("button", name="fold away: Settings").click()
    page.get_by_role("button", name="fold away: Open sample").click()
    page.wait_for_function(
        f"{SIZE.replace('selector =>', '((selector) =>')})('#curate-map .st-stage')[0] > {before + 100}"
    )
    expect(page.locator("#settings")).to_be_hidden()
    # an edge is dragged
    edge = page.get_by_role("separator", name="Height of Samples").bounding_box()
    tall = size(page, "#curate-table")[1]
    page.mouse.move(edge["x"] + 200, edge["y"] + 5)
    page.mouse.down()
    page.mouse.move(edge["x"] + 200, edge["y"] - 75, steps=4)
    page.mouse.up()
    assert size(page, "#curate-table")[1] == pytest.approx(tall + 80, abs=3)
    page.get_by_role("button", name="Trade-off").click()
    page.locator("#density-chart .main-svg").first.wait_for()
    expect(page.locator("#curate-map")).to_be_hidden()
    fits(page)
    page.reload()
    page.locator("#curate-table tbody tr").first.wait_for()
    expect(page.locator("#settings")).to_be_hidden()
    page.locator("#density-chart .main-svg").first.wait_for()
    assert size(page, "#curate-table")[1] == pytest.approx(tall + 80, abs=3)
    page.get_by_role("button", name="show Settings").click()
    expect(page.locator("#settings")).to_be_visible()
    # the table fills the window, the open sample stays beside it; Escape brings everything back
    page.get_by_role("button", name="Samples as large as the window").click()
    expect(page.locator("#settings")).to_be_hidden()
    assert size(page, "#curate-table")[1] > 600
    fits(page)
    page.keyboard.press("Escape")
    expect(page.locator("#settings")).to_be_visible()
    page.get_by_role("separator", name="Height of Samples").dblclick()
    page.wait_for_function(
        f"Math.abs({SIZE.replace('selector =>', '((selector) =>')})('#curate-table')[1] - {tall}) < 4"
    )
    # what a browser keeps may be damaged
    page.get_by_role("button", name="fold away: Settings").click()
    page.evaluate("localStorage.setItem('studio-bench-curate', '{\"folded\": 3')")
    page.reload()
    page.locator("#curate-table tbody tr").first.wait_for()
    expect(page.locator("#settings")).to_be_visible()


def test_a_narrow_window_stacks_what_a_wide_one_uses(bench):
    page = bench
    for width, height in ((1024, 768), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        fits(page)
        in_sight(
            page,
            STEPS,
            "#tab-curate .side",
            ".bench-top",
            "#curate-map",
            *CHARTS,
            "#curate-table .st-table-head",
        )
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
    tops = [
        page.locator(s).bounding_box()["y"]
        for s in (".bench-top", "#curate-map", "#complexity-chart", "#curate-table")
    ]
    assert tops == sorted(tops)


def test_the_page_can_be_skipped_into_and_its_boxes_are_dark_in_dark(page, goto):
    goto(page, "curate")
    page.keyboard.press("Tab")
    expect(page.locator(".st-skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "tab-curate"
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(scheme) == "light"
    page.locator(".st-theme").click()
    assert page.evaluate(scheme) == "dark"


def test_a_cut_text_says_the_whole_of_it_when_pointed_at(bench):
    cell = bench.locator(".dense h3 small").first
    bench.evaluate("document.querySelector('.dense h3 small').textContent = 'a-long-name-'.repeat(12)")
    cell.hover()
    expect(cell).to_have_attribute("title", "a-long-name-" * 12)
    bench.locator("#curate-cards").hover()
    expect(cell).not_to_have_attribute("title", "a-long-name-" * 12)


def test_a_chart_is_downloaded_as_picture_and_as_figures(bench):
    chart = bench.locator("#complexity-chart")
    chart.hover()
    for kind, begins in (("PNG", b"\x89PNG"), ("SVG", b"<svg"), ("CSV", b"series,x,y,from,to\r\n")):
        chart.locator(".st-chart-menu summary").click()
        with bench.expect_download() as download:
            chart.get_by_role("button", name=kind).click()
        assert download.value.suggested_filename == f"how-hard-for-the-model.{kind.lower()}"
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(begins), content[:80]
    lines = [line.split(",") for line in content.decode().splitlines()[1:]]
    bars = bench.evaluate(
        "document.querySelector('#complexity-chart .st-plot').data.map((one) => [one.name ?? '', one.y.reduce((a, b) => a + b, 0)])"
    )
    told = [sum(float(y) for series, _, y, *_ in lines if series == name) for name, _ in bars if name]
    assert told == [total for name, total in bars if name] and sum(told) > 0
    # a text that a spreadsheet would take for a formula is none, and commas stay in their cell
    assert bench.evaluate("studio.csv([{a: '=1+1', b: 'x,\"y\"', c: -1.5}])") == (
        'a,b,c\r\n\'=1+1,"x,""y""",-1.5\r\n'
    )


# counts from when nothing has been drawn for half a second
COUNT = """() => new Promise((done) => {
  const {react} = studio.plotly;
  let last = performance.now();
  window.drawn = 0;
  studio.plotly.react = (...given) => { window.drawn += 1; last = performance.now(); return react(...given); };
  const timer = setInterval(() => {
    if (performance.now() - last < 500) return;
    clearInterval(timer);
    window.drawn = 0;
    done();
  }, 50);
})"""
TOGGLE = """name => new Promise((done) => {
  document.body.classList.toggle(name);
  requestAnimationFrame(() => requestAnimationFrame(() => done(window.drawn)));
})"""


def test_charts_are_drawn_anew_for_another_theme_only(bench):
    """Of the body's classes one says that something is awaited, with every answer that takes long."""
    bench.evaluate(COUNT)
    assert bench.evaluate(TOGGLE, "awaiting") == 0
    assert bench.evaluate(TOGGLE, "dark") >= 3  # the other tabs' charts too
    bench.evaluate(TOGGLE, "dark")
