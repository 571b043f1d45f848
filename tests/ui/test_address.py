"""A view goes into the address bar and comes back; what does not fit is left out."""

from __future__ import annotations

from iterit_ui.layout import looked_at
from iterit_ui.shared import address
from iterit_ui.shared.session import VIEW


def test_a_view_comes_back() -> None:
    view = {
        "tab": "curate",
        "pool": "0123456789abcdef",
        "scores": "20260101-000000-abcdef/0",
        "run": "",
        "epoch": 2,
        "sample": "3f2a-0",
        "filter": {"text": '"größe" -ash', "complexity": [0.9, None], "cluster": [3], "sources": ["a b"]},
        "view": {"which": "candidates", "sort": "complexity", "descending": True, "page": 4},
        "colour": "cluster",
        "settings": {
            "strategy": "diversity",
            "budget": 0.2,
            "source_weights": {"a b": 0.5},
            "source_shares": {"a b": "0.1-0.3", "c": "-0.5"},
            "min_response_tokens": 4,
        },
        "comparison": "",
        "runs": ["20260101-000000-abcdef", "20260101-000001-abcdef"],
    }
    assert address.read(address.written(**view)) == view


def test_the_epoch_looked_ahead_to_comes_back_with_the_strategy_that_reads_it() -> None:
    seen = address.read({"tab": "curate", "strategy": "iterit-cumulative", "ahead": "2"})
    assert seen["settings"] == {"strategy": "iterit-cumulative", "ahead": 2}
    assert address.written(**seen)["ahead"] == "2"
    for query in ({"ahead": "2"}, {"strategy": "iterit-cumulative", "ahead": "21"}):
        assert "ahead" not in address.read(query)["settings"]


def test_defaults_are_not_written() -> None:
    empty = {
        "tab": "data",
        "pool": "",
        "scores": "",
        "run": "",
        "epoch": 0,
        "sample": "",
        "filter": {},
        "view": dict(VIEW),
        "colour": "status",
        "settings": {},
        "comparison": "",
        "runs": [],
    }
    assert address.written(**empty) == {"tab": "data"}


def test_nonsense_is_left_out() -> None:
    query = {
        "tab": "../x",
        "pool": "../../etc/passwd",
        "epoch": "99999999",
        "sample": "<img src=x>",
        "strategy": "best",
        "budget": "-1",
        "decay": "{",
        "filter": '{"complexity": ["x", 1], "rows": 3',
        "list": "everything",
        "sort": "--rank",
        "page": "²",
        "colour": "red",
        "pinned": '["a"]',
        "comparison": "c../x",
        "runs": "20260101-000000-abcdef/../x,<b>",
        "unknown": "1",
    }
    view = address.read(query)
    assert view == {
        "tab": "data",
        "pool": "",
        "scores": "",
        "run": "",
        "epoch": 0,
        "sample": "",
        "filter": {},
        "view": VIEW,
        "colour": "status",
        "settings": {},
        "comparison": "",
        "runs": [],
    }


def test_a_comparison_stands_for_its_runs() -> None:
    view = address.read({"comparison": "c20260101-000000-abcdef"})
    assert view["comparison"] == "c20260101-000000-abcdef"
    written = address.written(**{**view, "runs": ["20260101-000000-abcdef"]})
    assert written["comparison"] == view["comparison"] and "runs" not in written


def test_back_takes_only_what_was_looked_at() -> None:
    run = "20260101-000000-abcdef"
    query = {
        "tab": "epochs",
        "run": run,
        "epoch": "2",
        "budget": "0.3",
        "pool": "0123456789abcdef",
        "runs": run,
    }
    assert looked_at(query) == [run, 2, "", [run]]
    assert looked_at({"run": "../x", "epoch": "many", "comparison": 3}) == ["", 0, "", []]
    assert looked_at(None) == ["", 0, "", []]
