"""A short soak of many visitors: five of them on the demo for a few seconds, none of whom meets an error."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from backend import data, store
from benchmarks import ui
from tests.browser.conftest import serving
from tools.soak.visitors import ACTS, Script, Told, let_in, recorded


def test_visitors_who_act_at_once_meet_no_error(browser, tmp_path: Path) -> None:
    home, folder = tmp_path / "runs", tmp_path / "app"
    folder.mkdir()
    pool = data.load_pool(["demo"])
    store.save_pool(home, pool, inputs=["demo"])
    scores = ui.recorded_run(home, pool)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    with serving(home, tmp_path, folder) as url:
        script = recorded(context.new_page(), home, url, pool, scores, rest=0.4)
        context.close()
        told = visited(url, script, pool, clients=5, seconds=4)
        assert told.errors == {}
        # all of it was done, and what one did was drawn for another
        assert told.seconds.keys() == {*ACTS, "open", "the whole page", "look", "what others did"}
        assert (folder / "app.log").read_text().count("Traceback") == 0
        # it would have told of errors, in what is clicked and in what asks for others' changes
        gone = dataclasses.replace(script.look, path="/gradio_api/nowhere")
        script = Script([], {name: [gone] for name in script.acts}, gone, [])
        found = visited(url, script, pool, clients=1, seconds=1).errors
        assert len(found) >= 2 and all(" 404 " in text for text in found), found


def visited(url: str, script: Script, pool, *, clients: int, seconds: float) -> Told:
    told = Told()
    for visitor in let_in(url, script, pool, clients=clients, seconds=seconds, pause=0.3, seed=1, told=told):
        visitor.join()
    return told
