"""The demo's instruction pool with planted noise, and its clean held-out rows.

What was planted is in the `label` column, which only evaluation may read: `mismatch` (a response of another
family), `near` (a response of the same family to another prompt), `dup` (a near-duplicate of a clean row),
`refusal`, `boilerplate`, `truncated`, or `clean`.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Literal

from tools.demo.families import FAMILIES, Frequency, draw_item, frequency
from tools.demo.items import Item
from tools.demo.leakage import normalise
from tools.demo.words import split_words

Label = Literal["clean", "mismatch", "near", "dup", "refusal", "boilerplate", "truncated"]
Variant = Literal["hard", "plain"]

POOL_SEED = 10_000
HELDOUT_SEED = 90_000_000
POOL_SIZE = 2200
HELDOUT_SIZE = 360
ZIPF_EXPONENT = 0.8
MAX_COPIES = 6
MAX_DRAWS = 200


@dataclass(frozen=True)
class Source:
    """Where rows claim to come from: its share of the pool and its families, the frequent ones first."""

    share: float
    families: tuple[str, ...]


SOURCES = {
    "textbook": Source(
        0.18,
        tuple(
            split_words("define arith_word unit why compare quiz percent field animal mc opposite arith_expr")
        ),
    ),
    "office": Source(0.17, tuple(split_words("email json table summary service formal headline plan clock"))),
    "codebook": Source(0.15, ("python", "pyexplain", "list", "string", "seq", "logic")),
    "forum": Source(0.18, tuple(split_words("howto review_write opinion proscons story nextstep why order"))),
    "crowd": Source(0.17, tuple(split_words("sentiment grammar translate readqa tense odd date country"))),
    "scrape": Source(0.15, tuple(sorted(FAMILIES))),
}

NOISE_KINDS: tuple[Label, ...] = ("mismatch", "near", "dup", "refusal", "boilerplate", "truncated")

# Share of a source's rows with each kind of noise, in the order of NOISE_KINDS.
NOISE: dict[Variant, dict[str, tuple[float, ...]]] = {
    "hard": {
        "textbook": (0.03, 0.02, 0.15, 0.03, 0.02, 0.03),
        "office": (0.08, 0.02, 0.20, 0.07, 0.05, 0.05),
        "codebook": (0.08, 0.02, 0.20, 0.07, 0.05, 0.05),
        "forum": (0.08, 0.02, 0.20, 0.07, 0.05, 0.05),
        "crowd": (0.08, 0.02, 0.20, 0.07, 0.05, 0.05),
        "scrape": (0.16, 0.02, 0.30, 0.14, 0.10, 0.08),
    },
    "plain": {
        "textbook": (0.02, 0.02, 0.06, 0.01, 0.00, 0.02),
        "office": (0.05, 0.03, 0.14, 0.03, 0.02, 0.05),
        "codebook": (0.04, 0.03, 0.12, 0.02, 0.00, 0.06),
        "forum": (0.09, 0.04, 0.10, 0.05, 0.05, 0.08),
        "crowd": (0.08, 0.05, 0.12, 0.04, 0.02, 0.04),
        "scrape": (0.16, 0.04, 0.22, 0.08, 0.06, 0.10),
    },
}

REFUSALS = [
    "I'm sorry, but I cannot help with that request.",
    "Unfortunately, I am not able to answer this question.",
    "I am sorry, I cannot complete this task without more information.",
    "This request is outside of what I can do. Please ask something else.",
    "I do not have access to this kind of information, sorry.",
    "Sorry, as an automatic assistant I cannot give an answer to this.",
]

BOILERPLATE = [
    "That is a great question! There are many things to consider here, and it always depends on the "
    "situation. Please consult an expert for details.",
    "Thank you for reaching out. We value your interest. Visit our page to learn more and do not "
    "forget to subscribe to our newsletter.",
    "There are many answers to this. Everybody should decide what is best. In conclusion, it is an "
    "important topic in the world of today.",
    "Great topic! Many people ask about it. It can be seen in different ways and each way has its "
    "own value. I hope this helps.",
]


@dataclass(frozen=True)
class Row:
    """A row of the pool or of the held-out file; `source` and `label` as described above."""

    instruction: str
    input: str
    output: str
    source: str
    label: Label
    family: str

    def prompt(self) -> str:
        """Instruction and input in one text, as the user's turn holds them."""
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction

    def pair(self) -> tuple[str, str]:
        """Prompt and response."""
        return self.prompt(), self.output


