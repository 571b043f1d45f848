"""Whether the scores say that the model may not know a language: when that is said, and when it is not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from small_pools import pool_of, scores_of

from backend.analysis import filters
from backend.analysis.unknown_language import unknown_languages
from backend.config import SelectionSettings
from backend.data.writing import writing_of, writings
from backend.records import Pool

TEXTS = {
    "Chinese": "春天的时候树木开始发芽，我们去公园散步。",
    "Japanese": "春になると木々が芽吹き、公園を散歩します。",
    "Korean": "봄이 되면 나무에 싹이 돋고 우리는 공원을 걷는다.",
    "Cyrillic": "Весной деревья распускаются, и мы гуляем в парке.",
    "Arabic-letter": "في الربيع تورق الأشجار ونمشي في الحديقة.",
    "Thai": "ในฤดูใบไม้ผลิ ต้นไม้ผลิใบ เราเดินเล่นในสวน",
    "Latin letters": "Im Frühling schlagen die Bäume aus, und 我 we walk.",
    "": "12 + 30 = 42 …",
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_writing_is_told_by_its_letters(name: str) -> None:
    assert writing_of(TEXTS[name]) == name


def pool(groups: dict[str, int], name: str = "2") -> Pool:
    """So many samples of each writing, in this order."""
    made = pool_of([f"{TEXTS[kind]} {i}" for kind, count in groups.items() for i in range(count)])
    return dataclasses.replace(made, id=name * 16)


def told(groups: dict[str, tuple[int, int]], name: str, **settings: object) -> list[str]:
    """The titles for so many samples of each writing, of which so many are at the limit."""
    complexity = np.concatenate([np.where(np.arange(n) < hits, 1.0, 0.5) for n, hits in groups.values()])
    found = unknown_languages(
        pool({kind: n for kind, (n, _) in groups.items()}, name),
        scores_of(complexity),
        SelectionSettings(**settings),  # type: ignore[arg-type]
    )
    return [one.title for one in found]


def test_samples_of_a_language_that_are_rejected_together_are_a_warning() -> None:
    said = told({"Latin letters": (300, 40), "Chinese": (48, 47), "Cyrillic": (30, 5)}, "3")
    assert said == ["47 of 48 Chinese samples are rejected: the model may not know this language"]


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("4", {"Latin letters": (300, 40), "Chinese": (19, 19)}),  # too few to say anything
        ("5", {"Latin letters": (300, 40), "Chinese": (48, 23)}),  # less than half
        ("6", {"Latin letters": (300, 180), "Chinese": (48, 47)}),  # others fare hardly better
        ("7", {"Latin letters": (5, 1), "Chinese": (20, 11)}),  # others are too few to be sure
        ("8", {"Chinese": (48, 47)}),  # nothing to compare with
        ("9", {"Latin letters": (300, 40), "": (48, 47)}),  # numbers are no language
    ],
)
def test_what_may_have_other_reasons_is_none(name: str, groups: dict[str, tuple[int, int]]) -> None:
    assert told(groups, name) == []


def test_it_is_said_where_complexity_decides_alone() -> None:
    groups = {"Latin letters": (300, 40), "Chinese": (48, 47)}
    assert told(groups, "a", strategy="random") == []
    assert told(groups, "a", max_complexity=1.5) == []  # nothing is rejected


def test_the_filter_lists_exactly_these_samples() -> None:
    made = pool({"Latin letters": 30, "Chinese": 25}, "b")
    wanted = filters.cleaned({"writing": ["Chinese"]})
    kept = filters.mask(made, wanted, numbers={}, sets={})
    assert (
        np.flatnonzero(kept).tolist()
        == np.flatnonzero(writings(made) == "Chinese").tolist()
        == list(range(30, 55))
    )
    assert filters.chips(wanted) == [{"key": "writing", "label": "written in Chinese"}]
