"""A page with nothing but what asks and evaluates models, over runs that are given: `python tests/browser/ask_page.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

import gradio as gr

from iterit_ui.components import keys
from iterit_ui.components.base import component
from iterit_ui.components.page_files import STYLES, routes
from iterit_ui.components.watcher import watcher
from iterit_ui.shared.session import new_session
from iterit_ui.shared.theme import gradio_theme


def look(asked: list[str]) -> dict[str, dict[str, str]]:
    """What the page's watcher asks for; nothing changes elsewhere."""
    return {"stamps": {}}


def build(home: Path, runs: list[str]) -> gr.Blocks:
    """The page; the runs are chosen from the start."""
    from iterit_ui.compare.ask_panel import build_ask
    from iterit_ui.compare.eval_panel import build_eval

    with gr.Blocks(title="Ask", fill_width=True, analytics_enabled=False) as page:
        tabs = gr.Tabs(selected="data")
        bar = component("address")
        watch = watcher(functions=[look])
        session = new_session(home, (), (), tabs, bar, watch)
        chosen = gr.State(runs)
        keys({"actions": []})
        with tabs, gr.Tab("Compare", id="data"):
            build_ask(session, chosen)
            build_eval(session, chosen)
        page.load(lambda: 1, None, session.ready)
    return page


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int)
    parser.add_argument("--runs-dir", type=Path, required=True)
    parser.add_argument("runs", nargs="*")
    given = parser.parse_args()
    build(given.runs_dir.resolve(), given.runs).queue(default_concurrency_limit=4).launch(
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
