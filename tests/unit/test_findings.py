"""Refusals, openings and the report: every count is the rows behind it, and what is unknown says why."""

import json
import subprocess
import sys

import numpy as np
import pytest
from plain_twins import SHARED
from small_runs import small_pool

from backend import data
from backend import findings as look
from backend.errors import ConfigError, PoolError
from backend.findings import Finding, Lengths
from backend.findings.contamination import contamination
from backend.records import Pool, Scores

ROWS = [
    ("What is red?", "An apple is red, most of the time."),
    ("What is red?", "An apple is red, most of the time."),
    ("what is  RED?", "An apple is red, most of the time."),
    ("Name a fruit", "An apple is red, most of the time."),
    ("Write a poem", "I'm sorry, but I cannot write a poem about that."),
    ("Write a song", "I’m sorry but I can't help you with that."),
    ("Say nothing", ""),
    ("Say nothing at all", "  "),
    ("Tell me a tale", "Once upon a time there was a fox."),
    ("Tell me a tale again", "**Once upon a time**, a hen lived here."),
]


@pytest.fixture
def pool(tmp_path) -> Pool:
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"instruction": a, "output": b} for a, b in ROWS]))
    return data.load_pool([path])


@pytest.fixture
def lengths() -> Lengths:
    reason = np.array([""] * 10, dtype=object)
    reason[[6, 7]] = "empty response"
    reason[0] = "no response token within max_length"
    tokens = np.full(10, 20, dtype=np.int32)
    tokens[[0, 4]], tokens[[6, 7]] = (90, 70), -1
    left = np.where(reason == "", 9, 0).astype(np.int32)
    return Lengths(tokens, left, reason, "demo", 64, "", 64)


def near_of(pool: Pool) -> look.NearPairs:
    return look.near_pairs(look.prompt_texts(pool, system=False), look.response_texts(pool))


def by_key(found: list[Finding]) -> dict[str, Finding]:
    assert len({finding.key for finding in found}) == len(found)
    return {finding.key: finding for finding in found}


# --- refusals ---


def test_planted_refusals_of_the_demo_are_found_and_nothing_else():
    pool = data.load_pool(["demo"])
    rows = look.refusal_rows(look.response_texts(pool))
    planted = np.flatnonzero(pool.labels == "refusal")
    hit = np.isin(rows, planted).sum()
    assert (hit / len(rows), hit / len(planted)) == (1, 1)  # precision, recall


def test_refusals_of_real_conversations_are_found():
    path = SHARED / "data" / "sharegpt_tools.json"
    if not path.exists():
        pytest.skip(f"{path} is not here (set ITERIT_SHARED)")
    responses = look.response_texts(data.load_pool([path]))
    found = [responses[row] for row in look.refusal_rows(responses)]
    assert (
        len(found) == 42
    )  # of the 44 that were read; the patterns were mended on them, so this is no estimate
    assert all(text.startswith("I'm sorry, but") for text in found)


@pytest.mark.parametrize(
    "text",
    [
        "As an AI language model, I do not have personal opinions.",
        "As an AI, I cannot browse the internet.",
        "I’m unable to assist with that request.",
        "Unfortunately, we are not able to provide this information.",
        "I apologise, but I won't be able to help you with this.",
        "I don't have access to real-time data.",
        "I must respectfully decline.",
        "I'm just a chatbot and can't answer this.",
        "This is beyond what I can do.",
        "<nooutput>",
    ],
)
def test_refusals_in_other_words(text):
    assert look.is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I'm sorry for the delay, here is the report you asked for.",
        "Dear Ann, unfortunately I am not able to come to the party on Friday.",
        "The model cannot answer the question because the data is missing.",
        "An AI is a program that can't think.",
        "No I can't",
        "He said: I cannot help you with that.",
        "x = " * 80 + " I'm sorry, but I cannot help you with that.",
    ],
)
def test_what_only_looks_like_a_refusal(text):
    assert not look.is_refusal(text)


# --- openings ---


