"""What this machine has to compute with, found without torch."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib import metadata

import psutil

ASKING_SECONDS = 10


@dataclass(frozen=True)
class Device:
    """What trains: `name` for a person, `bytes` of memory that it has, and whether it is a GPU."""

    name: str
    bytes: int
    gpu: bool


def training_device() -> Device:
    """The GPU with the least memory of those that torch may use, else this machine itself."""
    found = gpus()
    if found:
        return min(found, key=lambda gpu: gpu.bytes)
    return Device("this machine", int(psutil.virtual_memory().total), gpu=False)


def gpu_count() -> int:
    """How many GPUs torch may use; 0 where there is none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    # named by something else than a number they are all listed
    return len(gpus()) if visible is None else min(len(gpus()), len(visible.split(",")))


@cache
def gpus() -> tuple[Device, ...]:
    """NVIDIA GPUs as their driver lists them; none where torch was built without CUDA, or they are hidden from it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden == "" or metadata.version("torch").endswith("+cpu"):
        return ()
    question = ["nvidia-smi", "--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(question, capture_output=True, text=True, timeout=ASKING_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()  # no driver, hence no GPU that torch could use
    return _listed(answer.stdout, hidden)


def _listed(lines: str, visible: str | None) -> tuple[Device, ...]:
    """GPUs from the driver's lines (index, name, MiB), of those the visible ones where they are named by number."""
    wanted = None
    if visible is not None and all(part.strip().isdigit() for part in visible.split(",")):
        wanted = {part.strip() for part in visible.split(",")}
    found = []
    for line in lines.splitlines():
        index, name, mebibytes = (part.strip() for part in line.split(","))
        if mebibytes.isdigit() and (wanted is None or index in wanted):
            found.append(Device(name, int(mebibytes) << 20, gpu=True))
    return tuple(found)
