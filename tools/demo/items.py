"""What a task family produces: one item of the world in three renderings."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tools.demo.tables import World


@dataclass(frozen=True)
class Item:
    """One item of the world.

    `instruction`, `input` and `output` are the sample for the pool, with the answer in the assistant's style
    (steps, lists, fences). `prose` tells the same as running text, `question` and `answer` as a short
    exchange; these two renderings are what pre-training mostly shows.
    """

    instruction: str
    output: str
    prose: str
    question: str
    answer: str
    input: str = ""

    def prompt(self) -> str:
        """Instruction and input in one text, as the user's turn holds them."""
        return f"{self.instruction}\n{self.input}" if self.input else self.instruction


Family = Callable[[Random, World], Item]
