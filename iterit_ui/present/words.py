"""What a person reads while presenting: no term of the trade where a stakeholder looks."""

from __future__ import annotations

from backend.analysis.paired import Paired
from backend.config import SelectionSettings
from backend.records import Selection, Status
from backend.selection.choose import exponents

STORIES = {
    "pool": "What we started from",
    "problems": "What was wrong with it",
    "selection": "What was selected, and why",
    "epochs": "How the selection changed",
    "result": "Did it help?",
}
"""The stories in their order: key and title."""
FINDINGS = {
    "empty": "Empty answers",
    "exact": "Exact copies",
    "near": "Nearly the same as another",
    "same_response": "The same answer to several questions",
    "refusal": "Refusals to answer",
    "too_long": "Longer than the model can read",
    "unscorable": "Cannot be judged by the model",
    "rejected": "Rows that could not be read",
}
DRAWS = {"random": "a random draw", "random-each-epoch": "a new random draw before every epoch"}
ERROR = "error on samples it never saw (lower is better)"
NO_POOL = ("No data is open.", ["Open a pool on the Data screen, then present again."])
NO_SELECTION = (
    "Nothing is selected yet: {}",
    [
        "On Curate, score the pool with a model, or choose settings that select something.",
        "Then present again.",
    ],
)
NO_RUN = (
    "Nothing was trained with this data yet.",
    [
        "Launch a run on the Tune screen; the demo takes a few minutes.",
        "This story is told from its first selection on.",
    ],
)
NO_COMPARISON = [
    "Start a comparison on the Compare screen, with a random draw in it and at least three repetitions.",
    "This story then says whether or not selecting beats the random draw.",
]
BLIND = "What this way of choosing cannot see"
OTHER_RUNS = "This run is not one of those that were compared; they chose from the same data."
UNFINISHED = "A comparison with a random draw is not finished: {}."
NOTHING_MEASURED = "Nothing was measured yet."


def in_words(
    selection: Selection,
    at: int,
    settings: SelectionSettings,
    *,
    harder_than: float,
    length: int,
    shown: str | None = None,
) -> str:
    """Why a sample is in, in a sentence.

    at : its place among the picks, from 0. harder_than : share of the pool that is easier for the model, NaN where unknown.
    length : characters of its answer. shown : its answer where a part of it is masked: no term of that part is named.
    """
    if selection.status[selection.rows[at]] == Status.PINNED:
        return "A person asked for it."
    strategy = settings.strategy
    if strategy in ("random", "random-each-epoch"):
        return "Drawn at random; nothing else decided."
    if strategy == "longest":
        return f"Its answer is among the longest: {length:,} characters."
    if strategy == "full":
        return "All of the data is used."
    said = []
    if exponents(settings)[0] > 0 and harder_than == harder_than:
        said.append(f"harder for the model than {harder_than:.0%} of the data".replace("%", " %"))
    terms = [f"“{term}”" for term in selection.terms[at] if term] if len(selection.terms) else []
    if shown is not None:
        terms = [term for term in terms if all(word in shown.lower() for word in term.strip("“”").split())]
    if exponents(settings)[1] > 0 and terms:
        said.append(f"what it adds: {', '.join(terms[:3])}")
    words = "; ".join(said) or "chosen by this way of selecting"
    return f"{words[0].upper()}{words[1:]}."


