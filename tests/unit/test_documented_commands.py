"""Every command in README and docs is one that the command line takes: its name, options and arguments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from backend.cli.commands import app
from benchmarks.__main__ import BENCHMARKS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PROGRAM = re.compile(r"^(?:\.venv/bin/)?python -m backend |^iterit (?=[a-z-])")
FIGURES = re.compile(r"^python -m benchmarks ")
UsageError: Any = typer.BadParameter.__base__  # of the click that typer brings
PLACEHOLDER = re.compile(r"^(\.\.\.|…|COMMAND|NAME)$")


def commands(page: Path, program: re.Pattern[str]) -> list[str]:
    """Commands of a page, in blocks of code and between back quotes, without the comment behind each."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```(?:sh|bash|console)?\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    lines = [re.split(r"\s+#\s", line.strip().removeprefix("$ "))[0] for line in lines]
    return [line for line in lines if program.match(line)]


def words(line: str) -> list[str]:
    """A command's words without what the shell does with its output."""
    found = shlex.split(re.split(r"\s(?:>>?|\|)\s", line)[0])
    return [word for word in found if word not in ("...", "…")]


def parse(command: Any, given: list[str]) -> None:
    """Hold words against a command's options and arguments; nothing is run.

    Raises
    ------
    UsageError : no such command or option, a value that an option does not take, an argument that is missing.
    """
    if isinstance(command, TyperGroup):
        context = command.context_class(command)
        name, _, rest = command.resolve_command(context, given)
        assert name is not None
        found = command.get_command(context, name)
        assert found is not None
        return parse(found, rest)
    if "--help" not in given:
        command.make_context("command", list(given))
    return None


PROGRAM_LINES = [
    (page.name, line)
    for page in PAGES
    for line in commands(page, PROGRAM)
    if not PLACEHOLDER.match(words(PROGRAM.sub("", line))[0])  # which stands for any command
]


@pytest.mark.parametrize(("page", "line"), PROGRAM_LINES, ids=[f"{p}: {c[:60]}" for p, c in PROGRAM_LINES])
def test_a_documented_command_is_taken(
    page: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # files that a page names are made there by an earlier command
    given = words(PROGRAM.sub("", line))
    for word in given:
        if re.search(r"\.\w+$", word) and "=" not in word:
            (tmp_path / word).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / word).touch()
    parse(typer.main.get_command(app), given)


def test_pages_document_commands_and_a_wrong_one_is_found() -> None:
    assert len(PROGRAM_LINES) > 80
    command = typer.main.get_command(app)
    for wrong in ("selekt POOL", "select POOL --bugdet 0.1", "tune POOL --model M --epochs two", "why POOL"):
        with pytest.raises(UsageError):
            parse(command, words(wrong))


def test_documented_benchmarks_exist() -> None:
    lines = [line for page in PAGES for line in commands(page, FIGURES)]
    names = {words(FIGURES.sub("", line))[0] for line in lines if words(FIGURES.sub("", line))}
    assert lines and {name for name in names if not PLACEHOLDER.match(name)} <= set(BENCHMARKS)


def test_documented_make_targets_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    lines = [line for page in PAGES for line in commands(page, re.compile(r"^make [a-z]"))]
    assert lines and {words(line)[1] for line in lines} <= targets
