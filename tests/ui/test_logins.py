"""Names and passwords come from a file or the environment, so that none need stand on a command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import app
from backend.cli.commands import app as commands
from backend.cli.passwords import hashed, matches
from backend.errors import ConfigError
from iterit_ui.access import visitors
from iterit_ui.access.logins import Login, logins, refuse_inside
from iterit_ui.access.visitors import Access

HASH = hashed("s3cret word", cost=10)


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "who"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_file_holds_a_visitor_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "# curators\n\nada:s3cret:with colon\n Zoë :pass word\n")
    found, warnings = logins(None, path, {})
    assert found == [Login("ada", "s3cret:with colon"), Login("Zoë", "pass word")]
    assert len(warnings) == 1 and "of ada, Zoë as typed" in warnings[0] and "s3cret" not in warnings[0]


def test_a_line_with_a_hash_has_a_role_and_no_warning(tmp_path: Path) -> None:
    path = written(tmp_path, f"ada:{HASH}\neve:{HASH}:look\nbob:{HASH}:change\n")
    found, warnings = logins(None, path, {})
    assert [(one.name, one.role) for one in found or []] == [
        ("ada", "change"),
        ("eve", "look"),
        ("bob", "change"),
    ]
    assert not warnings and HASH not in repr(found)


def test_only_the_password_behind_the_hash_comes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_NOBODY", hashed("nobody", cost=10))
    access = Access([Login("ada", HASH), Login("bob", "typed out")])
    assert access._is_right("ada", "s3cret word") and access._is_right("bob", "typed out")
    assert not any(
        access._is_right(*pair)
        for pair in [("ada", "s3cret wor"), ("ada", HASH), ("bob", ""), ("eve", "s3cret word")]
    )


def test_the_command_makes_a_line_and_shows_no_password(tmp_path: Path) -> None:
    done = CliRunner().invoke(commands, ["password", "eve", "--look"], input="long enough\nlong enough\n")
    assert done.exit_code == 0 and "long enough" not in done.output
    found, _ = logins(None, written(tmp_path, done.stdout), {})
    assert found is not None and found[0].name == "eve" and found[0].role == "look"
    assert matches("long enough", found[0].secret)
    short = CliRunner().invoke(commands, ["password", "eve"], input="short\nshort\n")
    assert short.exit_code != 0 and "8 or more" in short.output


def test_a_file_that_others_can_read_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, "ada:s3cret\n", 0o644)
    found, warnings = logins(None, path, {})
    assert found == [Login("ada", "s3cret")]
    assert len(warnings) == 2 and f"chmod 600 {path}" in warnings[0] and "s3cret" not in warnings[0]


def test_the_environment_is_read_and_an_option_overrules_it(tmp_path: Path) -> None:
    assert logins(None, None, {}) == (None, [])
    assert logins(None, None, {"ITERIT_AUTH": f"ada:{HASH}"}) == ([Login("ada", HASH)], [])
    assert logins(None, written(tmp_path, "bob:other"), {"ITERIT_AUTH": "ada:x"})[0] == [
        Login("bob", "other")
    ]


def test_a_password_on_the_command_line_is_warned_of() -> None:
    found, warnings = logins("ada:s3cret", None, {})
    assert found == [Login("ada", "s3cret")] and "ps" in warnings[0] and "s3cret" not in warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ada:s3cret\ns3cret2\n", "line 2: expected NAME:PASSWORD"),
        ("ada:\n", "line 1: expected NAME:PASSWORD"),
        (":s3cret\n", "line 1: expected NAME:PASSWORD"),
        ("ada:s3cret\nada:s3cret\n", "line 2: the name 'ada' is listed twice"),
        ("# nobody\n", "is empty"),
        ("ada:s3cret:look\n", "line 1: the role look needs a hashed password"),
        ("ada:scrypt.15.8.3.c2FsdA\n", "line 1: the hash is cut off"),
        ("ada:scrypt.30.8.3.c2FsdHNhbHQ.a2V5a2V5a2V5a2V5a2V5a2V5\n", "line 1: the hash is not one of"),
        (f"ada:{HASH}:write\n", "line 1: the role 'write' is not known; look and change are"),
    ],
    ids=range(9),  # a hash is another one each time, and two processes have to name the tests alike
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
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
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
    assert served["access"].logins == [Login("ada", "s3cret")] and not served["access"].read_only
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
    monkeypatch.setenv("ITERIT_READ_ONLY", "1")
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert app.main(["--no-browser"]) == 0
    assert served["folders"] == (home, [one, other], [models])
    assert served["access"].read_only and served["uploads"] is None
    assert served["access"].logins == [Login("ada", "s3cret")]
    assert app.main(["--no-browser", "--runs-dir", str(one)]) == 0  # an option counts for more
    assert served["folders"][0] == one
