"""A process that applies one regular expression to texts and ends; see `find_replace`, which ends it if it takes too long.

Started as a file, with Python's own modules alone: a request as JSON on standard input, the answer on standard output.
"""

import json
import re
import sys

MEMORY = 4 << 30  # bytes that it may take: "\\1" a thousand times over makes much of little
LONGEST = (
    1_000_000  # characters of a text afterwards; more is refused for what it is later, but not made here
)


def answer(asked: dict) -> dict:
    """The texts that change, with their places, or why not."""
    find, replacement = asked["find"], asked["replacement"]
    pattern = re.compile(find, re.MULTILINE | (re.NOFLAG if asked["case"] else re.IGNORECASE))
    found = []
    for index, text in enumerate(asked["texts"]):
        parts, places, at, length = [], [], 0, 0
        for match in pattern.finditer(text):
            begin, end = match.span()
            if begin == end:
                return {
                    "error": f"{find!r} also finds the empty text, so it would fit everywhere; make it find at least one character"
                }
            try:
                new = match.expand(replacement)
            except (re.error, IndexError) as error:
                return {"error": f"the replacement {replacement!r} does not fit {find!r}: {error}"}
            length += begin - at + len(new)
            if length > LONGEST:
                return {"error": f"a response would have more than {LONGEST:,} characters afterwards"}
            places.append((begin, end, length - len(new), length))
            parts += [text[at:begin], new]
            at = end
        if places:
            changed = "".join([*parts, text[at:]])
            if changed != text:
                found.append((index, changed, places))
    return {"error": "", "found": found}


if __name__ == "__main__":
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):  # not on every system; the time is limited all the same
        pass
    # ASCII both ways, so that no system's encoding matters
    print(json.dumps(answer(json.load(sys.stdin))))
