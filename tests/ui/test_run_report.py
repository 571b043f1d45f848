"""A run's report: one file that asks nothing of a network, in which no text of the data can run, with Present's figures."""

import dataclasses
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import typer.testing
from run_folders import PAYLOAD, make_run

from backend import store
from backend.cli import commands
from backend.errors import RunError, StudioError
from backend.store import PoolMap
from iterit_ui.present import report_pictures, words
from iterit_ui.present.report_page import report_page
from iterit_ui.present.report_pictures import pictures
from iterit_ui.present.run_report import write_report
from iterit_ui.present.stories import stories_of
from iterit_ui.present.subject import subject_of, told_selection

TAGS = set(
    "html head meta title style body header main section nav h1 h2 h3 dl dt dd ol ul li a p div span b i table thead tbody tr th td "
    "article figure figcaption script".split()
)
ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "href",
    "id",
    "class",
    "style",
    "role",
    "aria-label",
    "type",
}
NAME = 'Ada\'s "run" </title></script><script>alert(5)</script>'


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("report") / "runs"


@pytest.fixture(scope="module")
def runs(home):
    made = [make_run(home, strategy="iterit"), make_run(home, strategy="random")]
    store.label_run(home, made[0], name=NAME)
    store.add_to_comparison(home, store.create_comparison(home, "both"), made)
    pool = store.run_info(home, made[0]).pool_id
    xy = np.random.default_rng(0).normal(size=(120, 2)).astype(np.float32)
    store.save_map(home, pool, PoolMap(xy, "by hand", {}))
    return made


@pytest.fixture(scope="module")
def page(home, runs):
    out = home.parent / "report.html"
    done = typer.testing.CliRunner().invoke(
        commands.app, ["report", runs[0], "--runs-dir", str(home), "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    return out.read_text()


class Read(HTMLParser):
    """Names of tags and attributes, and where links lead."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.links = set(), set(), set()
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value for name, value in attrs if name == "href"}


def about(home, run):
    last = store.epochs(home, run)[-1]
    return subject_of(
        home, tab="epochs", pool="", scores="", run=run, epoch=last, settings={}, comparison="", runs=()
    )


def without_scripts(page):
    return re.sub(r"<script\b[^>]*>.*?</script>", "", page, flags=re.S)


def test_it_asks_nothing_of_a_network_and_no_text_of_the_data_can_run(page):
    assert len(page.encode()) < 8_000_000
    plain = without_scripts(page)
    found = Read(page)
    assert (
        found.tags <= TAGS and found.attributes <= ATTRIBUTES and all(link[0] == "#" for link in found.links)
    )
    assert "default-src 'none'" in plain and not re.search(r"url\(|@import", plain)
    assert PAYLOAD not in page and html.escape(PAYLOAD) in plain and html.escape(NAME) in plain
    # the two that may run are ours: whatever else was one would have no digest in the policy
    assert len(re.findall(r"<script>", page)) == 2 == page.count("'sha256-")
    data = re.findall(r'<script type="application/json">(.*?)</script>', page, flags=re.S)
    assert len(data) >= 6 and not any("<" in one for one in data)
    assert html.escape(PAYLOAD, quote=False) in json.dumps([json.loads(one) for one in data])


def test_it_has_the_figures_of_present_and_says_what_cannot_be_seen(home, runs, page):
    plain = without_scripts(page)
    for story in stories_of(about(home, runs[0])):
        assert story["missing"] is None, story
        told = [story["title"], story["lead"]]
        for block in story["blocks"]:
            if block["kind"] in ("figures", "bars"):
                told += [item["value"] for item in block["items"]]
            elif block["kind"] == "samples":
                told += [item[name] for item in block["items"] for name in ("prompt", "response", "why")]
            elif block["kind"] == "table":
                told += [cell for row in block["rows"] for cell in row]
        assert told and all(html.escape(text) in plain for text in told)
    assert plain.count("<article>") == 10 and words.BLIND in plain
    drawn = pictures(about(home, runs[0]))
    assert {key: len(figures) for key, figures in drawn.items()} == {"selection": 3, "epochs": 2, "result": 1}
    course = drawn["epochs"][-1]["data"][0]
    assert course["y"] == pytest.approx([2.0, 1.9, 1.8, 1.7])


def test_a_large_map_is_thinned_and_says_so(home, runs, monkeypatch):
    monkeypatch.setattr(report_pictures, "MOST_POINTS", 30)
    place = pictures(about(home, runs[0]))["selection"][-1]
    picked = sum(len(trace["x"]) for trace in place["data"] if trace["name"] == "selected")
    assert sum(len(trace["x"]) for trace in place["data"]) == 25 and picked == 10
    assert "25 of 120 points are drawn, 10 of them selected" in place["note"]


def test_keys_stay_masked_also_as_a_reason(home, runs, monkeypatch):
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    pool = about(home, runs[0]).pool
    monkeypatch.setattr(type(pool), "response", lambda self, row: f"use {key} for row {row}")
    told = told_selection(about(home, runs[0]))
    terms = [(key.lower(), f"use {key.lower()}", "for row")] * len(told.selection)
    selection = dataclasses.replace(
        told.selection, explain=lambda: (np.array(terms, dtype=object), np.ones((len(terms), 3)))
    )
    monkeypatch.setattr(
        "iterit_ui.present.stories.told_selection", lambda _: dataclasses.replace(told, selection=selection)
    )
    stories = stories_of(about(home, runs[0]))
    made = report_page("t", [], stories, {})
    assert key.lower() not in made.lower() and "use ghp_•" in made and "what it adds: “for row”" in made


def test_what_is_said_of_a_way_of_choosing_is_about_that_one(home, runs):
    def told(run):
        return " ".join(words.blind_spots(store.read_config(home, run)))

    assert "breaks off" in told(runs[0]) and "short phrases" in told(runs[0])
    assert "Nothing in the texts" in told(runs[1]) and "breaks off" not in told(runs[1])


def test_a_report_that_cannot_be_written_whole_leaves_the_one_before(home, runs, tmp_path, monkeypatch):
    out = tmp_path / "report.html"
    out.write_text("before")

    def half(path, content):
        path.write_text("half")
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(out), "write_bytes", half)
    with pytest.raises(StudioError, match="Input/output error"):
        write_report(home, runs[0], out)
    assert out.read_text() == "before" and list(tmp_path.iterdir()) == [out]


def test_a_run_without_epochs_is_refused(home, tmp_path):
    run = make_run(tmp_path / "runs", epochs=0, state="stopped")
    with pytest.raises(RunError, match=r"no epochs yet \(it is stopped\)"):
        write_report(tmp_path / "runs", run, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
