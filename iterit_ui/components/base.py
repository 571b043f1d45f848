"""Shared by all components: how they are built, and how their values and events are encoded and checked."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
import orjson

from backend.errors import StudioError
from iterit_ui.components.page_files import script_tag


class PackedHTML(gr.HTML):
    """A `gr.HTML` whose value travels as one text, NaN as null; a text stays as it is.

    With every event the page copies the values of all components, item by item: as objects of many thousand numbers
    that took a second, as texts it takes none.
    """

    is_template = True  # the page draws it as what it is made from

    def postprocess(self, value: Any) -> str | None:
        """The value as it is sent to the page."""
        if value is None or isinstance(value, str):
            return value
        return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def component(
    kind: str,
    value: Any = None,
    *,
    events: tuple[str, ...] = (),
    template: str = "",
    functions: list[Callable[..., Any]] | None = None,
    **options: Any,
) -> gr.HTML:
    """An HTML component drawn by `studio.<kind>` of assets/web.

    The events stand quoted in the script because Gradio finds their names there. The template must stay constant:
    Gradio evaluates it as code.
    """
    quoted = " ".join(f"'{name}'" for name in events)
    classes = options.pop("elem_classes", [])
    return PackedHTML(
        value,
        head=script_tag(),
        html_template=template or f'<div class="st-{kind}"></div>',
        js_on_load=f"/* {quoted} */ studio.{kind}({{element, trigger, props, server, watch}});",
        apply_default_css=False,
        server_functions=functions,
        elem_classes=["st-host", *([classes] if isinstance(classes, str) else classes)],
        **options,
    )


def of_pool(pool_id: str, value: Any, instead: Any = None) -> dict[str, Any]:
    """A component's value about a pool, for one that comes with the page.

    Where the page's address names another pool, `instead` is drawn until the server has answered.
    """
    return {"of": pool_id, "instead": instead, "value": value}  # in this order: see `studio.mount`


def encode_bytes(array: np.ndarray) -> str:
    """An array's bytes as base64, as the map reads them."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def checked_int(value: Any, low: int, high: int) -> int:
    """`value` as a whole number in [low, high]: what a browser sends is checked before it is used."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or int(value) != value:
        raise StudioError(f"the page sent {value!r}; expected a whole number")
    if not low <= value <= high:
        raise StudioError(f"the page sent {int(value)}; expected {low} to {high}")
    return int(value)


def row_of_pick(data: dict[str, Any], n: int) -> int:
    """The row that a map's `pick` event names, in a pool of n samples."""
    return checked_int(data.get("row"), 0, n - 1)


def rows_of_lasso(data: dict[str, Any], n: int) -> np.ndarray:
    """(m,) int64: the rows that a map's `lasso` event holds as a bit set, in a pool of n samples."""
    if data.get("n") != n:
        raise StudioError("this selection was drawn on another map; draw it again")
    try:
        raw = base64.b64decode(data.get("bits", ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise StudioError("the page sent a selection that cannot be read") from error
    if len(raw) != -(-n // 8):
        raise StudioError("the page sent a selection of the wrong size")
    return np.flatnonzero(np.unpackbits(np.frombuffer(raw, "u1"), bitorder="little", count=n))
