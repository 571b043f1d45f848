"""Asking the base model and chosen runs the same prompts, their answers side by side.

The builder lays out and wires; every callback below it is a plain function. Nothing is answered in the page: a
question goes into a queue, and the answers component reads from disk what a process of its own writes.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import gradio as gr

from backend import analysis, store
from backend.errors import AskingError, StudioError
from backend.models_on_demand import client, question_queue
from backend.models_on_demand.asked_models import models_of, run_model
from backend.models_on_demand.question_queue import load_question
from backend.models_on_demand.questions import Sampling
from backend.records import Turn
from iterit_ui.compare.ask_views import looked
from iterit_ui.components import heading, note
from iterit_ui.components.answers_view import answers
from iterit_ui.components.screen import when_shown
from iterit_ui.shared.messages import sentence
from iterit_ui.shared.session import DRAW, EVENT, QUIET, Session, bound

SAME = (
    "Each model reads the prompt exactly as its run was trained: same chat template, same system prompt. "
    "Held-out samples are ones that none of the chosen runs could train on."
)


def build_ask(session: Session, runs: gr.State) -> None:
    """Lay the part out and wire it. runs : ids of the chosen runs, list[str]."""
    home = session.home
    sample = gr.State("")
    with gr.Column(elem_classes="sheet", elem_id="ask"):
        heading("Ask the models", SAME, level=2)
        with gr.Row(elem_classes="columns"):
            with gr.Column(scale=3, min_width=320):
                prompt = gr.Textbox(
                    label="Prompt",
                    placeholder="Type what to ask, or take a held-out sample.",
                    lines=5,
                    max_lines=14,
                    elem_id="ask-prompt",
                )
            with gr.Column(scale=2, min_width=280):
                with gr.Row(elem_classes="row-tight"):
                    longest = gr.Number(
                        256,
                        label="Max. tokens",
                        precision=0,
                        minimum=1,
                        maximum=question_queue.MOST_TOKENS,
                        min_width=120,
                        elem_id="ask-longest",
                    )
                    temperature = gr.Number(
                        0,
                        label="Temperature",
                        minimum=0,
                        maximum=question_queue.MOST_TEMPERATURE,
                        step=0.1,
                        min_width=100,
                        elem_id="ask-temperature",
                    )
                    seed = gr.Number(
                        0, label="Seed", precision=0, minimum=0, min_width=80, elem_id="ask-seed"
                    )
                base = gr.Checkbox(
                    True,
                    label="Also ask the base model",
                    info="The model that the runs started from. Temperature 0 always takes the most likely token; above 0, tokens are sampled, and the same seed gives the same answer.",
                    elem_id="ask-base",
                )
        message = note(None, elem_id="ask-message")
        with gr.Row(elem_classes="row-tight"):
            ask = gr.Button("Ask", variant="primary", scale=0, min_width=110, elem_id="ask-go")
            draw = gr.Button("Take a held-out sample", scale=0, min_width=230, elem_id="ask-draw")
        shown = answers(functions=[looked(home)], elem_id="ask-answers")

    chosen = [runs, base, sample]
    gr.on(
        [when_shown("compare", "ready"), runs.change],
        bound(chosen_again, home),
        chosen,
        [message, sample, ask],
        **DRAW,
    )
    base.input(bound(who_is_asked, home), chosen, [message, ask], **DRAW)
    draw.click(bound(take_sample, home), [runs, sample], [prompt, sample, message, draw], **QUIET)
    # typing makes it another prompt, whose reference the sample's response is not
    prompt.input(bound(typed_over, home), chosen, [sample, message, draw], **DRAW)
    ask.click(
        bound(asked, home),
        [runs, base, sample, prompt, longest, temperature, seed],
        [shown, message],
        **QUIET,
    )
    shown.stop(stopped, None, None, **DRAW)
    # not called `unload`: that is Gradio's own event of a page that is left
    shown.free(lambda: client.unload(), None, None, **QUIET)

    # Gradio finds `event` by its annotation, which a bound function does not show
    def on_again(event: gr.EventData) -> Any:
        return put_back(home, event)

    shown.again(on_again, None, [prompt, sample, longest, temperature, seed, message, draw], **EVENT)


# ---------------------------------------------------------------- who and what


def askable(home: Path, runs: list[str]) -> tuple[list[str], list[str]]:
    """(the runs whose models can be asked, why the others cannot)."""
    found, left = [], []
    for run in runs or []:
        try:
            run_model(home, run)
            found.append(run)
        except StudioError as error:
            left.append(str(error))
    return found, left


def who_is_asked(home: Path, runs: list[str], base: bool, sample: str) -> tuple[Any, Any]:
    """(a note that says who will be asked and why others will not, the Ask button)."""
    try:
        found, left = askable(home, runs)
        if not found:
            why = left or ["Choose runs above: their models can be asked once they have been trained."]
            return _note("empty", "No model to ask yet", why), gr.Button(interactive=False)
        models = models_of(home, found, base=bool(base))
    except StudioError as error:  # nobody has asked yet, so nothing has failed
        return _note("warn", "", [sentence(str(error))]), gr.Button(interactive=False)
    names = ", ".join(model.label for model in models)
    lines = [f"Will be asked: {names}."]
    if sample:
        lines.append(
            f"The prompt is held-out sample {sample}; its reference response is shown beside the answers."
        )
    return _note("warn" if left else "info", "", [*lines, *(f"Not asked: {why}" for why in left)]), gr.Button(
        interactive=True
    )


def chosen_again(home: Path, runs: list[str], base: bool, sample: str) -> tuple[Any, str, Any]:
    """(note, sample, Ask button) for other runs; a sample that one of them may have seen is no held-out one."""
    if sample:
        try:
            analysis.unseen_sample(home, askable(home, runs)[0], sample)
        except StudioError:
            sample = ""
    message, button = who_is_asked(home, runs, base, sample)
    return message, sample, button


def take_sample(home: Path, runs: list[str], sample: str) -> tuple[Any, Any, Any, Any]:
    """(prompt, sample, note, button): a held-out sample drawn at random, another one than before."""
    found, _ = askable(home, runs)
    try:
        drawn = analysis.draw_unseen(home, found, 2, seed=secrets.randbits(32))
        one = next((other for other in drawn if other.id != sample), drawn[0])
        turns = store.sample_at(home, one.pool, one.row).turns
        count = len(analysis.unseen_samples(home, found).ids)
    except StudioError as error:
        return gr.skip(), gr.skip(), _note("warn", "No held-out sample", [str(error)]), gr.skip()
    said = (
        f"Held-out sample {one.id}, one of {count:,} that none of the chosen runs could train on. "
        "Its reference response is shown beside the answers. Typing makes it a prompt of your own."
    )
    return as_text(turns), one.id, _note("info", "", [said]), gr.Button("Another held-out sample")


def typed_over(home: Path, runs: list[str], base: bool, sample: str) -> tuple[Any, Any, Any]:
    """(sample, note, button) after somebody typed: the prompt is their own from now on."""
    if not sample:
        return gr.skip(), gr.skip(), gr.skip()
    return "", who_is_asked(home, runs, base, "")[0], gr.Button("Take a held-out sample")


def asked(
    home: Path,
    runs: list[str],
    base: bool,
    sample: str,
    prompt: str,
    longest: float | None,
    temperature: float | None,
    seed: float | None,
) -> tuple[Any, Any]:
    """Ask: (what the answers component shows, a note where that cannot be)."""
    try:
        found, left = askable(home, runs)
        if not found:
            raise AskingError(left[0] if left else "choose at least one run above")
        sampling = Sampling(
            int(_number("longest answer", longest)),
            _number("temperature", temperature),
            int(_number("seed", seed)),
        )
        models = models_of(home, found, base=bool(base))
        held_out = analysis.unseen_sample(home, found, sample) if sample else None
        turns: tuple[Turn, ...]
        if held_out is None:
            turns = question_queue.checked_prompt(prompt or "")
        else:
            turns = tuple(store.sample_at(home, held_out.pool, held_out.row).turns)
        question = question_queue.ask(home, models, turns, sampling=sampling, sample=held_out)
    except StudioError as error:
        return gr.skip(), _note("error", "This cannot be asked", [str(error)])
    message, _ = who_is_asked(home, runs, base, sample)
    return {"show": question}, message


def stopped(event: gr.EventData) -> None:
    """Stop the question that the page names; one that has ended meanwhile stays as it is."""
    question_queue.stop(_id(event))


def put_back(home: Path, event: gr.EventData) -> tuple[Any, ...]:
    """(prompt, sample, longest, temperature, seed, note, button) of the question that the page names."""
    try:
        question = load_question(home, _id(event))
    except StudioError as error:
        return (*[gr.skip()] * 5, _note("error", "", [str(error)]), gr.skip())
    sampling, held_out = question.sampling, question.sample
    return (
        as_text(list(question.turns)),
        held_out.id if held_out else "",
        sampling.max_new_tokens,
        sampling.temperature,
        sampling.seed,
        _note(
            "info",
            "",
            ["The prompt and its settings are in the form again. Ask sends it to the chosen runs."],
        ),
        gr.Button("Another held-out sample" if held_out else "Take a held-out sample"),
    )


def as_text(turns: list[Turn]) -> str:
    """What a prompt field shows of a sample's turns."""
    if len(turns) == 1:
        return turns[0]["content"]
    return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


def _number(name: str, value: float | None) -> float:
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        raise AskingError(f"{name} is empty; expected a number")
    return value


def _id(event: gr.EventData) -> str:
    data = event._data if isinstance(event._data, dict) else {}
    return str(data.get("id", ""))


def _note(tone: str, title: str, lines: list[str]) -> dict[str, Any]:
    return {
        "tone": tone,
        "title": title,
        "text": "\n".join(f"{line[:1].upper()}{line[1:]}" for line in lines),
    }
