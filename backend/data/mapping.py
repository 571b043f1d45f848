"""What a person says about a source: the column of each role, the role of each speaker, how bad rows are handled.

One flat dictionary says all of it, as options of the command line and config.json write it:

    prompt=question response=a.text        columns by role (see `formats.ROLES`); a path goes into nested values
    role.customer=user role.agent=assistant    whose turn it is where a conversation's speakers have other names
    bad=keep                               rows that are marked as bad are read like any other
    talks.jsonl:messages=dialog            for one source alone: its path, its file name, or a hub dataset's id

What is said for a source alone takes the place of what is said for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from backend.data.batch import Source
from backend.data.formats import ROLES, Reading
from backend.errors import PoolError

SPEAKER = "role."
WHOSE = ("system", "user", "assistant", "tool")
BAD = "bad"
KEEP = "keep"

Mapping_ = Mapping[str, str]


def is_key(key: str) -> bool:
    """Whether a key names a role, a speaker or the handling of bad rows."""
    return key in ROLES or key == BAD or (key.startswith(SPEAKER) and len(key) > len(SPEAKER))


def by_source(mapping: Mapping_) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What is said for all sources, and what for single ones, by their name."""
    general: dict[str, str] = {}
    single: dict[str, dict[str, str]] = {}
    for key, value in mapping.items():
        name, colon, rest = key.rpartition(":")
        if is_key(key) or not colon or not is_key(rest):
            general[key] = value
        else:
            single.setdefault(name, {})[rest] = value
    return general, single


def flat(general: Mapping_, single: Mapping[str, Mapping_]) -> dict[str, str]:
    """The one dictionary for what is said for all sources and for single ones."""
    pairs = {f"{name}:{key}": value for name, keys in single.items() for key, value in keys.items()}
    return {**general, **pairs}


def with_names(mapping: Mapping_, name: Callable[[str], str]) -> dict[str, str]:
    """The mapping with every source named as `name` gives it."""
    general, single = by_source(mapping)
    return flat(general, {name(source): own for source, own in single.items()})


def of_source(source: Source, general: Mapping_, single: Mapping[str, Mapping_]) -> Mapping_:
    """What is said about one source."""
    for name in single:
        if is_called(source, name):
            return single[name]
    return general


def is_called(source: Source, name: str) -> bool:
    """Whether a name means this source: its path, its file's name, or its own name."""
    if name in (source.name, source.key):
        return True
    if source.path is None:
        return False
    whole = str(Path(name).expanduser().resolve())
    return source.path.name == name or whole in (str(source.path), source.key)


def for_sources(
    sources: Sequence[Source], general: Mapping_, single: Mapping[str, Mapping_]
) -> dict[str, str]:
    """What was said about these sources as one dictionary, no longer than it must be."""
    said = [of_source(source, general, single) for source in sources]
    if all(own == said[0] for own in said):
        return dict(said[0])
    return flat(general, single)


def check_names(sources: Iterable[Source], single: Mapping[str, Mapping_]) -> None:
    """Raise PoolError where something is said about a source that is not there."""
    known = list(sources)
    for name in single:
        if not any(is_called(source, name) for source in known):
            names = ", ".join(source.name for source in known[:20])
            raise PoolError(f"mapping {name}:...: no source has this name (sources: {names})")


def from_mapping(mapping: Mapping_) -> Reading:
    """The reading that a person gave; without columns where they named none: the format is to be found.

    Raises
    ------
    PoolError : a role is unknown, or what makes a sample is not named.
    """
    given = {key: value for key, value in mapping.items() if value}
    for key in given:
        if not is_key(key):
            raise PoolError(
                f"mapping: role {key!r} is unknown (known: {', '.join(ROLES)}, {SPEAKER}SPEAKER, {BAD})"
            )
    speakers = {
        key[len(SPEAKER) :].strip().lower(): value for key, value in given.items() if key.startswith(SPEAKER)
    }
    for speaker, role in speakers.items():
        if role not in WHOSE:
            raise PoolError(f"mapping {SPEAKER}{speaker}={role}: a role is one of {', '.join(WHOSE)}")
    if given.get(BAD, KEEP) != KEEP:
        raise PoolError(f"mapping {BAD}={given[BAD]}: only {BAD}={KEEP} is known")
    columns = {key: value for key, value in given.items() if key in ROLES}
    if columns:
        _check_columns(columns)
    return Reading("mapping", columns, speakers, keep_bad=BAD in given)


def _check_columns(columns: Mapping_) -> None:
    if "messages" not in columns and not {"prompt", "response"} <= set(columns):
        raise PoolError(
            "mapping: name the columns of prompt and response, or that of messages (given: "
            f"{', '.join(f'{role}={column}' for role, column in columns.items())})"
        )
    if "messages" in columns and "response" not in columns and {"prompt", "input", "history"} & set(columns):
        raise PoolError("mapping: messages already holds the prompt; name one or the other")
