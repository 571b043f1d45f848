"""What decides a selection, setting by setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.config.fields import setting

Strategy = Literal[
    "iterit",
    "iterit-cumulative",
    "iterit-static",
    "complexity",
    "superfiltering",
    "diversity",
    "longest",
    "random",
    "random-each-epoch",
    "full",
]
Ranking = Literal["paper", "authors"]
Words = Literal["paper", "unicode"]
EarlierSamples = Literal["both", "left-out", "covered"]

STRATEGY_HELP: dict[str, str] = {
    "iterit": "complexity x diversity, re-scored and re-selected before every epoch (the method)",
    "iterit-cumulative": "complexity x diversity, every epoch covers what the earlier ones left (ours, not the paper's)",
    "iterit-static": "complexity x diversity, epoch 0's selection kept (the paper's ablation)",
    "complexity": "complexity alone, re-scored before every epoch",
    "superfiltering": "complexity of the untouched model alone, once",
    "diversity": "diversity alone, once; needs no model",
    "longest": "the longest responses, in tokens",
    "random": "a seeded draw, kept for all epochs",
    "random-each-epoch": "a new seeded draw before every epoch: the fair control for changing data",
    "full": "the whole pool",
}


@dataclass(frozen=True, kw_only=True)
class SelectionSettings:
    """What decides a selection once the scores are known; changing one needs no model."""

    strategy: Strategy = setting("iterit", "how samples are chosen", group="selection", origin="paper")
    budget: float = setting(
        0.05,
        "how many samples an epoch trains on: a share of the pool up to 1, else a number of samples",
        group="selection",
        unit="share or samples",
        origin="paper",
        low=0.0,
    )
    update_ratio: float = setting(
        3.0,
        "before each later epoch only the top (update ratio x budget) samples are rescored; "
        "1 means the whole pool",
        group="selection",
        unit="x budget",
        origin="paper",
        low=1.0,
    )
    decay: float = setting(
        0.1,
        "what an n-gram's weight is multiplied by each time a pick covers it "
        "(0.1 for general data, 0 for a narrow domain)",
        group="selection",
        origin="paper",
        low=0.0,
        high=1.0,
    )
    complexity_weight: float = setting(
        1.0,
        "exponent a in complexity^a x diversity^b",
        group="selection",
        origin="paper (a = 1)",
        low=0.0,
        high=10.0,
    )
    diversity_weight: float = setting(
        1.0,
        "exponent b in complexity^a x diversity^b",
        group="selection",
        origin="paper (b = 1)",
        low=0.0,
        high=10.0,
    )
    source_weights: dict[str, float] = setting(
        {},
        "factor on the gain of a source's samples, by source name; 1 where not named, 0 leaves the source out",
        group="selection",
    )
    source_shares: dict[str, str] = setting(
        {},
        "bounds on a source's share of the budget, by source name, as low-high: at least, at most; one of them may be left "
        "out (0.1-0.3, 0.1-, -0.3). Pinned samples count; the strategy full does not read it",
        group="selection",
        unit="shares from 0 to 1",
    )
    factor_column: str = setting(
        "",
        "a numeric column of the data (scores of another judge) as a factor of the gain: complexity^a x diversity^b x value^w. "
        "Values must be 0 or more, and only their ratios matter; samples without a value are not candidates",
        group="selection",
    )
    factor_weight: float = setting(
        1.0,
        "exponent w of factor_column in the gain; 0 switches it off",
        group="selection",
        low=0.0,
        high=10.0,
    )
    max_complexity: float = setting(
        1.0,
        "samples with complexity at or above this are never selected: the prompt does not help",
        group="selection",
        origin="paper",
        low=0.0,
    )
    min_response_tokens: int = setting(
        0, "shorter responses are not candidates", group="selection", unit="tokens", low=0
    )
    max_response_tokens: int = setting(
        0, "longer responses are not candidates; 0 sets no limit", group="selection", unit="tokens", low=0
    )
    pinned: tuple[str, ...] = setting((), "sample ids that are always in, first", group="selection")
    excluded: tuple[str, ...] = setting((), "sample ids that are never in", group="selection")
    ranking: Ranking = setting(
        "paper",
        "order from which the update ratio's top is taken; 'authors' puts complexity >= 1 before the "
        "runners-up, as the authors' code does",
        group="selection",
        origin="paper",
    )
    earlier_samples: EarlierSamples = setting(
        "both",
        "what iterit-cumulative does with samples of earlier epochs: left-out: they are not candidates; covered: their "
        "n-grams keep the weight that they were left with; both: both. Other strategies do not read it",
        group="selection",
    )
    response_suffix: str = setting(
        "",
        "text added to every response before its n-grams are counted (the authors' code counts the turn's "
        "closing marker too, for example <|im_end|>)",
        group="selection",
        origin="paper (none)",
    )
    words: Words = setting(
        "paper",
        "how responses are cut into the words that n-grams are of: paper takes runs of two or more letters and digits, as "
        "scikit-learn does; unicode takes each character of a script without spaces (Chinese, Japanese, Thai, Lao, Khmer, "
        "Burmese) as a word and cuts all others by Unicode's rules, where single letters and emoji count too",
        group="selection",
        origin="paper",
    )
    seed: int = setting(
        0, "seed of every draw: random strategies, held-out split, batch order", group="selection", low=0
    )
