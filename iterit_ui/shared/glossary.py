"""The terms of the method and of the screens, in one place: the page's glossary and `docs/glossary.md` show the same.

`python -m iterit_ui.shared.glossary > docs/glossary.md` writes the document.
"""

from __future__ import annotations

import re
from html import escape

PAPER = "https://arxiv.org/abs/2412.17365"

# by topic: the term and what it means; `code` stands for formulas and settings
GLOSSARY = {
    "Scores": {
        "complexity": "How hard a response is for the model even when it reads the prompt: "
        "`PPL(y | x) / PPL(y) = exp(loss_cond) / exp(loss_prior)`, the perplexity with the prompt over the one without it. "
        "Near 0 the prompt gives the answer away; at 1 or above it does not help, which often means a mismatched response. "
        "The paper's S_COM, known elsewhere as IFD.",
        "complexity limit": "Samples with a complexity at or above it are never selected (`max_complexity`, 1 in the paper).",
        "diversity": "How much a response adds in words and phrases that the picks so far do not cover: "
        "the sum of `tfidf(i, t) * w_t` over its n-grams t. The paper's S_DIV.",
        "n-gram": "A run of one, two or three words of a response. Each has a TF-IDF value in its response, and a weight "
        "`w_t` that starts at 1 and falls as picks cover it.",
        "loss": "Mean negative log-likelihood of the response's tokens, in nats per token. Perplexity is its exponential.",
        "unscorable": "A sample whose complexity cannot be computed, for example because its response is empty or lies beyond "
        "the maximum length. It is never selected, and the reason is shown.",
    },
    "Selection": {
        "pool": "All samples to choose from, read from one or several files.",
        "candidate": "A sample that may be picked: not excluded, not held out, within the length limits, from a source whose weight "
        "is not 0 and, where the strategy reads complexity, scored and below the complexity limit.",
        "gain": "What a pick is worth at the moment it is made: `complexity^a * diversity^b` (a = b = 1 in the paper), times the weight of its "
        "source. The candidate with the largest gain is picked next; ties go to the earlier row.",
        "decay": "What the weight of an n-gram is multiplied by each time a pick contains it: `w_t *= decay`. 0.1 suits "
        "general data, 0 a narrow domain; at 1 nothing counts as covered.",
        "budget": "How many samples an epoch trains on: a share of the pool, or a number.",
        "update ratio": "Before each later epoch only the top `update_ratio * budget` samples are scored again, 3 times the "
        "budget by default; 1 means the whole pool.",
        "cumulative": "A strategy of ours, not the paper's: an epoch leaves out the samples that earlier epochs trained on, and "
        "the n-grams of those keep the weight that they were left with. So all epochs together are one selection, made in "
        "parts as the scores change.",
        "round": "With the cumulative strategy, the epochs until fewer samples are left than an epoch takes; then a new round "
        "begins with all of them.",
        "coverage": "The share of the pool's wording (each n-gram by its TF-IDF) whose n-grams occur in the selection; also called "
        "vocabulary covered.",
        "source weight": "A factor on the gain of every sample of a source; 0 leaves the source out.",
        "column factor": "A column of the data with numbers of 0 or more that multiplies the gain (`factor_column`), to the power of "
        "its weight. Samples without a value are not candidates.",
        "source share": "How much of the selection is from a source. It can be bounded (`source_shares`): at most so much, and at "
        "least so much as far as the source has candidates. Bounds are shares of the budget, and pinned samples count.",
        "pinned": "Marked by a person to be in every selection, before all other picks.",
        "excluded": "Marked by a person to be in no selection. The sample stays in the pool.",
        "strategy": "How samples are picked: IterIT, parts of it, or a baseline such as a random draw.",
        "Superfiltering": "A baseline: complexity alone, scored once by the untouched model.",
    },
    "Data": {
        "near-duplicate": "Samples whose prompt and response share most of their runs of five characters (of three where each "
        "character is a word), measured by their Jaccard similarity.",
        "opening": "The first words of a response. Frequent openings are often boilerplate, which a model learns too.",
        "refusal": "A response that begins like a refusal to answer. It is recognised in English only; some are right to refuse.",
        "source": "Where a sample comes from: a column of the data, else the file's name.",
        "planted noise": "Faults put into the demo's samples on purpose. Their labels judge a selection; the method does not use them.",
    },
    "Models and training": {
        "chat template": "The text that a model puts around each turn of a conversation. Scoring and training render samples with it.",
        "response span": "The tokens that a loss is taken over: the response and what the template closes its turn with. "
        "It is found from token offsets, not by searching for the text.",
        "fine-tuning": "Training a model further on prompts and responses, with the loss on response tokens only (SFT).",
        "LoRA": "Small adapters trained in place of the model's own weights; much less memory is needed.",
        "epoch": "One pass of training over a selection. IterIT scores and selects again before each epoch.",
        "optimizer step": "One update of the weights, after `batch_size` samples.",
        "untouched model": "The model before any training of this run.",
    },
    "Results": {
        "held out": "Samples that are never selected or trained on.",
        "held-out loss": "The mean loss on the held-out samples, in nats per token. Lower is better, and only losses on the same samples compare.",
        "review": "A stop before an epoch trains: a person sees the selection, may change it, and approves it.",
        "cohort": "Samples with the same history in a run: kept, added, dropped, gone earlier, or never selected.",
        "hardest": "The samples of highest complexity below the limit, as many as the budget.",
        "spread": "The sample standard deviation over seeds. A difference smaller than the spread is not called one.",
        "compute multiplier": "How many times its own steps fresh random draws need to end with as low a held-out loss as a strategy. Above 1 the selection saves steps.",
        "pilot": "A short trial before a long run: some strategies and two random draws on a share of the run's steps, with two seeds or more. It says which to launch, or that nothing beats a random draw.",
        "overlap": "The Jaccard similarity of two selections: samples in both over samples in either.",
    },
}


def meaning(term: str) -> str:
    """A term's text without markup, for a hint."""
    return next(terms[term] for terms in GLOSSARY.values() if term in terms).replace("`", "")


def html() -> str:
    """The glossary for the page: constant, and free of what Gradio would evaluate in a template."""
    parts = []
    for topic, terms in GLOSSARY.items():
        items = "".join(
            f"<div><dt>{escape(term)}</dt><dd>{_code(escape(text))}</dd></div>"
            for term, text in terms.items()
        )
        parts.append(f"<h4>{escape(topic)}</h4><dl>{items}</dl>")
    return "".join(parts)


def markdown() -> str:
    """The glossary as a page of documentation."""
    parts = [
        "# Glossary",
        f"The terms of the method ([arXiv 2412.17365]({PAPER})) and of the screens, also under *Glossary* at the top of the page.\n"
        "Made by `python -m iterit_ui.shared.glossary > docs/glossary.md`.",
    ]
    for topic, terms in GLOSSARY.items():
        parts.append(f"## {topic}")
        parts.append("\n".join(f"- **{term}**: {text}" for term, text in terms.items()))
    return "\n\n".join(parts) + "\n"


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


if __name__ == "__main__":
    print(markdown(), end="")
