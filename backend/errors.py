"""What can go wrong, as one tree: each message says where, what was found and what is allowed.

StudioError
|- PoolError      a file, a row or a column mapping cannot be read
|- ConfigError    a setting is out of range, unknown, or contradicts another
|- ModelError     a model or tokenizer cannot be loaded or does not fit the pool
|- ScoresError    stored scores are missing or belong to another pool
|- RunError       a run folder is missing, broken, or in the wrong state
|- SearchError    a search that cannot be made, or a pool whose index is not there
|- ModelProcessError  the process that has the models died, takes too long, or could not do what was asked
|- AskingError    models cannot be asked this
|- EvaluationError  a model cannot be evaluated, or an evaluation is not in the state that was asked for
|- AnotherFailed  another process of this run failed, and says why itself
|- ProcessGone    another process of this run exited without an error message
`- Stopped        somebody asked this work to stop (not a failure)
"""


def first_line(error: BaseException) -> str:
    """The first line of an error's text; its kind where it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def in_a_line(error: BaseException) -> str:
    """An error for the person at the screen: of one that nobody expected, its kind and the first line of its text."""
    if isinstance(error, StudioError):
        return str(error)
    kind, first = type(error).__name__, first_line(error)
    return first if first == kind else f"{kind}: {first}"


class StudioError(Exception):
    """Base of every error that is shown to a person as its message alone."""


class PoolError(StudioError):
    """A pool's file, row or column mapping cannot be read."""


class ConfigError(StudioError):
    """A setting is out of its range, unknown, or contradicts another."""


class ModelError(StudioError):
    """A model or tokenizer cannot be loaded, or does not fit what it is asked to score."""


class ScoresError(StudioError):
    """Stored scores are missing, unreadable, or belong to another pool."""


class RunError(StudioError):
    """A run folder is missing, broken, or in a state that does not allow what was asked."""


class SearchError(StudioError):
    """A search holds nothing to look for or is too long, or the pool's index is not there."""


class ModelProcessError(StudioError):
    """The process that has the models could not be started, died, takes too long, or could not do what was asked."""


class AskingError(StudioError):
    """A prompt is empty or too long, or a setting for generating its answer is invalid."""


class EvaluationError(StudioError):
    """What evaluates models is not installed, or an evaluation is missing or in another state than was asked for."""


class AnotherFailed(StudioError):
    """Another process of this run failed, and says why itself."""


class ProcessGone(StudioError):
    """Another process of this run exited without an error message."""


class Stopped(StudioError):
    """Somebody asked this work to stop; what was finished before is kept."""
