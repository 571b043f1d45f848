"""EleutherAI's harness (lm-eval), which is an extra: whether it is there, its command line, what its last words mean."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import sys
import urllib.parse
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from backend.store.evaluations import Plan

PACKAGE, INSTALL = "lm_eval", "pip install lm-eval"
DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
HUB, HUB_SECONDS = "https://huggingface.co", 3.0


def harness_version() -> str | None:
    """The version of the harness that is installed; None where there is none."""
    if importlib.util.find_spec(PACKAGE) is None:
        return None
    try:
        return metadata.version("lm-eval")
    except metadata.PackageNotFoundError:
        return "of an unknown version"


def missing() -> str:
    """What to do where the harness is not installed; "" where it is."""
    if harness_version() is not None:
        return ""
    return (
        f"Evaluating needs the package lm-eval (EleutherAI's harness), and it is not installed where this runs. "
        f"Install it with: {INSTALL}"
    )


def offline() -> str:
    """Why data of tasks cannot be fetched, in words; "" where the hub answers. Asks it, for some seconds at most."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        why = "HF_HUB_OFFLINE is set"
    else:
        hub = os.environ.get("HF_ENDPOINT") or HUB
        if _answers(hub):
            return ""
        why = f"{hub} cannot be reached from here"
    return f"{why}: only tasks whose data were fetched to this machine before can be evaluated."


def harness_command(plan: Plan, results: Path, *, arithmetic: str) -> list[str]:
    """The harness's own command line. arithmetic : what the run's precision is on this machine, a key of `DTYPES`."""
    # JSON, so that a folder's name may hold commas and equal signs
    model: dict[str, Any] = {"pretrained": plan.model, "dtype": DTYPES[arithmetic]}
    model |= {"peft": plan.adapter} if plan.adapter else {}
    model |= {"tokenizer": plan.tokenizer} if plan.tokenizer else {}
    command = [sys.executable, "-m", PACKAGE, "--model", "hf", "--model_args", json.dumps(model)]
    command += ["--tasks", ",".join(plan.tasks), "--batch_size", str(plan.batch_size)]
    command += ["--output_path", str(results)]
    if plan.limit is not None:
        command += ["--limit", f"{plan.limit:g}"]
    if plan.shots is not None:
        command += ["--num_fewshot", str(plan.shots)]
    if plan.chat_template:
        command += ["--apply_chat_template"]
        command += ["--system_instruction", plan.system_prompt] if plan.system_prompt else []
    if plan.include_path:
        command += ["--include_path", plan.include_path]
    return command


def words_of(command: Sequence[str]) -> str:
    """A command as somebody types it."""
    return shlex.join(command)


def why_it_failed(log: str, code: int) -> str:
    """What a person needs to know of the harness's last words, instead of its traceback."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [
        line
        for line in lines
        if re.match(r"([\w.]+(Error|Exception|Exit|Enabled)|lm[-_]eval\S*: error)\b", line)
    ]
    last = errors[-1] if errors else lines[-1] if lines else "it printed nothing"
    if re.search(
        r"Couldn't reach|LocalEntryNotFound|OfflineMode|Max retries|ConnectionError|ConnectError|offline",
        last,
    ):
        return (
            "A task's data, or the model, could not be fetched: there is no network, or the hub does not answer. "
            f"Fetch them where there is one, or choose tasks whose data are on this machine. It said: {last}"
        )
    if re.search(r"Tasks? not found|not found in|No matching tasks", last):
        return f"Unknown task: {last} (python -m lm_eval ls tasks lists them)"
    if re.search(r"out of memory|can't allocate memory", last):
        return f"Out of memory: {last} A smaller batch size needs less."
    if code < 0:
        return f"The harness was ended by {signal.Signals(-code).name}; it may have run out of memory. It said: {last}"
    return f"The harness ended with exit code {code}: {last}"


def _answers(address: str, connect: Callable[..., Any] | None = None) -> bool:
    """Whether a server takes a connection."""
    import socket

    parts = urllib.parse.urlparse(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    try:
        with (connect or socket.create_connection)((parts.hostname, port), timeout=HUB_SECONDS):
            return True
    except OSError:
        return False
