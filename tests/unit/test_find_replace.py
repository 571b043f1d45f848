"""Find and replace: plain and by regular expression, with places, and what is refused."""

import re
import time

import numpy as np
import pytest
from small_runs import small_pool

from backend import analysis
from backend.data.find_replace import plan_replacements, replacements
from backend.data.response_edits import with_edits
from backend.errors import PoolError

TEXTS = ["A cat. a CAT", "no such thing", "cat\ncatalogue", "naïve cät – cat", ""]


@pytest.mark.parametrize(
    ("find", "put", "regex", "case"),
    [
        ("cat", "dog", False, True),
        ("cat", "dog", False, False),
        (".", "!", False, True),
        ("cat", r"\1", False, True),
        (r"c(a)t", r"<\1>", True, True),
        (r"^(\w+)", r"\1-\g<1>", True, False),
        (r"cat$", "", True, True),
    ],
)
def test_as_pythons_own_sub(find, put, regex, case):
    flags = re.MULTILINE | (0 if case else re.IGNORECASE)
    pattern = re.compile(find if regex else re.escape(find), flags)
    plain = {
        i: pattern.sub(put if regex else put.replace("\\", "\\\\"), text) for i, text in enumerate(TEXTS)
    }
    found = replacements(TEXTS, find, put, regex=regex, case=case)
    assert {one.index: one.new for one in found} == {i: new for i, new in plain.items() if new != TEXTS[i]}
    for one in found:
        old = TEXTS[one.index]
        for begin, end, new_begin, new_end in one.places:
            assert pattern.fullmatch(old, begin, end) or pattern.match(old, begin)
            # outside its places a text stays as it was
            assert one.new[:new_begin].endswith(old[:begin][-1:]) and 0 <= new_begin <= new_end <= len(
                one.new
            )


@pytest.mark.parametrize(
    ("find", "put", "words"),
    [
        ("(cat", "x", "is not a regular expression: missing \\)"),
        ("x*", "x", "also finds the empty text"),
        ("^", "x", "also finds the empty text"),
        ("cat", r"\3", "does not fit 'cat'"),
        ("", "x", "type what to find"),
        ("a" * 1001, "x", "1,001 characters"),
    ],
)
def test_expressions_that_cannot_be_used_are_refused_with_a_sentence(find, put, words):
    with pytest.raises(PoolError, match=words):
        replacements(TEXTS, find, put, regex=True)


def test_an_expression_that_takes_for_ever_is_ended():
    begun = time.monotonic()
    with pytest.raises(PoolError, match=r"takes more than 0\.3 seconds on these 1 samples"):
        replacements(["a" * 60 + "!"], "(a+)+$", "x", regex=True, seconds=0.3)
    assert time.monotonic() - begun < 20


def test_a_text_that_would_become_too_long_is_refused():
    with pytest.raises(PoolError, match="more than 1,000,000 characters"):
        replacements(["a" * 20_000], "(a+)", r"\1" * 100, regex=True)


def test_a_plan_leaves_out_what_may_not_be_a_response():
    pool = with_edits(small_pool(4), {small_pool(4).ids[2]: "apples"})
    plan = plan_replacements(pool, np.array([2, 0, 3]), "apples", " ")
    assert list(plan.changes) == [pool.ids[0]] and plan.count == 1
    assert "cannot be empty" in plan.refused[pool.ids[2]]
    with pytest.raises(PoolError, match="changes none of these 3 responses"):
        plan_replacements(pool, np.array([2, 0, 3]), "pears", "x")
    with pytest.raises(PoolError, match="1 sample would change, and none may: a response cannot be empty"):
        plan_replacements(pool, np.array([2]), "apples", "")
    (line,) = analysis.replace_preview(pool, plan, 5)
    assert line["row"] == 0 and line["places"] == 1
    assert "".join(line["before"]) == pool.response(0) and line["before"][1] == "apples"
    assert "".join(line["after"]) == plan.changes[pool.ids[0]] and line["after"][1] == " "


def test_a_preview_shows_no_key_or_password():
    pool = small_pool(3)
    secret = "the key is AKIA" + "Q7ZC2LMN8RTV4XWB" + " for apples"
    pool = with_edits(pool, {pool.ids[0]: secret})
    plan = plan_replacements(pool, np.array([0]), "apples", "pears")
    (line,) = analysis.replace_preview(pool, plan, 5)
    assert "AKIA" not in str(line) and "not shown" in line["before"][2]
