"""Code fences that do not close."""

from __future__ import annotations

from backend.findings.code import fence_after


def open_fence(prompt: str, response: str) -> str:
    """The line whose fence (three backticks or tildes) nothing closes; "" where all are closed."""
    if "```" not in response and "~~~" not in response:
        return ""
    fence = opened = ""
    for line in response.split("\n"):
        before = fence
        fence, _ = fence_after(fence, line)
        if fence and not before:
            opened = line.strip()
    return opened[:80] if fence else ""
