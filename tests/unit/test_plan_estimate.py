"""What a run will cost, before it is launched: counts by hand, figures from lengths and earlier runs, else unknown."""

import math
from pathlib import Path

import numpy as np
import pytest
from model_folders import model_folder, tensors
from small_runs import small_pool
from typer.testing import CliRunner

from backend import analysis, store
from backend.analysis import PlanEstimate, plan_tokens
from backend.cli import estimating
from backend.cli.commands import app
from backend.config import RunConfig, config_from
from backend.data import demo
from backend.findings import Lengths
from backend.preflight import machine
from backend.records import Metrics, Progress

POOL = small_pool(200)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "runs"
    store.save_pool(home, POOL)
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return model_folder(tmp_path / "model")


def config(folder: Path, **changes: object) -> RunConfig:
    values = {"model": str(folder), "budget": 32, "batch_size": 8, "held_out": "0.1", "max_length": 100}
    return config_from({**values, **changes})


def estimate(home: Path, one: RunConfig) -> PlanEstimate:
    return analysis.plan_estimate(home, one, POOL.id, 200)


def save_lengths(home: Path, one: RunConfig, *, max_length: int) -> None:
    """Conversations of 20 and of 200 tokens, half of each, 10 of them the response; the last has none."""
    tokens = np.where(np.arange(200) % 2 == 0, 20, 200).astype(np.int32)
    responses, reason = np.full(200, 10, dtype=np.int32), np.full(200, "", dtype=object)
    tokens[-1], responses[-1], reason[-1] = -1, 0, "empty response"
    store.save_lengths(
        home,
        POOL.id,
        Lengths(tokens, responses, reason, one.model, max_length, one.system_prompt, max_length),
    )


