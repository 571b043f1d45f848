"""The demo's pool, held-out rows and pre-training text: what they hold, and that none leaks into another."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tools.demo.corpus import draw_documents
from tools.demo.families import FAMILIES, assistant_rate, draw_item, frequency
from tools.demo.leakage import MIN_RESPONSE_WORDS, LeakageGuard, PhraseIndex, normalise
from tools.demo.pool import (
    BOILERPLATE,
    NOISE,
    NOISE_KINDS,
    POOL_SIZE,
    REFUSALS,
    SOURCES,
    HeldoutRow,
    Row,
    build_heldout,
    build_pool,
    read_heldout,
    read_pool,
    write_rows,
)
from tools.demo.tables import World, build_world, invent_countries, lumic_lexicon, read_table, split_rows

ASSETS = Path(__file__).parents[2] / "assets" / "demo"
CORPUS_SAMPLE = 6000


@pytest.fixture(scope="module")
def pool() -> list[Row]:
    return build_pool()


@pytest.fixture(scope="module")
def heldout(pool: list[Row]) -> list[HeldoutRow]:
    return build_heldout(pool)


def test_files_are_what_the_builder_makes(pool: list[Row], heldout: list[HeldoutRow], tmp_path: Path) -> None:
    write_rows(pool, tmp_path / "pool.jsonl")
    write_rows(heldout, tmp_path / "heldout.jsonl")
    for name in ("pool.jsonl", "heldout.jsonl"):
        assert (tmp_path / name).read_bytes() == (ASSETS / name).read_bytes(), name
    assert read_pool(ASSETS / "pool.jsonl") == pool
    assert read_heldout(ASSETS / "heldout.jsonl") == heldout


def test_sources_have_their_shares(pool: list[Row]) -> None:
    assert len(pool) == POOL_SIZE == 2200
    counts = Counter(row.source for row in pool)
    assert counts == {name: round(POOL_SIZE * source.share) for name, source in SOURCES.items()}
    for name, source in SOURCES.items():
        assert {row.family for row in pool if row.source == name} <= set(source.families)


@pytest.mark.parametrize("variant", ["hard", "plain"])
def test_every_source_has_its_noise(variant: str) -> None:
    rows = build_pool(variant=variant)
    for name, source in SOURCES.items():
        total = round(POOL_SIZE * source.share)
        labels = Counter(row.label for row in rows if row.source == name)
        expected = {
            kind: round(total * share) for kind, share in zip(NOISE_KINDS, NOISE[variant][name], strict=True)
        }
        assert {kind: labels[kind] for kind in NOISE_KINDS} == expected
        assert labels["clean"] == total - sum(expected.values())


def test_unknown_variant_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r'unknown pool variant "soft" \(known: hard, plain\)'):
        build_pool(variant="soft")


def test_labels_say_what_was_planted(pool: list[Row]) -> None:
    by_label = {label: [row for row in pool if row.label == label] for label in ("clean", *NOISE_KINDS)}
    assert all(row.output in REFUSALS for row in by_label["refusal"])
    assert all(row.output in BOILERPLATE for row in by_label["boilerplate"])
    clean = [(row.source, row.input, row.instruction) for row in by_label["clean"]]
    copies = Counter(
        (source, context, instruction)
        for row in by_label["dup"]
        for source, context, instruction in clean
        if (source, context) == (row.source, row.input) and f" {instruction}" in f" {row.instruction}"
    )
    assert sum(copies.values()) == len(by_label["dup"]) and max(copies.values()) <= 6
    lengths = [len(row.output) for row in by_label["truncated"]]
    assert sum(lengths) / len(lengths) < 0.65 * sum(len(row.output) for row in pool) / len(pool)


def test_prompts_are_distinct_and_responses_not_empty(pool: list[Row], heldout: list[HeldoutRow]) -> None:
    prompts = [normalise(row.prompt()) for row in [*pool, *heldout]]
    assert len(set(prompts)) == len(prompts)
    assert all(row.output.strip() for row in [*pool, *heldout])


def test_heldout_is_clean_and_balanced(heldout: list[HeldoutRow]) -> None:
    counts = Counter(row.cohort for row in heldout)
    assert counts["common"] == counts["rare"] == len(heldout) // 2
    assert all(row.label == "clean" and row.cohort == frequency(row.family) for row in heldout)
    assert {row.family for row in heldout} == set(FAMILIES)
    families = Counter(row.family for row in heldout)
    assert min(families.values()) >= 6 and max(families.values()) <= 12


def test_heldout_responses_are_not_in_the_pool(pool: list[Row], heldout: list[HeldoutRow]) -> None:
    responses = PhraseIndex(row.output for row in heldout)
    assert not [row for row in pool if responses.find(row.prompt()) or responses.find(row.output)]
    assert all(len(normalise(row.output).split()) >= MIN_RESPONSE_WORDS for row in heldout)


def test_splits_share_no_table_row() -> None:
    train, heldout = build_world("train"), build_world("heldout")
    for name in World.__dataclass_fields__:
        rows, held_out_rows = getattr(train, name), getattr(heldout, name)
        assert not {row[0] for row in rows} & {row[0] for row in held_out_rows}, name
        assert 0.2 < len(held_out_rows) / (len(rows) + len(held_out_rows)) < 0.3, name
    with pytest.raises(ValueError, match=r'unknown split "test" \(known: train, heldout\)'):
        split_rows([1, 2], "test")


def test_heldout_facts_are_neither_in_pool_nor_in_pretraining_text(pool: list[Row]) -> None:
    world = build_world("heldout")
    facts = PhraseIndex(
        [concept.definition for concept in world.concepts]
        + [reason.cause for reason in world.reasons]
        + [function.purpose for function in world.functions]
        + [" ".join(guide.steps[:2]) for guide in world.guides]
        + [f"the capital of {country.name}" for country in world.countries]
    )
    texts = [row.output for row in pool] + list(draw_documents(17, 2000))
    assert not [text for text in texts if facts.find(text)]


@pytest.mark.slow
def test_pretraining_text_repeats_neither_pool_nor_heldout(
    pool: list[Row], heldout: list[HeldoutRow]
) -> None:
    guard = LeakageGuard([row.pair() for row in pool], [row.pair() for row in heldout])
    unguarded = [normalise(document) for document in draw_documents(3, CORPUS_SAMPLE)]
    guarded = [normalise(document) for document in draw_documents(3, CORPUS_SAMPLE, guard)]
    assert naive_leaks(unguarded, pool, heldout), "the sample is too small to show anything"
    assert not naive_leaks(guarded, pool, heldout)


def naive_leaks(documents: list[str], pool: list[Row], heldout: list[HeldoutRow]) -> list[str]:
    """The slow twin of `LeakageGuard`: plain substring search in one long text, then in each suspect's document."""
    text = "\n".join(f" {document} " for document in documents)
    leaks = [row.output for row in heldout if f" {normalise(row.output)} " in text]
    for row in [*pool, *heldout]:
        prompt, response = f" {normalise(row.prompt())} ", f" {normalise(row.output)} "
        if prompt in text and response in text:
            leaks += [
                document for document in text.split("\n") if prompt in document and response in document
            ]
    return leaks


