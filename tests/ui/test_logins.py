"""Names and passwords come from a file or the environment, so that none need stand on a command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import app
from backend.errors import ConfigError
from iterit_ui.logins import logins, refuse_inside


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "who"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_file_holds_a_visitor_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "# curators\n\nada:s3cret:with colon\n Zoë :pass word\n")
    assert logins(None, path, {}) == ([("ada", "s3cret:with colon"), ("Zoë", "pass word")], [])


def test_a_file_that_others_can_read_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "ada:s3cret\n", 0o644)
    found, warnings = logins(None, path, {})
    assert found == [("ada", "s3cret")]
    assert len(warnings) == 1 and f"chmod 600 {path}" in warnings[0] and "s3cret" not in warnings[0]


def test_the_environment_is_read_and_an_option_overrules_it(tmp_path: Path) -> None:
    assert logins(None, None, {}) == (None, [])
    assert logins(None, None, {"ITERIT_AUTH": "ada:s3cret"}) == ([("ada", "s3cret")], [])
    assert logins(None, written(tmp_path, "bob:other"), {"ITERIT_AUTH": "ada:x"})[0] == [("bob", "other")]


def test_a_password_on_the_command_line_is_warned_of() -> None:
    found, warnings = logins("ada:s3cret", None, {})
    assert found == [("ada", "s3cret")] and "ps" in warnings[0] and "s3cret" not in warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ada:s3cret\ns3cret2\n", "line 2: expected NAME:PASSWORD"),
        ("ada:\n", "line 1: expected NAME:PASSWORD"),
        (":s3cret\n", "line 1: expected NAME:PASSWORD"),
        ("ada:s3cret\nada:s3cret\n", "line 2: the name 'ada' is listed twice"),
        ("# nobody\n", "is empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_without_a_password(text: str, words: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        logins(None, path, {})
    assert (
        str(path) in str(refused.value) and words in str(refused.value) and "s3cret" not in str(refused.value)
    )


def test_an_empty_variable_protects_nothing_and_is_refused() -> None:
    with pytest.raises(ConfigError, match="ITERIT_AUTH is empty"):
        logins(None, None, {"ITERIT_AUTH": ""})


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        logins(None, tmp_path / "none", {})
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        logins(None, tmp_path / "binary", {})


def test_two_options_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not both"):
        logins("a:b", written(tmp_path, "c:d"), {})


def test_a_file_where_visitors_read_pools_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keep it elsewhere"):
        refuse_inside(written(tmp_path, "a:b"), [tmp_path])
    refuse_inside(written(tmp_path, "a:b"), [tmp_path / "data"])
    refuse_inside(None, [tmp_path])


def test_the_app_asks_for_what_the_file_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(app, "build", lambda *given: None)
    monkeypatch.setattr(app, "launch", lambda page, **options: served.update(options))
    monkeypatch.setenv("ITERIT_AUTH", "eve:old")
    words = [
        "--runs-dir",
        str(tmp_path / "runs"),
        "--no-browser",
        "--auth-file",
        str(written(tmp_path, "ada:s3cret")),
    ]
    assert app.main(words) == 0
    assert served["auth"] == [("ada", "s3cret")]
    assert "ITERIT_AUTH" not in os.environ  # nor for what is started from here


def test_the_environment_gives_what_options_would(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    served: dict[str, Any] = {}
    monkeypatch.setattr(app, "build", lambda *given: served.update(folders=given))
    monkeypatch.setattr(app, "launch", lambda page, **options: served.update(options))
    home, one, other, models = (tmp_path / name for name in ("runs", "one", "other", "models"))
    monkeypatch.setenv("ITERIT_RUNS_DIR", str(home))
    monkeypatch.setenv("ITERIT_DATA_ROOT", os.pathsep.join([str(one), str(other)]))
    monkeypatch.setenv("ITERIT_MODEL_ROOT", str(models))
    monkeypatch.setenv("ITERIT_AUTH_FILE", str(written(tmp_path, "ada:s3cret")))
    assert app.main(["--no-browser"]) == 0
    assert served["folders"] == (home, [one, other], [models])
    assert served["auth"] == [("ada", "s3cret")]
    assert app.main(["--no-browser", "--runs-dir", str(one)]) == 0  # an option counts for more
    assert served["folders"][0] == one
