"""The command that asks base and tuned models the same prompts."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backend.cli import console
from backend.cli.options import AsJson, RunsDir
from backend.cli.reading import visible
from backend.cli.showing import find_run

if TYPE_CHECKING:
    from backend.models_on_demand.questions import Answer, AskedModel, HeldOutSample, Sampling
    from backend.records import Turn

Prompt = tuple[tuple["Turn", ...], "HeldOutSample | None"]
ENDED = {
    "end": "ended by itself",
    "limit": "cut off by --max-new-tokens",
    "positions": "cut off: the model's context is full",
    "stopped": "stopped",
}


def ask(
    run: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Runs: ids, their beginnings, or 'last'.")
    ],
    prompt: Annotated[str | None, typer.Option("--prompt", metavar="TEXT", help="What to ask.")] = None,
    sample: Annotated[
        str | None,
        typer.Option("--sample", metavar="ID", help="Ask a sample that was held out of the runs, by its id."),
    ] = None,
    held_out: Annotated[
        int,
        typer.Option("--held-out", metavar="N", min=0, help="Ask N samples that were held out of the runs."),
    ] = 0,
    base: Annotated[
        bool, typer.Option("--base/--no-base", help="Also ask the model that the runs started from.")
    ] = True,
    max_new_tokens: Annotated[int, typer.Option("--max-new-tokens", help="Longest answer, in tokens.")] = 256,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature", help="0 always takes the most likely token; above 0, tokens are sampled."
        ),
    ] = 0.0,
    seed: Annotated[
        int, typer.Option("--seed", help="For sampling tokens and choosing held-out samples.")
    ] = 0,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Ask the base model and the runs' models the same prompts, as the runs were trained to read them.

    Held-out samples are those that none of the runs could train on; beside each answer stands the loss of the
    reference response under that model, in nats per token.
    """
    from backend.models_on_demand import question_queue
    from backend.models_on_demand.asked_models import models_of
    from backend.models_on_demand.questions import Sampling

    if sum((prompt is not None, sample is not None, held_out > 0)) != 1:
        raise typer.BadParameter("give one of --prompt, --sample and --held-out")
    home = runs_dir.resolve()
    sampling = Sampling(max_new_tokens, temperature, seed)
    question_queue.check_sampling(sampling)
    ids = list(dict.fromkeys(find_run(home, name) for name in run))
    models = models_of(home, ids, base=base)
    prompts = _prompts(home, ids, prompt, sample, held_out, seed)
    answers = _answers(models, prompts, sampling, aloud=not as_json and len(prompts) == 1)
    if as_json:
        console.print_json(_report(models, prompts, answers, sampling))
    elif len(prompts) > 1:
        _print(models, prompts, answers)


def _prompts(
    home: Path, runs: Sequence[str], prompt: str | None, sample: str | None, count: int, seed: int
) -> list[Prompt]:
    """What is asked: turns, and the held-out sample that they are of."""
    from backend import analysis, store
    from backend.models_on_demand import question_queue

    if prompt is not None:
        return [(question_queue.checked_prompt(prompt), None)]
    if sample is not None:
        samples = [analysis.unseen_sample(home, runs, sample)]
    else:
        samples = analysis.draw_unseen(home, runs, count, seed=seed)
    return [(tuple(store.sample_at(home, one.pool, one.row).turns), one) for one in samples]


