"""The part of plotly.js that is kept here belongs to the Plotly that Python draws with."""

from __future__ import annotations

import re
from pathlib import Path

import plotly

from iterit_ui.components.page_files import PLOTLY_JS

WHOLE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def version(path: Path) -> str:
    """What the first lines of a plotly.js say."""
    with path.open(encoding="utf-8") as file:
        return re.search(r"v(\d+\.\d+\.\d+)", file.read(200)).group(1)


def test_it_is_of_the_version_that_pythons_plotly_brings():
    assert version(PLOTLY_JS) == version(WHOLE)


def test_it_is_less_than_a_third_of_the_whole():
    assert PLOTLY_JS.stat().st_size < WHOLE.stat().st_size / 3
