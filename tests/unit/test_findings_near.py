"""Near-duplicates: held against a comparison of all pairs, and on the demo against what was planted there."""

import itertools
import random

import numpy as np
import pytest
from plain_twins import SHARED

from backend import data
from backend.data.demo import POOL
from backend.errors import ConfigError, Stopped
from backend.findings import NearPairs, near_groups, near_pairs, prompt_texts, response_texts
from backend.findings.shingles import normal, shingle_sets
from tools.demo.pool import read_pool


def plain_set(prompt: str, response: str) -> set[tuple[str, str]]:
    """The runs of five characters of both texts, told apart by where they stand."""
    found = set()
    for where, text in (("prompt", prompt), ("response", response)):
        text = " ".join(text.lower().split())
        found |= {(where, text[i : i + 5]) for i in range(max(1, len(text) - 4)) if text}
    return found


def plain_pairs(prompts: list[str], responses: list[str], lowest: float) -> dict[tuple[int, int], float]:
    """Every pair from `lowest` on, by comparing all with all."""
    sets = [plain_set(*texts) for texts in zip(prompts, responses, strict=True)]
    pairs = {}
    for a, b in itertools.combinations(range(len(sets)), 2):
        either = len(sets[a] | sets[b])
        similarity = (
            len(sets[a] & sets[b]) / either if either else float(prompts[a].split() == prompts[b].split())
        )
        if similarity >= lowest:
            pairs[a, b] = similarity
    return pairs


def plain_groups(pairs: dict[tuple[int, int], float], n: int, threshold: float) -> list[int]:
    """Groups by painting: the smaller of two numbers wins until nothing changes."""
    colour = list(range(n))
    changed = True
    while changed:
        changed = False
        for (a, b), similarity in pairs.items():
            if np.float32(similarity) >= np.float32(threshold) and colour[a] != colour[b]:
                colour[a] = colour[b] = min(colour[a], colour[b])
                changed = True
    numbers: dict[int, int] = {}
    return [numbers.setdefault(c, len(numbers)) if colour.count(c) > 1 else -1 for c in colour]


