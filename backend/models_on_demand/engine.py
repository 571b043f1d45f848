"""What the model process does with torch: shows texts, finds losses and writes answers, with models that stay loaded."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from backend import prompts
from backend.complexity import token_losses
from backend.errors import ModelError, Stopped, StudioError, first_line, in_a_line
from backend.model import load as models
from backend.model.readable import to_json
from backend.models_on_demand import generate
from backend.models_on_demand.asked_models import last_written
from backend.models_on_demand.loaded import Loaded, LoadedModels, out_of_memory
from backend.models_on_demand.questions import Answer, AskedModel, Sampling
from backend.records import Conversation

TOKENIZERS = 4  # that are kept; with a large vocabulary one takes some ten MiB

logger = logging.getLogger("backend.models_on_demand")


class ModelEngine:
    """Loads a model when it is first needed. say : gets a line for each change of what it is doing."""

    def __init__(self, say: Callable[[dict[str, Any]], None]) -> None:
        self.say = say
        self.models = LoadedModels()
        self._label = ""  # of the model used last
        self._doing = "starting", ""
        self._enter("idle")

    def show(self, request: dict[str, Any]) -> dict[str, Any]:
        """The sample exactly as the model reads it. Waits for no model: its tokenizer is its own, for use in any thread."""
        asked = AskedModel(**request["asked"])
        tokenizer, positions = _tokenizer(asked.model, last_written(asked.model))
        length = min(asked.max_length, positions or asked.max_length)
        return to_json(
            prompts.show(_sample(request), tokenizer, system_prompt=asked.system_prompt, max_length=length)
        )

    def losses(self, request: dict[str, Any]) -> dict[str, Any]:
        """Nats of each piece of the sample's response."""
        asked = AskedModel(**request["asked"])
        # an answer may be on its way, and a model that is loaded in its inference mode would be of no other use
        with self._explained(), torch.inference_mode(False):
            model, tokenizer = self._model(asked)
            found = token_losses(
                model,
                tokenizer,
                _sample(request),
                system_prompt=asked.system_prompt,
                max_length=models.usable_length(model, asked.max_length),
                precision=asked.precision,
            )
            return to_json(found)

    def answer(self, request: dict[str, Any], on_answer: Callable[[Answer], None]) -> Answer:
        """A model's answer, be it that it cannot give one. on_answer : as for `generate.answer`."""
        asked, last = AskedModel(**request["asked"]), Answer("loading")

        def tell(answer: Answer) -> None:
            nonlocal last
            last = answer
            on_answer(answer)

        try:
            with self._explained():
                model, tokenizer = self._model(asked, lambda: on_answer(last))
                self._enter("answering", asked.label)
                return generate.answer(
                    model,
                    tokenizer,
                    request["turns"],
                    asked,
                    sampling=Sampling(**request["sampling"]),
                    reference=request["reference"],
                    on_answer=tell,
                )
        except Stopped:
            return replace(last, state="stopped", ended="stopped")
        except StudioError as error:
            return replace(last, state="failed", error=str(error))
        finally:
            self._enter("idle")

    def fits(self, request: dict[str, Any]) -> bool:
        """Whether the model of a request is loaded, or fits beside those that are."""
        try:
            return self.models.fits(request["asked"]["model"], request["asked"]["precision"])
        except StudioError:
            return True  # it cannot be loaded, which is for its own request to say

    def _model(self, asked: AskedModel, on_load: Callable[[], None] = lambda: None) -> Loaded:
        before = self._doing

        def loading() -> None:
            self._enter("loading", asked.label)
            on_load()

        try:
            found = self.models.get(asked.model, asked.precision, loading)
            self._label = asked.label
            return found
        finally:
            self._enter(*before)

    def _enter(self, state: str, label: str = "") -> None:
        """Say what is being done, where that is something else."""
        if state == "idle":
            label = self._label if len(self.models) else ""
        if self._doing != (state, label):
            self._doing = state, label
            self.say({"state": state, "model": label})

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors that nobody foresaw become one line for a person, the log has the traceback, and the models go: memory
        may be full, and what is left of a model is unknown."""
        try:
            yield
        except StudioError:
            raise
        except Exception as error:
            # what torch, transformers and a chat template raise cannot be listed: whoever asked gets a line, the log the
            # traceback
            logger.exception("a model failed")
            self.models.clear()
            if not out_of_memory(error):
                raise ModelError(in_a_line(error)) from error
            raise ModelError(
                "out of memory; the models were unloaded. Ask for fewer tokens, or wait until what shares the machine "
                f"has ended ({first_line(error)})"
            ) from error


def _sample(request: dict[str, Any]) -> Conversation:
    return Conversation(request["turns"], request["response"], request["messages"], request["tools"])


@lru_cache(maxsize=TOKENIZERS)
def _tokenizer(name: str, written: float) -> tuple[PreTrainedTokenizerBase, int | None]:
    return models.load_tokenizer(name)
