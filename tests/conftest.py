"""What all tests share: a core for each process of tests, one reader of files, and one table of commands."""

import functools
import os

# before anything that counts the cores is imported: as many processes of tests run as there are cores
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import typer.testing

# typer makes its table of all commands and their settings anew for every call, a tenth of a second of work
typer.testing._get_command = functools.cache(typer.testing._get_command)


def _same_environment() -> None:
    """A reader of files (`backend.data.guard`) is used again while the environment is the same, and pytest writes the name
    of each test there: every test would start a reader of its own."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    _same_environment()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call() -> None:
    _same_environment()