def varied(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Samples of which half are earlier ones with some words changed, or another case or spacing."""
    rng = random.Random(seed)
    words = [f"word{k}" for k in range(60)] + ["日本語", "été", "x", "7", "Ärger,"]
    prompts, responses = [], []
    for _ in range(n):
        if prompts and rng.random() < 0.6:
            at = rng.randrange(len(prompts))
            prompt, response = prompts[at].split(" "), responses[at].split(" ")
            for _ in range(rng.randrange(5)):
                text = rng.choice([prompt, response])
                text[rng.randrange(len(text))] = rng.choice(words)
            if rng.random() < 0.1:
                prompt = [word.upper() for word in prompt]
                response = ["", *response, " "]
        else:
            prompt, response = (rng.choices(words, k=rng.randrange(1, 14)) for _ in range(2))
        prompts.append(" ".join(prompt))
        responses.append(" ".join(response))
    prompts[3] = responses[3] = prompts[8] = responses[8] = ""
    prompts[5], responses[5] = "hi", ""
    return prompts, responses


@pytest.fixture(scope="module")
def samples() -> tuple[list[str], list[str]]:
    return varied(300)


def test_similarities_and_groups_are_those_of_comparing_all_pairs(samples):
    truth = plain_pairs(*samples, 0.5)
    pairs = near_pairs(*samples)
    assert pairs.a.dtype == pairs.b.dtype == np.int32 and pairs.similarity.dtype == np.float32
    found = {(int(a), int(b)): s for a, b, s in zip(pairs.a, pairs.b, pairs.similarity, strict=True)}
    assert len(found) == len(pairs) > 100
    assert all(a < b and s == np.float32(truth[a, b]) for (a, b), s in found.items())
    assert list(found) == sorted(found)
    for threshold in (0.6, 0.7, 0.8, 0.9, 1.0):
        groups = near_groups(pairs, 300, threshold=threshold)
        assert groups.tolist() == plain_groups(truth, 300, threshold), threshold


def test_hardly_a_pair_is_missed_at_the_lowest_similarity(samples):
    truth = plain_pairs(*samples, 0.5)
    pairs = near_pairs(*samples)
    groups = {
        t: near_groups(pairs, 300, threshold=t)
        for t in {max(0.5, float(np.float32(s))) for s in truth.values()}
    }
    joined = [
        groups[t][a] == groups[t][b] >= 0
        for (a, b), s in truth.items()
        for t in [max(0.5, float(np.float32(s)))]
    ]
    assert len(joined) > 500
    assert np.mean(joined) > 0.99


def test_no_more_pairs_than_samples_are_kept(samples):
    assert len(plain_pairs(*samples, 0.5)) > 300 > len(near_pairs(*samples))


def test_equal_samples_are_grouped_without_comparing_them():
    prompts = ["What is the tallest mountain?"] * 1000 + ["Something else entirely"]
    pairs = near_pairs(prompts, ["Everest."] * 1000 + ["Nothing of the sort"])
    assert pairs.a.tolist() == [0] * 999 and pairs.b.tolist() == list(range(1, 1000))
    assert (pairs.similarity == 1).all()
    groups = near_groups(pairs, 1001, threshold=1)
    assert (groups[:1000] == 0).all() and groups[1000] == -1


def test_many_pairs_are_thinned_out_on_the_way(monkeypatch, samples):
    from backend.findings import near

    whole = near_pairs(*samples)
    prune = near._Forest._prune
    monkeypatch.setattr(
        near._Forest, "add", lambda self, *pairs: (self.parts.append(_ordered(*pairs)), prune(self))
    )
    thinned = near_pairs(*samples)
    for threshold in (0.5, 0.75, 0.9):
        np.testing.assert_array_equal(
            near_groups(thinned, 300, threshold=threshold), near_groups(whole, 300, threshold=threshold)
        )


def _ordered(row, others, similarity):
    return np.minimum(others, row), np.maximum(others, row), similarity


def test_the_same_on_every_run(samples):
    one, other = near_pairs(*samples), near_pairs(*samples)
    for name in ("a", "b", "similarity"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_prompt_and_response_are_told_apart():
    texts = [
        "the quick brown fox jumps over the lazy dog",
        "a completely different line of writing altogether",
    ]
    assert len(near_pairs([texts[0], texts[1]], [texts[1], texts[0]])) == 0


def test_seven_of_ten_reach_a_threshold_of_seven_tenths():
    pairs = NearPairs(np.array([0]), np.array([1]), np.array([0.7], dtype=np.float32), 0.5)
    assert near_groups(pairs, 2, threshold=0.7).tolist() == [0, 0]
    assert near_groups(pairs, 2, threshold=0.71).tolist() == [-1, -1]


def test_what_cannot_be_known_is_refused():
    pairs = near_pairs(["a question"], ["an answer"], lowest=0.7)
    with pytest.raises(ConfigError, match=r"known from 0\.7 to 1"):
        near_groups(pairs, 1, threshold=0.6)
    with pytest.raises(ConfigError, match="more than 0"):
        near_pairs([], [], lowest=0)
    assert near_groups(near_pairs([], []), 0, threshold=0.5).tolist() == []


def test_progress_is_told_and_may_stop_the_work(samples):
    told = []
    near_pairs(*samples, on_progress=lambda done, total: told.append((done, total)))
    assert told[0][0] == 0 and told[-1][0] == told[-1][1] <= 300

    def stop(done, total):
        raise Stopped("stop")

    with pytest.raises(Stopped):
        near_pairs(*samples, on_progress=stop)


def test_shingles_are_distinct_sorted_and_as_many_as_plain_ones(monkeypatch):
    from backend.findings import shingles as module

    prompts, responses = (list(map(normal, texts)) for texts in varied(50, seed=1))
    shingles, offsets = shingle_sets(prompts, responses)
    sizes = [len(plain_set(*texts)) for texts in zip(prompts, responses, strict=True)]
    assert np.diff(offsets).tolist() == sizes
    for begin, end in itertools.pairwise(offsets):
        assert (np.diff(shingles[begin:end].astype(object)) > 0).all()
    monkeypatch.setattr(module, "CHUNK", 7)
    for one, other in zip(shingle_sets(prompts, responses), (shingles, offsets), strict=True):
        np.testing.assert_array_equal(one, other)


def test_planted_near_duplicates_of_the_demo_are_found():
    """What the docstring of `shingles` says: the share of planted samples in a group with what they were made from."""
    rows = read_pool(POOL)
    pool = data.load_pool(["demo"])
    clean: dict[tuple[str, str, str], list[int]] = {}
    for i, row in enumerate(rows):
        if row.label == "clean":
            clean.setdefault((row.family, row.source, row.input), []).append(i)
    origin = {}
    for i, row in enumerate(rows):
        if row.label == "dup":
            made_from = [
                j for j in clean[row.family, row.source, row.input] if rows[j].instruction in row.instruction
            ]
            origin[i] = max(made_from, key=lambda j: len(rows[j].instruction))
    assert len(origin) == 453
    pairs = near_pairs(prompt_texts(pool, system=False), response_texts(pool))
    together = {}
    for threshold in (0.6, 0.7, 0.8):
        groups = near_groups(pairs, len(pool), threshold=threshold)
        together[threshold] = np.mean([groups[i] == groups[j] >= 0 for i, j in origin.items()])
    assert together[0.6] == 1 and together[0.7] > 0.98 and together[0.8] > 0.85
    groups = near_groups(pairs, len(pool), threshold=0.8)
    families = [{rows[i].family for i in np.flatnonzero(groups == g)} for g in range(groups.max() + 1)]
    assert np.mean([len(family) == 1 for family in families]) > 0.98


def test_real_instructions_group_sensibly():
    path = SHARED / "data" / "pool_small.json"
    if not path.exists():
        pytest.skip(f"{path} is not here (set ITERIT_SHARED)")
    pool = data.load_pool([path])
    pairs = near_pairs(prompt_texts(pool, system=False), response_texts(pool))
    groups = near_groups(pairs, len(pool), threshold=0.8)
    assert groups.max() + 1 == 19 and (groups >= 0).sum() == 51
