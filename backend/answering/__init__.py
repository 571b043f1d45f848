"""Answers of language models to prompts, with torch: written token by token, and models kept while they fit."""

from backend.answering.keep import Kept
from backend.answering.write import answer

__all__ = ["Kept", "answer"]
