"""Where a text is code: fences, code in a line, and lines that read like a program's."""

from __future__ import annotations

import re

_INLINE = re.compile(r"`[^`\n]+`")
# what hardly a sentence has: a statement's end, an assignment, a call, a comment, a declaration
_CODE_LINE = re.compile(
    r"""[;{}]\s*$|^\s*(?:def|class|import|from\s+\S+\s+import|return|public|private|static|function|const|let|var|#include"""
    r"""|SELECT|INSERT|UPDATE|CREATE|elif|else:|try:|except|print\s*\(|@\w+)\b|^\s*(?://|/\*|\#!)"""
    r"""|^\s*[\w.\[\]"']+\s*(?:=|\+=|-=|:=)\s*\S|^\s*</?\w[^>]*>\s*$|^\s*(?:for|while|if|with)\b.*:\s*$|\bprint ?\(|=>|\w\([^()\s]*\)\s*[;:{.]|^\s*\w+\.\w+\(""",
)


def unfenced(text: str) -> str:
    """The text without fenced code blocks and inline code; an unclosed fence runs to the end of the text."""
    if "`" not in text and "~~~" not in text:
        return text
    kept = []
    fence = ""
    for line in text.split("\n"):
        fence, outside = fence_after(fence, line)
        if outside:
            kept.append(_INLINE.sub(" ", line))
    return "\n".join(kept)


def fence_after(fence: str, line: str) -> tuple[str, bool]:
    """The fence that is open after a line ("" for none), and whether the line is outside code.

    fence : the one that was open before it. A fence may also open in the middle of a line ("Here it is: ```python"), and
    close at a line's end; three backticks around words of one line open nothing.
    """
    bare = line.strip()
    if fence:
        shut = (bare.startswith(fence) and not bare.strip(fence[0])) or bare.endswith(fence)
        if not shut and bare.startswith(fence) and " " in bare:  # closed, and the sentence goes on behind it
            shut = bare.count(fence) % 2 == 1
        return ("" if shut else fence), False
    if bare.startswith("~~~"):
        return "~~~", False
    if "```" not in line:
        return "", True
    start = line.index("```")
    run = len(line[start:]) - len(line[start:].lstrip("`"))
    mark = "`" * run
    return (mark, False) if line.count(mark) % 2 else ("", True)


def is_code(text: str) -> bool:
    """Whether a text is mostly a program: a third of its lines or more read like one, or it has a fence."""
    if "```" in text:
        return True
    lines = [line for line in text.split("\n") if line.strip()]
    marked = sum(_CODE_LINE.search(line) is not None for line in lines)
    return marked * 3 >= len(lines) and marked > 0
