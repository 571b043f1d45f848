"""The app in a window of its own: what shows it, and when it ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

import app
from backend.errors import ConfigError
from iterit_ui.shared import desktop_window


@pytest.fixture
def no_webview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desktop_window.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(desktop_window, "PLACES", ())


def test_a_browser_stands_in_for_pywebview(
    no_webview: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/words\n')
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    desktop_window.window_of()("http://127.0.0.1:7860/")
    words = (tmp_path / "words").read_text().split()
    assert (
        words[0] == "--app=http://127.0.0.1:7860/" and "pywebview is not installed" in capsys.readouterr().err
    )
    profile = Path(words[1].removeprefix("--user-data-dir="))
    assert profile.name.startswith("iterit-window-") and not profile.exists()


def test_without_either_it_is_a_sentence(no_webview: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match="pip install pywebview"):
        desktop_window.window_of()


def test_closing_it_ends_the_app_unless_a_run_is_going(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    happened: list[str] = []
    busy = iter([True, True, False])
    monkeypatch.setattr(desktop_window.time, "sleep", lambda seconds: happened.append("waited"))
    desktop_window.show(lambda url: happened.append(url), "here", lambda: next(busy))
    assert happened == ["here", "waited"] and "A run is going" in capsys.readouterr().out
    desktop_window.show(lambda url: happened.append("shown"), "here", lambda: False)
    assert happened[-1] == "shown" and not capsys.readouterr().out


def test_the_app_opens_no_browser_beside_its_window(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found: dict[str, Any] = {}
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(app, "build", lambda *given: None)
    monkeypatch.setattr(app, "launch", lambda page, **options: found.update(options) or "url")
    monkeypatch.setattr(desktop_window, "window_of", lambda: lambda url: found.update(url=url))
    assert app.main(["--runs-dir", str(tmp_path / "runs"), "--window"]) == 0
    assert found["url"] == "url" and not found["browser"] and not found["block"]
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert app.main(["--runs-dir", str(tmp_path / "runs"), "--window"]) == 2
