"""A page with nothing but the queue of runs: `python tests/browser/queue_page.py --runs-dir FOLDER`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import gradio as gr

from iterit_ui.components import keys
from iterit_ui.components.base import component
from iterit_ui.components.page_files import STYLES, routes
from iterit_ui.components.watcher import watcher
from iterit_ui.shared.session import new_session
from iterit_ui.shared.theme import gradio_theme
from iterit_ui.tune.views import stamp


def build(home: Path) -> gr.Blocks:
    """The page; what `load` is set to is written below the panel."""
    from iterit_ui.tune.queue_panel import build as build_queue

    def look(asked: list[str]) -> dict[str, Any]:
        return {"stamps": {"queue": stamp(home, asked[1])[0]}}

    with gr.Blocks(title="Queue", fill_width=True, analytics_enabled=False) as page:
        tabs = gr.Tabs(selected="tune")
        bar = component("address")
        watch = watcher(functions=[look])
        session = new_session(home, (), (), tabs, bar, watch)
        session.tab.value = "tune"
        load = gr.State("")
        keys({"actions": []})
        with tabs, gr.Tab("Tune", id="tune"), gr.Row(elem_classes="columns"):
            with gr.Column(elem_classes=["side", "sheet", "sticky"]):
                heard = gr.Textbox(label="load", elem_id="heard")
                shown = gr.Textbox(label="run", elem_id="shown")
            with gr.Column(elem_classes="wide"):
                build_queue(session, load)
        load.change(lambda value: value, load, heard)
        session.run.change(lambda value: value, session.run, shown)
        # the watcher reads from the address which tab is open
        page.load(lambda: (1, {"tab": "tune"}), None, [session.ready, bar])
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--runs-dir", type=Path, required=True)
    given = parser.parse_args()
    build(given.runs_dir.resolve()).queue(default_concurrency_limit=4).launch(
        server_port=given.port,
        quiet=True,
        theme=gradio_theme(),
        css_paths=STYLES,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        app_kwargs={"routes": routes()},
    )
