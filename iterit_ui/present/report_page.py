"""A report as one HTML file: everything in it is text until it is escaped here, and it asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import orjson

from iterit_ui.components.page_files import PLOTLY_JS, WEB

Value = dict[str, Any]
# what comes from data and not from us, as in assets/web/components/chart.js: Plotly reads a little HTML in labels
DATA = {"x", "y", "text", "name", "customdata", "ticktext", "tickvals", "categoryarray"}
HEIGHT = 320  # of a picture, in pixels
_CLICKS = re.compile(r"<br>click to [^<]*")


def report_page(
    title: str, facts: Sequence[tuple[str, str]], stories: Sequence[Value], pictures: dict[str, list[Value]]
) -> str:
    """The whole file.

    facts : (name, value) under the title. stories : as `stories.stories_of` gives them. pictures : figures by story.
    """
    scripts = [_text(PLOTLY_JS), _text(WEB / "present" / "report.js")]
    allowed = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    links = "".join(f'<li><a href="#{escape(one["key"])}">{escape(one["title"])}</a></li>' for one in stories)
    head = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    body = "".join(_story(story, pictures.get(story["key"], [])) for story in stories)
    style = ":root{" + "".join(f"{name}:{value};" for name, value in colours().items()) + "}"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}{_text(WEB / 'present' / 'report.css')}</style>\n</head>\n"
        f"<body>\n<header><h1>{escape(title)}</h1><dl>{head}</dl><nav><ol>{links}</ol></nav></header>\n"
        f"<main>{body}</main>\n"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body>\n</html>\n"
    )


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8").replace("\r\n", "\n")


def _digest(script: str) -> str:
    """How a browser is told of a script that may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@lru_cache(maxsize=1)
def colours() -> dict[str, str]:
    """The page's colours of day, by the name of their CSS variable."""
    light = _text(WEB / "page" / "tokens.css").partition(".dark {")[0]
    return dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", light))


def _story(story: Value, figures: Sequence[Value]) -> str:
    """A section. Figures stand before its samples; what a figure shows in full is not drawn twice."""
    blocks = [block for block in story["blocks"] if not (figures and block["kind"] == "course")]
    before = [BLOCKS[block["kind"]](block) for block in blocks if block["kind"] != "samples"]
    after = [BLOCKS[block["kind"]](block) for block in blocks if block["kind"] == "samples"]
    parts = [
        f"<h2>{escape(story['title'])}</h2>",
        f'<p class="lead">{escape(story["lead"])}</p>' if story["lead"] else "",
        *before,
        *after,
        *map(_picture, figures),
        _missing(story["missing"]) if story["missing"] else "",
    ]
    return f'<section class="story" id="{escape(story["key"])}">{"".join(parts)}</section>\n'


def _missing(value: Value) -> str:
    steps = "".join(f"<li>{escape(step)}</li>" for step in value["steps"])
    return f'<div class="missing"><p>{escape(value["text"])}</p>{f"<ol>{steps}</ol>" if steps else ""}</div>'


def _figures(block: Value) -> str:
    items = (
        f"<div><b>{escape(item['value'])}</b><span>{escape(item['label'])}</span></div>"
        for item in block["items"]
    )
    return f'<div class="figures">{"".join(items)}</div>'


def _bars(block: Value) -> str:
    most = max((item["share"] for item in block["items"]), default=0) or 1
    rows = (
        f'<li><span class="name">{escape(item["label"])}</span><span class="bar">'
        f'<i style="width:{100 * item["share"] / most:.2f}%;background:{colours().get(item["colour"], "#999")}"></i></span>'
        f"<b>{escape(item['value'])}</b></li>"
        for item in block["items"]
    )
    return f'<div class="bars"><h3>{escape(block["title"])}</h3><ul>{"".join(rows)}</ul></div>'


def _columns(block: Value) -> str:
    parts = "".join(f'<i style="height:{100 * share:.2f}%"></i>' for share in block["items"])
    ends = "".join(f"<span>{escape(end)}</span>" for end in block["ends"])
    return (
        f'<div class="columns"><h3>{escape(block["title"])}</h3><div class="drawn" role="img" '
        f'aria-label="{escape(block["title"])}">{parts}</div><p class="ends">{ends}</p></div>'
    )


def _table(block: Value) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in block["head"])
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in block["rows"])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _samples(block: Value) -> str:
    tone = "in" if block["tone"] == "in" else "out"
    parts = (
        f'<article><p class="prompt">{escape(item["prompt"])}</p><p class="response">{escape(item["response"])}</p>'
        f'<p class="why">{escape(item["why"])}</p></article>'
        for item in block["items"]
    )
    return f'<div class="samples {tone}"><h3>{escape(block["title"])}</h3>{"".join(parts)}</div>'


def _lines(block: Value) -> str:
    return '<div class="lines">' + "".join(f"<p>{escape(line)}</p>" for line in block["items"]) + "</div>"


def _points(block: Value) -> str:
    return '<ul class="points">' + "".join(f"<li>{escape(line)}</li>" for line in block["items"]) + "</ul>"


def _course(block: Value) -> str:
    """The points of a line as a table; where there are several, a picture stands instead."""
    rows = [[block["labels"][at], text] for at, _, text in block["points"]]
    return _table({"head": ["", block["title"]], "rows": rows}) if rows else ""


BLOCKS = {
    "figures": _figures,
    "bars": _bars,
    "columns": _columns,
    "table": _table,
    "samples": _samples,
    "lines": _lines,
    "points": _points,
    "course": _course,
}


def _picture(figure: Value) -> str:
    """A figure of `iterit_ui.plots`, drawn by report.js."""
    legend = "".join(
        f'<span><i style="background:{colours().get(item["colour"], "#999")}"></i>{escape(item["label"])} '
        f"{escape(str(item.get('value') or ''))}</span>"
        for item in figure.get("legend", [])
    )
    drawn = {"data": _plain(figure["data"]), "layout": _plain(figure["layout"])}
    # inside a script nothing but "<" can end it
    data = orjson.dumps(drawn).decode().replace("<", "\\u003c")
    note = f"<p>{escape(figure['note'])}</p>" if figure.get("note") else ""
    return (
        f'<figure><figcaption><h3>{escape(figure["title"])}</h3>{note}<p class="legend">{legend}</p></figcaption>'
        f'<div class="plot" style="height:{figure.get("height", HEIGHT)}px"></div>'
        f'<script type="application/json">{data}</script></figure>'
    )


def _plain(value: Any) -> Any:
    """A figure with colours for their names, and what comes from data escaped."""
    if isinstance(value, str):
        return colours().get(value, value) if value.startswith("--") else _CLICKS.sub("", value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _escaped(item) if key in DATA else _plain(item) for key, item in value.items()}
    return value


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value, quote=False)
    if isinstance(value, (list, tuple)):
        return [_escaped(item) for item in value]
    return _plain(value) if isinstance(value, dict) else value