def test_openings_are_counted_without_case_punctuation_and_markup():
    responses = [
        "Once upon a time, there",
        "**Once** upon a TIME",
        "once  upon\na time",
        "Once upon a day it was",
        "Don’t do that now",
        "don't do that then, don't do that now",
        "too short",
        "",
        "日本語の話",
        "日本語の本",
    ]
    found = look.openings(responses)
    assert [(o.text, o.count, o.refusal) for o in found] == [
        ("once upon a time", 3, False),
        ("日 本 語 の", 2, False),
    ]
    assert [o.text for o in look.openings(responses, words=3)][:2] == ["once upon a", "don't do that"]
    assert look.openings(responses, top=1) == found[:1]


def test_an_opening_gives_exactly_the_rows_that_were_counted():
    responses = look.response_texts(data.load_pool(["demo"]))
    for words in (2, 4, 6):
        for opening in look.openings(responses, words=words, top=30):
            rows = look.opening_rows(responses, opening.text)
            assert len(rows) == opening.count
            assert all(" ".join(look.words_of(responses[row])[:words]) == opening.text for row in rows)


def test_words_beyond_the_first_characters_are_read_where_they_are_needed():
    long = "a" * 300
    responses = [f"{long} two three four", f"{long} two three four five", f"{long} two three other"]
    assert look.openings(responses) == [look.Opening(f"{long} two three four", 2, False)]


def test_an_opening_reads_like_a_refusal_where_most_of_its_responses_do():
    refusing = ["I'm sorry, but I cannot help with that."] * 3
    assert look.openings([*refusing, "I'm sorry but I am late"])[0].refusal
    assert not look.openings([*refusing[:1], "I'm sorry but I am late"])[0].refusal


# --- the report ---


def test_every_count_is_the_rows_behind_it(pool, lengths):
    scores = Scores.unknown(10, reason="")
    scores.reason[[6, 7, 8]] = "empty response", "empty response", "non-finite loss"
    content = look.content_findings(look.prompt_texts(pool), look.response_texts(pool))
    texts = look.prompt_texts(pool), look.response_texts(pool)
    overlaps = [contamination(*texts, texts[0][4:6], texts[1][4:6])]
    known = {
        "near": near_of(pool),
        "lengths": lengths,
        "scores": scores,
        "content": content,
        "overlaps": overlaps,
    }
    found = by_key(look.report(pool, **known))
    assert found["overlap_exact"].count >= 2  # two samples of the pool are in the evaluation data
    for key, finding in found.items():
        rows = look.rows_of_finding(pool, key, **known)
        assert finding.known and len(rows) == finding.count and rows.dtype == np.int64, key
        assert (np.diff(rows) > 0).all()
        mask = look.mask_of_finding(pool, key, **known)
        assert np.flatnonzero(mask).tolist() == rows.tolist()
    assert look.rows_of_finding(pool, "empty").tolist() == [6, 7]
    assert look.rows_of_finding(pool, "exact").tolist() == [0, 1]
    assert look.rows_of_finding(pool, "near", **known).tolist() == [0, 1, 2]
    assert look.rows_of_finding(pool, "same_response").tolist() == [0, 1, 2, 3]
    assert look.rows_of_finding(pool, "refusal").tolist() == [4, 5]
    assert look.rows_of_finding(pool, "too_long", **known).tolist() == [0, 4]
    assert look.rows_of_finding(pool, "opening:once upon a time").tolist() == [8, 9]
    assert look.rows_of_finding(pool, "unscorable", **known).tolist() == [6, 7, 8]
    assert look.rows_of_finding(pool, "unscorable:non-finite loss", **known).tolist() == [8]
    exact, near = found["exact"], found["near"]
    assert (exact.count, exact.groups, exact.extra) == (2, 1, 1)
    assert (near.count, near.groups, near.extra) == (3, 1, 2)


def test_what_is_not_known_says_why_and_has_no_number(pool):
    found = by_key(look.report(pool))
    for key in ("near", "too_long", "unscorable"):
        assert not found[key].known and found[key].count is None and found[key].why_unknown
        with pytest.raises(PoolError, match=r"Not (searched for|counted) yet"):
            look.rows_of_finding(pool, key)


