"""The files of the page: its styles, and its scripts, which a browser gets as one."""

from __future__ import annotations

import hashlib
from functools import cache

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from backend.data.assets import ASSETS

WEB = ASSETS / "web"
# the part of plotly.js that draws our kinds of charts: a third of the whole, which a browser reads for over a second
PLOTLY_JS = WEB / "libraries" / "plotly-cartesian.min.js"
# what puts parts together stands behind its parts
STYLES = [
    WEB / f"{name}.css"
    for name in [
        "page/tokens",
        "page/page",
        "page/widgets",
        "components/components",
        "components/panels",
        "components/charts",
        "components/table",
        "components/sample",
        "components/settings",
        "page/keys",
        "data/data",
        "components/filterbar",
        "components/exporter",
        "components/editing",
        "epochs/epochs",
        "components/bench",
        "compare/answers",
        "compare/compare",
        "tune/run",
        "tune/tune",
        "present/present",
        "page/look",
    ]
]
SCRIPTS = [
    WEB / f"{name}.js"
    for name in [
        "page/core",
        "page/acts",
        "page/messages",
        "page/waits",
        "page/screen",
        "page/address",
        "page/header",
        "page/role",
        "page/whole_names",
        "components/panels",
        "components/bench",
        "components/table_head",
        "components/table_replace",
        "components/table_selection",
        "components/table_columns",
        "components/table",
        "components/sample_why",
        "components/sample_reading",
        "components/sample_edit",
        "components/sample",
        "components/queue",
        "components/controls",
        "components/fields",
        "components/source_row",
        "components/settings",
        "components/brush",
        "components/chart_menu",
        "components/chart",
        "components/choices",
        "components/points",
        "components/map_labels",
        "components/map_tools",
        "components/map",
        "page/keys",
        "components/filterbar",
        "components/exporter",
        "page/watcher",
        "present/present",
        "data/preview",
        "data/health",
        "epochs/player",
        "epochs/alluvial",
        "tune/tune_presets",
        "tune/tune_plan",
        "tune/tune_pilot",
        "tune/tune_configuration",
        "tune/tune_form",
        "tune/queue",
        "tune/run",
        "tune/gate",
        "tune/log",
        "compare/start_form",
        "compare/answers",
    ]
]

KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}  # a name changes with what is in the file


@cache
def script_tag() -> str:
    """The tag for a component's `head=`: Gradio loads what it names once per page, before any `js_on_load` runs."""
    return f'<script src="{_path_of("studio", _scripts())}"></script>'


def routes() -> list[Route]:
    """What the app answers beside Gradio's own: the chart library, and all scripts as one file, since dozens of small ones
    take longer to ask for than to read."""

    def scripts(_: Request) -> Response:
        return Response(_scripts(), media_type="text/javascript", headers=KEPT)

    def library(_: Request) -> Response:
        return FileResponse(PLOTLY_JS, media_type="text/javascript", headers=KEPT)

    return [Route(f"/{_path_of('studio', _scripts())}", scripts), Route(f"/{_library_path()}", library)]


@cache
def _scripts() -> bytes:
    known = f"window.studio = {{chartLibrary: '{_library_path()}'}};"
    parts = (f"// {path.relative_to(WEB)}\n{path.read_text(encoding='utf-8')}" for path in SCRIPTS)
    return "\n".join([known, *parts]).encode()


@cache
def _library_path() -> str:
    return _path_of("plotly", PLOTLY_JS.read_bytes())


def _path_of(name: str, content: bytes) -> str:
    return f"page/{name}-{hashlib.sha256(content).hexdigest()[:16]}.js"
