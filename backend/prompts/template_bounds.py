"""What a chat template may make of what it is given: no text or list beyond ten million items, and no huge numbers.

A template is a program of somebody else's, and the fewest of its words can ask for terabytes: a text added to itself again
and again, a width, a text repeated or put between others. What would be too long is refused before it is made, or, where
it can be no more than a few times longer than what it is made of, as soon as it is.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import jinja2

ITEMS = 10_000_000  # of a text or list
_BITS = 4096  # of a number that is a power
# methods and filters of which a number is a width or a count; `range` has a limit of its own in jinja2's sandbox
_WIDTHS = frozenset(
    "center ljust rjust zfill expandtabs indent wordwrap batch slice tojson truncate lipsum format".split()
)
_LONG_NUMBER = re.compile(rf"\d{{{len(str(ITEMS))},}}")


def made(value: Any) -> Any:
    """A value that a template has just made.

    Raises
    ------
    jinja2.TemplateRuntimeError : it is too long.
    """
    if isinstance(value, (str, list, tuple, dict)) and len(value) > ITEMS:
        raise _too_long()
    return value


def product(one: Any, other: Any) -> Any:
    """`one * other`; raises as `made`."""
    for values, times in ((one, other), (other, one)):
        if isinstance(values, (str, list, tuple)) and isinstance(times, int) and len(values) * times > ITEMS:
            raise _too_long()
    return operator.mul(one, other)


def total(one: Any, other: Any) -> Any:
    """`one + other`; raises as `made`."""
    return made(operator.add(one, other))


def remainder(one: Any, other: Any) -> Any:
    """`one % other`, for a text the other filled in; raises as `made`."""
    if isinstance(one, str):
        check("format", one, [other])
    return operator.mod(one, other)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`.

    Raises
    ------
    jinja2.TemplateRuntimeError : the number would have too many digits.
    """
    if isinstance(base, int) and isinstance(exponent, int) and base.bit_length() * exponent > _BITS:
        raise jinja2.TemplateRuntimeError(f"it computes a number of more than {_BITS:,} bits")
    return operator.pow(base, exponent)


def check(name: str, subject: Any, values: Sequence[Any]) -> None:
    """Refuse a call of a text's method or of a filter that would make more than the largest text or list.

    name : of the method or filter. subject : the text or list. values : what else it is given.

    Raises
    ------
    jinja2.TemplateRuntimeError : as `made`.
    """
    if name in _WIDTHS and any(isinstance(value, int) and value > ITEMS for value in _flat(values)):
        raise _too_long()
    if name.startswith("format") and isinstance(subject, str) and _LONG_NUMBER.search(subject):
        raise _too_long()
    if name == "replace" and isinstance(subject, str) and len(values) > 1:
        old, new = str(values[0]), str(values[1])
        if len(subject) + subject.count(old) * len(new) > ITEMS:
            raise _too_long()


def checked_filters(filters: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """jinja2's filters, each of which refuses what would be too long."""
    return {name: _checked_filter(name, function) for name, function in filters.items()}


def joined(separator: Any, items: Any) -> tuple[str, ...]:
    """The texts of `separator.join(items)`.

    Raises
    ------
    jinja2.TemplateRuntimeError : as `made`.
    """
    texts, length, between = [], 0, len(str(separator))
    for item in items:
        texts.append(item)
        length += (len(item) if isinstance(item, str) else 1) + between
        if length > ITEMS:
            raise _too_long()
    return tuple(texts)


def _checked_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    first = int(
        getattr(function, "jinja_pass_arg", None) is not None
    )  # what jinja2 itself passes comes first

    @wraps(function)
    def checked(*args: Any, **options: Any) -> Any:
        subject, values = args[first], [*args[first + 1 :], *options.values()]
        check(name, subject, values)
        if name == "join":
            subject = joined(values[0] if values else "", subject)
        return made(function(*args[:first], subject, *args[first + 1 :], **options))

    return checked


def _flat(values: Sequence[Any]) -> list[Any]:
    return [part for value in values for part in (value if isinstance(value, (tuple, list)) else (value,))]


def _too_long() -> jinja2.TemplateRuntimeError:
    return jinja2.TemplateRuntimeError(f"it makes a text or list of more than {ITEMS:,} items")
