"""What `pip install .` installs: the requirements of requirements.txt, and a tree in which everything is found."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest
import yaml

import app
import backend
import iterit
from backend.cli.serving import open_app

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


def test_dependencies_are_those_of_requirements_txt(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = types.ModuleType("hatchling.metadata.plugin.interface")
    plugin.MetadataHookInterface = type("Hook", (), {"root": str(ROOT)})  # type: ignore[attr-defined]
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, plugin.__name__, plugin)
    monkeypatch.delitem(sys.modules, "tools.packaging.requirements", raising=False)
    hook = importlib.import_module("tools.packaging.requirements")
    monkeypatch.delitem(sys.modules, "tools.packaging.requirements")
    assert (
        PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["path"] == "tools/packaging/requirements.py"
    )
    metadata: dict[str, list[str]] = {}
    hook.Requirements().update(metadata)
    found = metadata["dependencies"]
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if re.match(r"\w", line)]
    assert len(found) == len(lines) > 15 and "torch==2.13.0" in found
    assert all(re.fullmatch(r"[a-z0-9-]+(==|~=)[0-9.]+", one) for one in found)


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT["project"] and "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "backend/__init__.py"
    assert iterit.__version__ == backend.__version__ and re.fullmatch(r"\d+\.\d+\.\d+", backend.__version__)


def test_an_installed_tree_finds_its_assets_and_the_app(tmp_path: Path) -> None:
    """The tree that a wheel unpacks, and a folder named backend where somebody works."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    (elsewhere / "backend").mkdir(parents=True)
    for package in BUILD["packages"]:
        shutil.copytree(ROOT / package, site / package, ignore=shutil.ignore_patterns("__pycache__"))
    for source, place in BUILD["force-include"].items():
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, site / place)
    script = (
        "from backend.data import demo; from backend.cli.serving import app_command; import backend, iterit_ui, sys;"
        "assert demo.POOL.is_file() and demo.MODEL.is_dir(), demo.POOL;"
        "print(demo.POOL); print(app_command(['--port', '7'])[1:]); print(backend.__file__)"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def python(*words: str) -> str:
        command = [sys.executable, "-P", *words]
        done = subprocess.run(
            command, cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    pool, command, package = python("-c", script).splitlines()
    assert pool == str(site / "iterit" / "assets" / "demo" / "pool.jsonl")
    assert command == "['-P', '-m', 'iterit_ui.app', '--port', '7']"
    assert package == str(site / "backend" / "__init__.py")
    assert python("-m", "iterit", "--help").startswith("Usage: iterit [OPTIONS] COMMAND")
    assert PROJECT["project"]["scripts"] == {"iterit": "iterit.__main__:main"}
    assert all((site / package / "py.typed").is_file() for package in BUILD["packages"])


def test_the_image_copies_what_is_there_and_starts_the_app_as_it_can_be_started() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [part for line in lines if line.startswith("COPY ") for part in line.split()[1:-1]]
    assert {"app.py", "assets", "requirements.txt", *BUILD["packages"]} <= set(copied)
    assert all((ROOT / part).exists() for part in copied)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*" and {f"!{part}" for part in copied} <= set(ignored)
    start = json.loads(
        next(line.removeprefix("ENTRYPOINT ") for line in lines if line.startswith("ENTRYPOINT "))
    )
    assert start[:2] == ["python", "app.py"]
    given = [
        one.annotation.__metadata__[0]
        for one in inspect.signature(open_app, eval_str=True).parameters.values()
    ]
    # typer takes the first name for a default until it reads the signature
    options = {name for option in given for name in (option.default, *(option.param_decls or ()))}
    assert {word for word in start if word.startswith("--")} <= options
    assert "ENV ITERIT_RUNS_DIR=/runs" in " ".join(lines) and "USER studio" in lines


def test_the_app_and_the_command_that_opens_it_have_the_same_options() -> None:
    """Each is written once for the page and once for the command line; `open_app` hands all of them on."""
    assert inspect.signature(app.serve).parameters.keys() == inspect.signature(open_app).parameters.keys()


def test_the_readme_and_the_citation_file_cite_the_same_paper() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())["preferred-citation"]
    readme = (ROOT / "README.md").read_text()
    authors = [f"{one['family-names']}, {one['given-names']}" for one in cited["authors"]]
    assert f"title   = {{{cited['title']}}}" in readme and f"author  = {{{' and '.join(authors)}}}" in readme
    assert cited["journal"] in readme and cited["url"] in readme


def test_links_of_the_pages_lead_somewhere() -> None:
    """Files, and headings of them as GitHub names these."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    broken = []
    for page in pages:
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, heading = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            if not file.exists() or (heading and file.suffix == ".md" and heading not in _headings(file)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def _headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}
