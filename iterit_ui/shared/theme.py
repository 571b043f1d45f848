"""The one visual language, on Python's side: names of colours, words of statuses, how numbers are written.

A colour is the name of a CSS variable of assets/web/page/tokens.css. The chart component replaces it by the variable's
value in the browser, again when light and dark change, so no figure holds a colour of its own.
"""

from __future__ import annotations

import math
import time

import gradio as gr

from backend.records import Status

POOL = "--pool"
CANDIDATE = "--candidate"
SELECTED = "--selected"
PINNED = "--pinned"
REJECTED = "--rejected"
UNSCORABLE = "--unscorable"
KEPT = SELECTED
ADDED = "--added"
DROPPED = "--dropped"
ACCENT = "--accent"
LINE = "--chart-line"
GOOD = "--good"
BAD = "--bad"
SOURCES = tuple(f"--source-{i}" for i in range(8))
SERIES = tuple(f"--series-{i}" for i in range(6))
SEQUENTIAL = tuple(f"--seq-{i}" for i in range(7))

STATUS_LABEL: dict[Status, str] = {
    Status.SELECTED: "selected",
    Status.PINNED: "pinned",
    Status.OUTRANKED: "candidate",
    Status.NOT_CANDIDATE: "not a candidate",
    Status.TOO_COMPLEX: "complexity too high",
    Status.UNSCORABLE: "unscorable",
    Status.TOO_SHORT: "too short",
    Status.TOO_LONG: "too long",
    Status.EXCLUDED: "excluded",
    Status.SOURCE_OFF: "source left out",
    Status.HELD_OUT: "held out",
    Status.TRAINED: "trained on earlier",
    Status.NO_VALUE: "no value",
}
# what a badge, a card or a map legend is toned with
STATUS_TONE: dict[Status, str] = {
    Status.SELECTED: "selected",
    Status.PINNED: "pinned",
    Status.OUTRANKED: "candidate",
    Status.NOT_CANDIDATE: "pool",
    Status.TOO_COMPLEX: "rejected",
    Status.UNSCORABLE: "unscorable",
    Status.TOO_SHORT: "rejected",
    Status.TOO_LONG: "rejected",
    Status.EXCLUDED: "rejected",
    Status.SOURCE_OFF: "rejected",
    Status.HELD_OUT: "pool",
    Status.TRAINED: "pool",
    Status.NO_VALUE: "rejected",
}
STATUS_COLOUR: dict[Status, str] = {status: f"--{tone}" for status, tone in STATUS_TONE.items()}


def source_colour(index: int) -> str:
    """Colour of the source with this index in `Pool.sources`; the palette repeats after eight."""
    return SOURCES[index % len(SOURCES)]


def number(value: float | None) -> str:
    """12,345 for a count; an en dash for what is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{round(value):,}"


def score(value: float | None, digits: int = 3) -> str:
    """A score without a unit, fixed decimals; an en dash for what is not known."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def share(value: float | None) -> str:
    """0.1 as "10 %"; one decimal below ten percent where it says something."""
    if value is None or not math.isfinite(value):
        return "–"
    percent = 100 * value
    return f"{percent:.0f} %" if percent >= 10 or percent == round(percent) else f"{percent:.1f} %"


def counted(count: int, one: str, many: str = "") -> str:
    """ "1 sample", "2 samples"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def duration(seconds: float | None) -> str:
    """42 s, 3 min 05 s, 2 h 10 min; a dash where unknown."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    if whole < 5400:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(at: float | None) -> str:
    """When something was: the time of day, with the date where it was not today. at : seconds since 1970."""
    if at is None:
        return "–"
    then = time.localtime(at)
    today = time.strftime("%Y-%m-%d", then) == time.strftime("%Y-%m-%d")
    return time.strftime("%H:%M:%S" if today else "%d %b %H:%M", then)


def gradio_theme() -> gr.themes.Base:
    """Gradio's own widgets in our colours: every value is a variable of tokens.css, which knows light and dark."""
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
    theme = gr.themes.Base(font=fonts, font_mono=mono, radius_size="sm", spacing_size="sm", text_size="sm")
    both = {
        "body_background_fill": "var(--bg)",
        "body_text_color": "var(--text-1)",
        "body_text_color_subdued": "var(--text-2)",
        "background_fill_primary": "var(--surface)",
        "background_fill_secondary": "var(--surface-2)",
        "border_color_primary": "var(--line)",
        "border_color_accent": "var(--accent)",
        "color_accent_soft": "var(--surface-2)",
        "block_background_fill": "var(--surface)",
        "block_border_color": "var(--line)",
        "block_label_background_fill": "transparent",
        "block_label_text_color": "var(--text-2)",
        "block_title_text_color": "var(--text-1)",
        "block_info_text_color": "var(--text-2)",
        "block_shadow": "none",
        "panel_background_fill": "var(--surface)",
        "input_background_fill": "var(--field)",
        "input_background_fill_focus": "var(--field)",
        "input_border_color": "var(--line-2)",
        "input_border_color_focus": "var(--accent)",
        "input_shadow": "none",
        "input_shadow_focus": "0 0 0 3px var(--focus)",
        "input_placeholder_color": "var(--text-3)",
        "slider_color": "var(--accent)",
        "button_primary_background_fill": "var(--accent)",
        "button_primary_background_fill_hover": "var(--accent-2)",
        "button_primary_text_color": "var(--on-accent)",
        "button_primary_border_color": "var(--accent)",
        "button_primary_shadow": "none",
        "button_secondary_background_fill": "var(--surface)",
        "button_secondary_background_fill_hover": "var(--surface-2)",
        "button_secondary_text_color": "var(--text-1)",
        "button_secondary_border_color": "var(--line-2)",
        "button_secondary_shadow": "none",
        "checkbox_background_color": "var(--field)",
        "checkbox_background_color_selected": "var(--accent)",
        "checkbox_border_color": "var(--line-2)",
        "checkbox_border_color_selected": "var(--accent)",
        "checkbox_label_background_fill": "var(--surface)",
        "checkbox_label_background_fill_selected": "var(--surface-2)",
        "checkbox_label_text_color": "var(--text-1)",
        "checkbox_label_text_color_selected": "var(--text-1)",
        "table_border_color": "var(--line)",
        "error_background_fill": "var(--surface)",
        "error_text_color": "var(--bad)",
    }
    known = set(vars(theme))
    values = {k: v for k, v in both.items() if k in known}
    dark = {f"{k}_dark": v for k, v in values.items() if f"{k}_dark" in known}
    return theme.set(
        **values,
        **dark,
        block_border_width="0px",
        block_padding="0px",
        block_radius="8px",
        layout_gap="16px",
        form_gap_width="0px",
    )