def out_words(status: Status, reason: str, complexity: float, settings: SelectionSettings, picks: int) -> str:
    """Why a sample is out, in a sentence. reason : why it has no score. picks : how many there was room for."""
    if status is Status.OUTRANKED:
        if settings.strategy in ("random", "random-each-epoch"):
            return "Not drawn; nothing else decided."
        if settings.strategy == "longest":
            return f"Usable, but {picks:,} others have longer answers."
        a, b = exponents(settings)
        gave = " or ".join(
            [*(["were harder for the model"] if a else []), *(["brought more new wording"] if b else [])]
        )
        return f"Usable, but there was room for {picks:,}, and others {gave or 'came first'}."
    if status is Status.TOO_COMPLEX and complexity >= 1:
        return (
            "The question does not help the model to guess this answer: they probably do not belong together."
        )
    if status is Status.UNSCORABLE:
        return f"The model could not judge it: {reason or 'no reason was kept'}."
    return {
        Status.TOO_COMPLEX: "Harder for the model than the limit that was set.",
        Status.NOT_CANDIDATE: "It ranked too low before, so it was not looked at again.",
        Status.TOO_SHORT: "Its answer is shorter than the limit that was set.",
        Status.TOO_LONG: "Its answer is longer than the limit that was set.",
        Status.EXCLUDED: "A person took it out.",
        Status.SOURCE_OFF: "Its source was left out.",
        Status.HELD_OUT: "Kept aside, to measure the result with.",
        Status.NO_VALUE: "It has no value in the column that counts along.",
        Status.TRAINED: "The model was trained on it earlier.",
    }[status]


def verdict_words(found: Paired) -> str:
    """What may be said of a difference in error, a short clause."""
    return {
        "unknown": "not measured together",
        "one seed": "tried once, so it may be chance",
        "same": "exactly the same",
        "within the spread": "no more than chance does",
        "too few seeds": f"tried {found.n} times, too few to be sure",
        "lower": "better, by more than chance",
        "higher": "worse, by more than chance",
    }[found.verdict]


def answer_words(found: Paired, name: str, reference: str) -> str:
    """Whether one way of choosing beats another, as the headline of the last story. reference : its name, or one of `DRAWS`."""
    than = reference
    if found.verdict == "lower":
        return f"Yes. {name} beats {than}, by more than chance does."
    if found.verdict == "higher":
        return f"No. {name} does worse than {than}, by more than chance does."
    if found.verdict == "same":
        return f"No. {name} ends exactly where {than} does."
    if found.verdict == "unknown":
        return f"Not known yet: {name} and {than} have not both been measured."
    side = "ahead of" if found.mean < 0 else "behind"
    why = {
        "one seed": "it was tried only once, so that may be chance",
        "within the spread": "the difference is no larger than chance makes it",
        "too few seeds": f"{found.n} tries are too few to be sure",
    }[found.verdict]
    return f"Not shown. {name} ends {side} {than}, but {why}."


def blind_spots(settings: SelectionSettings) -> list[str]:
    """What the way of choosing does not notice, sentences for the end of a report."""
    told = settings.factor_column and settings.factor_weight
    beyond = f", beyond what the column “{settings.factor_column}” says of it" if told else ""
    said = [f"Whether an answer is true, safe or polite plays no part in choosing{beyond}."]
    scored = settings.strategy not in ("random", "random-each-epoch", "longest", "full")
    by_difficulty, by_wording = exponents(settings) if scored else (0.0, 0.0)
    if by_difficulty > 0:
        said += [
            "An answer that breaks off in the middle looks like any other: only answers that do not belong to their question "
            "stand out, and some of those pass as very hard ones.",
            "Some good samples are rejected along with the bad ones: those whose question gives little help with the answer.",
            "What is hard was judged by one model; another model may find other samples hard.",
        ]
    if by_wording > 0:
        said.append(
            "Variety is counted in words and short phrases: the same thought in other words counts as new, and a new thought in "
            "familiar words does not."
        )
    if settings.strategy == "longest":
        said.append("A long answer is not a better one: it may repeat itself.")
    if not scored and settings.strategy != "longest":
        said.append(
            "Nothing in the texts was looked at: faults in the data come along in the share that they have in it."
        )
    return [
        *said,
        "The error tells how well the model foresees the answers that were kept to measure it on. These may have faults of their "
        "own, and say nothing of other tasks.",
        "One training alone does not tell selecting from luck: that takes a comparison, with several tries.",
    ]