def test_lengths_say_why_samples_that_were_not_scored_are_unscorable(pool, lengths):
    scores = Scores.unknown(10, reason="not scored")
    assert look.reasons_of(10, None, scores).tolist() == [""] * 10
    assert look.reasons_of(10, lengths, scores).tolist() == lengths.reason.tolist()
    scores.reason[0] = ""
    assert look.reasons_of(10, lengths, scores)[0] == ""
    assert look.reasons_of(10, None, None) is None


def test_samples_that_a_run_held_out_are_not_called_unscorable(pool, lengths):
    scores = Scores.unknown(10, reason="held out")
    scores.reason[3] = "no response token within max_length"
    assert np.flatnonzero(look.reasons_of(10, None, scores) != "").tolist() == [3]
    assert look.reasons_of(10, lengths, scores)[0] == lengths.reason[0]
    found = {one.key: one for one in look.report(pool, lengths=None, scores=scores)}
    assert found["unscorable"].count == 1


def test_a_key_that_is_unknown_or_has_no_rows_is_refused(pool):
    for key in ("nonsense", "opening:", "exact:1", ""):
        with pytest.raises(PoolError, match="is unknown"):
            look.rows_of_finding(pool, key)
    with pytest.raises(PoolError, match="are not samples"):
        look.rows_of_finding(pool, "rejected")
    with pytest.raises(PoolError, match="has no groups"):
        look.groups_of_finding(pool, "refusal")
    with pytest.raises(ConfigError, match=r"known from 0\.5"):
        look.rows_of_finding(pool, "near", near=near_of(pool), threshold=0.3)


def test_rejected_rows_are_reported_and_an_empty_pool_is_nothing_special(tmp_path):
    assert by_key(look.report(small_pool()))["rejected"].count == 1
    nothing = Pool("0" * 16, "nothing", small_pool().table.slice(0, 0))
    found = look.report(nothing, near=near_of(nothing))
    assert [finding.count for finding in found if finding.known] == [0] * 5


def test_keeping_one_of_each_group_leaves_the_first():
    groups = np.array([-1, 1, 0, 0, -1, 1, 0])
    assert look.keep_one(groups).tolist() == [3, 5, 6]
    assert look.rows_by_group(groups).tolist() == [2, 3, 6, 1, 5]
    assert look.keep_one(np.full(4, -1)).tolist() == look.rows_by_group(np.full(4, -1)).tolist() == []


def test_system_turns_can_be_left_out(tmp_path):
    path = tmp_path / "pool.json"
    path.write_text(json.dumps([{"system": "Be brief", "instruction": "Hi", "output": "Ho"}]))
    pool = data.load_pool([path])
    assert look.prompt_texts(pool) == ["Be brief\nHi"]
    assert look.prompt_texts(pool, system=False) == ["Hi"]


def test_no_deep_learning_library_comes_along():
    code = (
        "import sys\nfrom backend import data, findings\npool = data.load_pool(['demo'])\n"
        "findings.report(pool, near=findings.near_pairs(findings.prompt_texts(pool), findings.response_texts(pool)))\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'transformers', 'tokenizers'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


# --- what a chat template does ---


def test_what_a_template_does_to_samples_is_counted_with_its_rows():
    pool = small_pool(6)
    zero = np.zeros(6, dtype=np.int32)
    changes = np.array([0, 1, 2, 3, 0, 0], dtype=np.uint8)
    none = np.array([""] * 6, dtype=object)
    lengths = Lengths(zero, zero, none, "demo", 64, "", 64, changes)
    lines = by_key(look.report(pool, lengths=lengths))
    assert (lines["reasoning_dropped"].count, lines["response_changed"].count) == (2, 2)
    assert "tools_as_text" not in lines
    assert look.rows_of_finding(pool, "reasoning_dropped", lengths=lengths).tolist() == [1, 3]
    with pytest.raises(PoolError, match="Not counted yet"):
        look.rows_of_finding(pool, "response_changed")
