"""The page is built without torch, and is served to this machine only."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import app
from backend.errors import ConfigError
from iterit_ui import layout
from iterit_ui.access.addresses import is_loopback
from iterit_ui.shared.session import prepare

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What building the page brings with it, in a process of its own."""
    script = (
        "import json, sys, pathlib, app; page = app.build(pathlib.Path(sys.argv[1]));"
        "print(json.dumps({'modules': [m for m in ('torch', 'transformers', 'accelerate', 'umap', 'pynndescent') if m in sys.modules],"
        " 'events': page.get_config_file()['dependencies']}))"
    )
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path_factory.mktemp("home"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout.splitlines()[-1])


def test_building_the_page_imports_neither_torch_nor_umap(built: dict[str, Any]) -> None:
    assert built["modules"] == []


def test_no_event_shows_progress_on_what_it_changes(built: dict[str, Any]) -> None:
    """At every event the page looks anew for each component that shows progress: it opened in seven seconds, not four."""
    # what a program calls has no component: no target
    of_page = [event for event in built["events"] if event["targets"]]
    shown = [event for event in of_page if event["backend_fn"] and event["show_progress_on"] is None]
    assert len(of_page) > 100 and [event["api_name"] for event in shown] == ["load_files"]
    calls = [event["api_name"] for event in built["events"] if event["api_visibility"] == "public"]
    assert calls == ["runs", "summary", "selection"]


def test_every_event_of_a_component_is_sent_with_its_own_data(built: dict[str, Any]) -> None:
    """With "always_last" the page sends the data of the event that is under way a second time, and the later is lost."""
    # of Gradio's own, which send values; what a screen asks for when it is shown (`apply`) and the last carry nothing
    plain = {"change", "input", "blur", "submit", "click", "tick", "load", "then", "apply", "stop"}
    late = [event for event in built["events"] if event["trigger_mode"] == "always_last"]
    assert late and {name for event in late for _, name in event["targets"]} <= plain


def test_another_address_needs_a_password() -> None:
    with pytest.raises(ConfigError, match=r"--auth-file FILE.*ITERIT_AUTH"):
        app.launch(None, host="0.0.0.0")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("host", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_addresses_of_this_machine(host: str, own: bool) -> None:
    assert is_loopback(host) is own


def served(monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, Any]:
    """What the page would be built and launched with."""
    found: dict[str, Any] = {}
    monkeypatch.setenv("GRADIO_TEMP_DIR", os.devnull)  # or it would be named for every test after this one
    monkeypatch.setattr(
        app, "build", lambda home, data, models: found.update(home=home, data=data, models=models)
    )
    monkeypatch.setattr(app, "launch", lambda page, **options: found.update(options))
    assert app.main(words) == 0
    return found


def test_a_space_is_reachable_by_its_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "owner/space")
    assert served(monkeypatch)["host"] == "0.0.0.0"
    assert served(monkeypatch, "--host", "127.0.0.1")["host"] == "127.0.0.1"


def test_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--data-root", "a", "--data-root", "b", "--runs-dir", str(tmp_path), "--no-browser")
    given = served(monkeypatch, *words)
    assert given["data"] == [Path("a"), Path("b")] and given["models"] == [] and given["home"] == tmp_path
    assert given["host"] == "127.0.0.1" and given["port"] is None and not given["browser"]


def test_an_option_that_is_unknown_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["--prot", "7861"]) == 2
    assert "--prot" in capsys.readouterr().err


def test_a_root_that_is_missing_is_said(tmp_path: Path) -> None:
    assert app.main(["--runs-dir", str(tmp_path), "--data-root", str(tmp_path / "none"), "--no-browser"]) == 2


def test_a_folder_that_can_only_be_read_is_left_alone_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert layout.read_only_value(tmp_path) is None
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK)
    said = layout.read_only_value(tmp_path)
    assert said is not None and "can only be read" in said["title"]
    prepare(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_uploads_have_no_folder_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any, **options: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", {})
        with monkeypatch.context() as full:
            full.setattr(Path, "mkdir", refuse)
            assert app._upload_folder(tmp_path) is None and os.environ == {}
        assert app._upload_folder(tmp_path) == tmp_path / app.UPLOADS
        assert os.environ == {"GRADIO_TEMP_DIR": str(tmp_path / app.UPLOADS)}
        assert app._upload_folder(tmp_path / "other") is None  # the environment names one