def _answers(
    models: Sequence[AskedModel], prompts: Sequence[Prompt], sampling: Sampling, *, aloud: bool
) -> list[list[Answer]]:
    """By prompt and model; one model after another is loaded. aloud : written to stdout as they come."""
    with console.progress_bar() as bar:
        bar.show("loading", 0, 0)
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read once, when torch is loaded
        from backend.models_on_demand.loaded import LoadedModels
    if aloud:
        _print_prompt(*prompts[0])
    loaded = LoadedModels()
    found: list[list[Answer]] = [[] for _ in prompts]
    for asked in models:
        with console.progress_bar() as bar:
            bar.show(f"loading {asked.label}", 0, 0)
            model, tokenizer = loaded.get(asked.model, asked.precision)
            for at, (turns, sample) in enumerate(prompts):
                if not aloud:
                    bar.show(f"asking {asked.label}", at, len(prompts), "prompts")
                    found[at].append(_answer(model, tokenizer, turns, asked, sampling, sample))
        if aloud:
            print(f"\n--- {visible(asked.label)} ---", flush=True)
            turns, sample = prompts[0]
            found[0].append(_answer(model, tokenizer, turns, asked, sampling, sample, aloud=True))
            _print_facts(found[0][-1])
    return found


def _answer(
    model: Any,
    tokenizer: Any,
    turns: Sequence[Turn],
    asked: AskedModel,
    sampling: Sampling,
    sample: HeldOutSample | None,
    *,
    aloud: bool = False,
) -> Answer:
    """One answer; a prompt that a model cannot read is its answer's error."""
    from backend.errors import ModelError
    from backend.models_on_demand import generate
    from backend.models_on_demand.questions import Answer

    shown = 0

    def show(answer: Answer) -> None:
        nonlocal shown
        if aloud and answer.state == "answering":
            sys.stdout.write(visible(answer.text[shown:]))
            sys.stdout.flush()
            shown = len(answer.text)

    try:
        done = generate.answer(
            model,
            tokenizer,
            turns,
            asked,
            sampling=sampling,
            reference=sample.response if sample else None,
            on_answer=show,
        )
    except ModelError as error:
        done = Answer("failed", error=str(error))
    if aloud:
        print(visible(done.text[shown:]), flush=True)
    return done


def _print(
    models: Sequence[AskedModel], prompts: Sequence[Prompt], answers: Sequence[Sequence[Answer]]
) -> None:
    """Prompt by prompt, the models' answers one under another."""
    for (turns, sample), said in zip(prompts, answers, strict=True):
        _print_prompt(turns, sample)
        for asked, answer in zip(models, said, strict=True):
            print(f"\n--- {visible(asked.label)} ---")
            print(visible(answer.text))
            _print_facts(answer)
        print()


def _print_prompt(turns: Sequence[Turn], sample: HeldOutSample | None) -> None:
    name = f"held-out sample {sample.id} of run {sample.run}" if sample else "prompt"
    print(f"=== {name} ===")
    for turn in turns:
        print(visible(turn["content"] if len(turns) == 1 else f"{turn['role']}: {turn['content']}"))
    if sample is not None:
        print("\n--- reference response ---")
        print(visible(sample.response))


def _print_facts(answer: Answer) -> None:
    console.say(f"[{facts(answer)}]")


def facts(answer: Answer) -> str:
    """How long an answer is, how fast it came, what ended it, and the reference's loss."""
    if answer.state == "failed":
        return f"failed: {answer.error}"
    said = f"{answer.tokens:,} tokens, {console.number(answer.tokens_per_second, 1)} tokens/s, {ENDED[answer.ended]}"
    if answer.reference_tokens or answer.reference_reason:
        said += f"; reference response: {console.number(answer.reference_loss, 4)} nats/token"
        said += f" ({answer.reference_reason})" if answer.reference_reason else ""
    return said


def _report(
    models: Sequence[AskedModel],
    prompts: Sequence[Prompt],
    answers: Sequence[Sequence[Answer]],
    sampling: Sampling,
) -> dict[str, Any]:
    return {
        "models": [dataclasses.asdict(model) for model in models],
        "sampling": dataclasses.asdict(sampling),
        "prompts": [
            {
                "turns": list(turns),
                "sample": dataclasses.asdict(sample) if sample else None,
                "answers": [
                    {**dataclasses.asdict(answer), "tokens_per_second": answer.tokens_per_second}
                    for answer in said
                ],
            }
            for (turns, sample), said in zip(prompts, answers, strict=True)
        ],
    }