def run_before(home: Path, one: RunConfig, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run that scored at 1,000, trained at 100 and measured at 500 tokens a second."""
    clock = [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    run_id = store.create_run(home, one, POOL)
    store.take(home, run_id, host="here", pid=1, process_started=1.0, claimed=False)
    for stage, total, tokens, seconds in (
        ("score", 180, 18_000, 18),
        ("evaluate", 20, 1_000, 2),
        ("train", 4, 1_600, 16),
    ):
        unit = "steps" if stage == "train" else "samples"
        store.heartbeat(home, run_id, Progress(stage, 0, 0, total, unit))  # type: ignore[arg-type]
        clock[0] += seconds
        store.heartbeat(home, run_id, Progress(stage, 0, total, total, unit, tokens))  # type: ignore[arg-type]
    store.append_metrics(home, run_id, Metrics(4, 1.0, loss=1.0, memory_gib=3.5))
    store.set_state(home, run_id, "done")
    monkeypatch.undo()
    return run_id


def test_counts_follow_from_the_settings(home: Path, folder: Path) -> None:
    plan = estimate(home, config(folder))
    assert (plan.candidates, plan.held_out.value, plan.budget) == (180, 20, 32)
    assert (plan.epochs, plan.steps_per_epoch, plan.steps) == (3, 4, 12)
    assert (plan.scored_first, plan.scored_later, plan.evaluations) == (180, 96, 4)
    short = estimate(home, config(folder, max_steps=6, held_out_every=3))
    # measured untouched, after steps 4 and 6 (the ends), and after step 3
    assert (short.epochs, short.steps, short.evaluations) == (2, 6, 4)
    once = estimate(home, config(folder, strategy="superfiltering"))
    assert (once.scored_first, once.scored_later) == (180, 0)
    none = estimate(home, config(folder, strategy="random", held_out="0"))
    assert (none.scored_first, none.evaluations, none.candidates) == (0, 0, 200)
    assert none.scoring_tokens.value == none.evaluating_tokens.value == none.scoring_seconds.value == 0
    only = estimate(home, config(folder, epochs=0))
    assert (only.steps, only.epochs, only.scored_first, only.evaluations) == (0, 0, 180, 0)
    file = estimate(home, config(folder, held_out="some.json"))
    assert not file.held_out.known and file.held_out.source == "some.json has not been read"
    assert estimate(home, config(folder, held_out="demo")).held_out.value == len(
        demo.HELDOUT.read_text().splitlines()
    )


def test_what_nobody_knows_is_unknown_with_the_reason(home: Path, folder: Path) -> None:
    plan = estimate(home, config(folder))
    assert not plan.training_tokens.known and "lengths are not known" in plan.training_tokens.source
    assert not plan.seconds.known and "lengths are not known" in plan.seconds.source
    assert not plan.memory_measured.known and "no run of model" in plan.memory_measured.source
    save_lengths(home, config(folder), max_length=100)
    plan = estimate(home, config(folder))
    assert plan.training_tokens.known and not plan.training_seconds.known
    assert "no run of model in this runs folder has measured it" in plan.seconds.source
    hub = analysis.plan_estimate(home, config_from({"model": "some/one", "budget": 32}), POOL.id, 200)
    assert not hub.memory.known and "some/one is not a local folder" in hub.memory.source
    gone = estimate(home, config(folder.with_name("gone")))
    assert not gone.parameters.known and "does not exist" in gone.parameters.source
    assert gone.memory_there.known


@pytest.mark.parametrize("counted_at", [100, 400])
def test_tokens_come_from_counted_lengths_wherever_they_were_cut(
    home: Path, folder: Path, counted_at: int
) -> None:
    one = config(folder)
    save_lengths(home, one, max_length=counted_at)
    plan = estimate(home, one)
    mean = (100 * 20 + 99 * 100) / 199  # 200 tokens are cut to 100
    assert plan.training_tokens.value == pytest.approx(3 * 32 * mean)
    assert plan.scoring_tokens.value == pytest.approx((180 + 2 * 96) * (mean + 10))
    assert plan.evaluating_tokens.value == pytest.approx(4 * 20 * mean)
    assert "mean length" in plan.training_tokens.source
    half = estimate(home, config(folder, max_steps=6))
    assert half.training_tokens.value == pytest.approx(plan.training_tokens.value / 2)
    other = estimate(home, config(folder, system_prompt="Other."))
    assert not other.training_tokens.known


def test_time_and_tokens_come_from_an_earlier_run(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = config(folder)
    run_before(home, one, monkeypatch)
    plan = estimate(home, one)
    # it read 100 tokens to score a sample, 50 to train on and to measure one
    assert plan.scoring_tokens.value == pytest.approx((180 + 2 * 96) * 100)
    assert plan.training_tokens.value == pytest.approx(3 * 32 * 50)
    assert plan.scoring_seconds.value == pytest.approx(plan.scoring_tokens.value / 1000)
    assert plan.training_seconds.value == pytest.approx(3 * 32 * 50 / 100)
    assert plan.evaluating_seconds.value == pytest.approx(4 * 20 * 50 / 500)
    parts = (plan.scoring_seconds, plan.training_seconds, plan.evaluating_seconds)
    assert plan.seconds.value == pytest.approx(sum(part.value for part in parts))
    assert "measured in the run iterit 32 on here" in plan.seconds.source
    assert plan.memory_measured.value == 3.5
    # lengths that were counted are preferred to what a run's own selection had
    save_lengths(home, one, max_length=100)
    assert estimate(home, one).training_tokens.value == pytest.approx(3 * 32 * (100 * 20 + 99 * 100) / 199)
    # another pool: the speed holds, the samples' tokens do not
    other = analysis.plan_estimate(home, one, small_pool(7).id, 200)
    assert not other.training_tokens.known
    assert not math.isfinite(estimate(home, config(model_folder(folder.with_name("b")))).seconds.value)


def test_memory_is_reckoned_from_the_files(home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "training_device", lambda: machine.Device("Card", 24 << 30, True))
    parameters = sum(math.prod(shape) for shape in tensors().values())
    plan = estimate(home, config(folder, precision="fp32"))
    assert plan.parameters.value == plan.trained.value == parameters
    assert plan.weights.value * 2**30 == 4 * parameters
    parts = (plan.weights, plan.gradients, plan.optimizer, plan.activations)
    assert plan.memory.value == pytest.approx(sum(part.value for part in parts))
    assert "estimate for batches of 800 tokens" in plan.memory.source
    assert (plan.memory_there.value, plan.memory_there.source) == (24, "Card")
    lora = estimate(home, config(folder, lora_rank=4, gradient_checkpointing=True))
    assert lora.trained.value < parameters and lora.memory.value < plan.memory.value
    assert lora.weights.value * 2**30 == 2 * parameters + 4 * lora.trained.value  # bf16, as a GPU has it
    # what the pool really holds is less than max_length
    long = config(folder, max_length=400, precision="fp32")
    save_lengths(home, long, max_length=400)
    assert "batches of 1,600 tokens" in estimate(home, long).memory.source


def test_dry_run_prints_and_starts_nothing(tmp_path: Path) -> None:
    words = ["tune", "demo", "--model", "demo", "--dry-run", "--runs-dir", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "selects 220 of 2,200 samples for each of 3 epochs" in result.output
    assert "84 optimizer steps" in result.output and "parameters: 2,164,416" in result.output
    assert store.runs(tmp_path) == [] and not (tmp_path / "pools").exists()
    result = CliRunner().invoke(app, [*words, "--accelerate-config", "/no/such.yaml"])
    assert result.exit_code != 0 and "error: accelerate_config /no/such.yaml cannot be read" in result.output
    result = CliRunner().invoke(app, [*words, "--json"])
    assert '"steps": 84' in result.output and '"problems"' in result.output


def test_samples_that_a_count_found_unscorable_are_told(
    home: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = config(folder)
    assert plan_tokens.unscorable(home, one, POOL.id) is None
    n = 200
    reason = np.full(n, "", dtype=object)
    reason[:3], reason[3] = "chat template: no horses here", "no response token within max_length"
    numbers = np.full(n, 10, dtype=np.int32)
    counted = Lengths(numbers, numbers, reason, one.model, one.max_length, one.system_prompt, one.max_length)
    store.save_lengths(home, POOL.id, counted)
    found = plan_tokens.unscorable(home, one, POOL.id)
    assert found is not None and not found.fatal
    assert found.text == (
        "4 of 200 samples cannot be scored with this model and are not selected: 3 chat template: no horses here; "
        "1 no response token within max_length"
    )
    estimating.dry_run(home, one, POOL, as_json=False)
    assert f"note: {found.text}" in capsys.readouterr().out
    shorter = plan_tokens.unscorable(home, config(folder, max_length=50), POOL.id)
    assert shorter is not None and shorter.text.startswith("3 of 200 samples")
    reason[:] = "chat template: no horses here"
    store.save_lengths(home, POOL.id, counted)
    refused = plan_tokens.unscorable(home, one, POOL.id)
    assert refused is not None and refused.fatal
