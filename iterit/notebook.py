"""The app from a notebook: a process of its own, which never shares the notebook's memory or GPU."""

from __future__ import annotations

import atexit
import html
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.cli.serving import app_command
from backend.errors import ConfigError

_ADDRESS = re.compile(r"^IterIT Studio: (\S+)$", re.MULTILINE)
# what the app prints of a link behind its address, whether it got one or not
_SHARED = re.compile(r"^(?:for others: (\S+)|--share: .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Launched:
    """An app that is running.

    url : its address, on this machine only. shared : its link for others; "" where none was asked for, or Gradio's server gave none.
    """

    url: str
    process: subprocess.Popen[bytes]
    shared: str = ""

    def close(self) -> None:
        """End the app. Runs that it has started go on."""
        self.process.terminate()
        self.process.wait(timeout=30)

    def _repr_html_(self) -> str:
        """A link, where a notebook shows this."""
        url = html.escape(self.shared or self.url, quote=True)
        return f'<a href="{url}" target="_blank">IterIT Studio at {url}</a>'


def launch(
    *,
    port: int | None = None,
    runs_dir: str | Path = "runs",
    data_roots: Sequence[str | Path] = (),
    model_roots: Sequence[str | Path] = (),
    auth_file: str | Path | None = None,
    allowed_hosts: Sequence[str] = (),
    share: bool = False,
    wait: float = 120.0,
) -> Launched:
    """Open the app in a process of its own and return once it answers; it ends with this process.

    Parameters
    ----------
    port : the first free one from 7860 where None.
    runs_dir : the folder of the runs. data_roots, model_roots : folders that pools and models may be read from.
    auth_file : names and passwords that visitors are asked for, as lines of `python -m backend password`.
    allowed_hosts : names by which a notebook's proxy asks for it ("*.googleusercontent.com" in Colab).
    share : show it under a link on a server of Gradio's, too; needs passwords.
    wait : seconds that it may take.

    Raises
    ------
    ConfigError : it did not start; says what it printed.
    """
    words = ["--no-browser", "--runs-dir", str(Path(runs_dir).resolve())]
    words += ["--port", str(port)] if port is not None else []
    for name, folders in (("--data-root", data_roots), ("--model-root", model_roots)):
        for folder in folders:
            words += [name, str(Path(folder).resolve())]
    words += ["--auth-file", str(Path(auth_file).resolve())] if auth_file is not None else []
    words += [word for name in allowed_hosts for word in ("--allowed-host", name)]
    words += ["--share"] if share else []
    # a file, for nobody would read a pipe once the app is running
    with tempfile.TemporaryFile() as printed:
        process = subprocess.Popen(
            app_command(words),
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        atexit.register(process.terminate)
        begun = time.monotonic()
        while True:
            ended = process.poll() is not None
            printed.seek(0)
            text = printed.read().decode(errors="replace")
            found, shared = _ADDRESS.search(text), _SHARED.search(text)
            if found and (shared or not share):
                return Launched(found[1], process, (shared[1] if shared else None) or "")
            if ended or time.monotonic() - begun > wait:
                process.terminate()
                how = "exited" if ended else f"did not answer within {wait:g} seconds"
                raise ConfigError(f"the app {how}: {text.strip()[-2000:] or 'it printed nothing'}")
            time.sleep(0.1)