def test_phrase_index_finds_what_substring_search_finds() -> None:
    rng = Random(0)
    phrases = [" ".join(rng.choices("abc", k=rng.randint(1, 5))) for _ in range(60)]
    index = PhraseIndex(phrases)
    for _ in range(200):
        text = " ".join(rng.choices("abc", k=rng.randint(1, 12)))
        expected = {phrase for phrase in phrases if f" {phrase} " in f" {text} "}
        assert set(index.find(text.upper().replace(" ", ", "))) == expected


def test_pretraining_text_never_shows_the_chat_template() -> None:
    assert not [text for text in draw_documents(5, 3000) if "<|" in text or "|>" in text]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("split", ["train", "heldout"])
def test_every_family_draws_whole_items(family: str, split: str) -> None:
    for seed in range(30):
        item = draw_item(family, Random(seed), split)
        assert item == draw_item(family, Random(seed), split)
        texts = [item.instruction, item.output, item.prose, item.question, item.answer]
        assert all(text.strip() for text in texts)
        # nothing of a template is left over and no sentence runs into a stray blank
        assert not any("  " in text for text in texts if "def " not in text and "{\n" not in text)
        assert not any(" ." in text or ".." in text for text in texts if "def " not in text)
        assert item.output not in (item.prose, item.answer)


def test_rates_fall_from_common_to_rare() -> None:
    rates = [assistant_rate(family) for family in FAMILIES]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == pytest.approx(0.60) and rates[-1] == pytest.approx(0.02)
    frequencies = [frequency(family) for family in FAMILIES]
    assert frequencies == sorted(frequencies) and set(frequencies) == {"common", "rare"}


def test_lexicon_and_countries_are_one_to_one() -> None:
    lexicon = lumic_lexicon()
    assert len(set(lexicon.values())) == len(lexicon)
    countries = invent_countries()
    assert len({country.name for country in countries}) == len(countries) == 100


def test_a_short_table_row_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "animals.txt").write_text("# animal|class\nfrog|amphibian\nowl\n", encoding="utf-8")
    monkeypatch.setattr("tools.demo.tables.TABLE_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"animals\.txt line 3: found 1 columns, expected 2"):
        read_table("animals")