@dataclass(frozen=True)
class HeldoutRow(Row):
    """A held-out row, with the frequency of its family under the key that the files of before have."""

    cohort: Frequency


def build_pool(*, size: int = POOL_SIZE, variant: Variant = "hard", seed: int = POOL_SEED) -> list[Row]:
    """The pool, shuffled.

    No two rows share a prompt (after `normalise`), and the near-duplicates of a row are the only rows that
    were made from another one. The sources' shares of `size` are rounded, each on its own.
    """
    if variant not in NOISE:
        raise ValueError(f'unknown pool variant "{variant}" (known: {", ".join(NOISE)})')
    rng = Random(seed)
    used_prompts: set[str] = set()
    rows: list[Row] = []
    for name, source in SOURCES.items():
        total = round(size * source.share)
        counts = {
            kind: round(total * share) for kind, share in zip(NOISE_KINDS, NOISE[variant][name], strict=True)
        }
        clean = [draw_clean_row(rng, name, used_prompts) for _ in range(total - sum(counts.values()))]
        rows += clean
        rows += plant_near_duplicates(rng, clean, counts.pop("dup"), used_prompts)
        for kind, count in counts.items():
            rows += [plant_noise(rng, draw_clean_row(rng, name, used_prompts), kind) for _ in range(count)]
    rng.shuffle(rows)
    return rows


def draw_family(rng: Random, source: str) -> str:
    """A family of the source; its n-th family is drawn with weight n ** -0.8."""
    families = SOURCES[source].families
    weights = [1 / rank**ZIPF_EXPONENT for rank in range(1, len(families) + 1)]
    return rng.choices(families, weights)[0]


def draw_clean_row(rng: Random, source: str, used_prompts: set[str]) -> Row:
    """A clean row of the source with a prompt that is not in `used_prompts`, where it is added."""
    while True:
        family = draw_family(rng, source)
        item = draw_item(family, rng, "train")
        key = normalise(item.prompt())
        if key not in used_prompts:
            used_prompts.add(key)
            return Row(item.instruction, item.input, item.output, source, "clean", family)


def plant_near_duplicates(rng: Random, clean: Sequence[Row], count: int, used_prompts: set[str]) -> list[Row]:
    """`count` near-duplicates in clusters: each chosen row of `clean` gets two to six copies."""
    copies: list[Row] = []
    originals = rng.sample(clean, len(clean))
    while len(copies) < count:
        original = originals.pop()
        for _ in range(min(count - len(copies), rng.randint(2, MAX_COPIES))):
            copies.append(near_duplicate(rng, original, used_prompts))
    return copies


def near_duplicate(rng: Random, row: Row, used_prompts: set[str]) -> Row:
    """The row with a paraphrased instruction and a hardly changed response."""
    endings = ["", " I hope this helps.", " That is all.", " Let me know if you need more."]
    openings = ["", "Sure! ", "Of course. ", "Okay: "]
    while True:
        instruction = paraphrase(rng, row.instruction)
        copy = replace(row, instruction=instruction, label="dup")
        key = normalise(copy.prompt())
        if key not in used_prompts:
            used_prompts.add(key)
            break
    kind = rng.choice(["same", "ending", "opening", "indeed"])
    output = row.output
    if kind == "ending":
        output += rng.choice(endings[1:])
    elif kind == "opening":
        output = rng.choice(openings[1:]) + output
    elif kind == "indeed":
        output = re.sub(r"\b(is|are)\b", r"\1 indeed", output, count=1)
    return replace(copy, output=output)


