"""Files of `accelerate config` that split a model over processes are refused before a run is queued."""

from pathlib import Path

import pytest

from backend.config import config_from
from backend.errors import ConfigError
from backend.preflight.checks import accelerate_processes, preflight, refuse


@pytest.mark.parametrize("kind", ["FSDP", "DEEPSPEED", "MEGATRON_LM"])
def test_files_that_split_the_model_are_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "split.yaml"
    path.write_text(f"distributed_type: {kind}\nnum_processes: 2\n")
    with pytest.raises(ConfigError) as refused:
        accelerate_processes(path)
    for words in (str(path), kind, "whole model", "MULTI_GPU, NO"):
        assert words in str(refused.value)


@pytest.mark.parametrize("kind", ["MULTI_GPU", "'NO'"])
def test_files_with_whole_models_say_how_many_processes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "whole.yaml"
    path.write_text(f"distributed_type: {kind}\nnum_processes: 2\n")
    assert accelerate_processes(path) == 2


@pytest.mark.parametrize("text", ["- a\n- list\n", "distributed_type: MULTI_GPU\n", "num_processes: true\n"])
def test_files_without_a_number_of_processes_are_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"odd\.yaml does not say num_processes"):
        accelerate_processes(path)


def test_a_file_that_would_quietly_start_one_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cpu.yaml"
    path.write_text("distributed_type: MULTI_CPU\nnum_processes: 2\n")
    with pytest.raises(ConfigError, match="mpirun only; set processes instead"):
        accelerate_processes(path)


@pytest.mark.parametrize("machines", ["2", "'1'", "0"])
def test_a_file_that_would_wait_for_other_machines_is_refused(machines: str, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yaml"
    path.write_text(
        f"distributed_type: MULTI_GPU\nnum_machines: {machines}\nmachine_rank: 0\nnum_processes: 2\n"
    )
    config = config_from({"model": "demo", "pool": ("demo",), "accelerate_config": str(path)}, preset="demo")
    fatal = [problem for problem in preflight(config, 2200) if problem.fatal]
    assert [problem.field for problem in fatal] == ["accelerate_config"]
    for words in (str(path), f"num_machines {machines.strip(chr(39))}", "allowed: num_machines 1"):
        assert words in fatal[0].text
    with pytest.raises(ConfigError, match="num_machines"):
        refuse(config, 2200)


def test_one_machine_named_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("distributed_type: MULTI_GPU\nnum_machines: 1\nnum_processes: 2\n")
    assert accelerate_processes(path) == 2