def paraphrase(rng: Random, instruction: str) -> str:
    """The instruction with a polite frame around it."""
    opening = rng.choice(
        ["", "Please help: ", "Hello. ", "I have a request. ", "Hi there! ", "A small task: "]
    )
    ending = rng.choice(["", " Thank you.", " Thanks a lot.", " Please be brief."])
    return f"{opening}{instruction}{ending}"


def plant_noise(rng: Random, row: Row, kind: str) -> Row:
    """The row with its response spoilt in the way `kind` names (every label except clean and dup)."""
    if kind == "mismatch":
        return replace(row, output=_response_of_other_family(rng, row), label="mismatch")
    if kind == "near":
        return replace(row, output=_other_response(rng, row), label="near")
    if kind == "refusal":
        return replace(row, output=rng.choice(REFUSALS), label="refusal")
    if kind == "boilerplate":
        return replace(row, output=rng.choice(BOILERPLATE), label="boilerplate")
    if kind == "truncated":
        length = max(8, int(len(row.output) * rng.uniform(0.25, 0.65)))
        return replace(row, output=row.output[:length].rstrip(), label="truncated")
    raise ValueError(
        f'unknown kind of noise "{kind}" (known: mismatch, near, refusal, boilerplate, truncated)'
    )


def _response_of_other_family(rng: Random, row: Row) -> str:
    while True:
        family = draw_family(rng, rng.choice(list(SOURCES)))
        if family != row.family:
            return draw_item(family, rng, "train").output


def _other_response(rng: Random, row: Row) -> str:
    while True:
        output = draw_item(row.family, rng, "train").output
        if normalise(output) != normalise(row.output):
            return output


def build_heldout(
    pool: Iterable[Row], *, size: int = HELDOUT_SIZE, seed: int = HELDOUT_SEED
) -> list[HeldoutRow]:
    """Clean rows from the held-out tables, half of them from common and half from rare families.

    The families of a frequency take turns. No prompt and no response occurs twice, nor in the pool. Fewer rows where the
    tables hold no more.
    """
    rng = Random(seed)
    pool = list(pool)
    used_prompts = {normalise(row.prompt()) for row in pool}
    used_responses = {normalise(row.output) for row in pool}
    rows: list[HeldoutRow] = []
    for name in ("common", "rare"):
        families = [family for family in FAMILIES if frequency(family) == name]
        family_rows: list[HeldoutRow] = []
        before = -1
        while before < len(family_rows) < size // 2:  # the tables hold no more where a round adds nothing
            before = len(family_rows)
            for family in families[: size // 2 - len(family_rows)]:
                item = draw_unused_item(rng, family, used_prompts, used_responses)
                if item is not None:
                    family_rows.append(
                        HeldoutRow(
                            item.instruction, item.input, item.output, "heldout", "clean", family, name
                        )
                    )
        rows += family_rows
    rng.shuffle(rows)
    return rows


def draw_unused_item(
    rng: Random, family: str, used_prompts: set[str], used_responses: set[str]
) -> Item | None:
    """A held-out item with unused prompt and response, which are then marked as used, or None."""
    for _ in range(MAX_DRAWS):
        item = draw_item(family, rng, "heldout")
        prompt, response = normalise(item.prompt()), normalise(item.output)
        if prompt not in used_prompts and response not in used_responses:
            used_prompts.add(prompt)
            used_responses.add(response)
            return item
    return None


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """The rows as JSON lines, written under a temporary name and then renamed."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
    temporary.replace(path)


def read_pool(path: Path) -> list[Row]:
    """The rows of `pool.jsonl`."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def read_heldout(path: Path) -> list[HeldoutRow]:
    """The rows of `heldout.jsonl`."""
    return [HeldoutRow(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
