"""Which tokens get labels when a trainer reads an export: `python -m tests.engine.trainer_labels` prints the table.

TRL is run as it is, on the embedded model. Of Axolotl the strategy that makes the labels is run as it is, with the parameters
that our lines for its configuration give it; its other dependencies are not needed for that and not installed here.
LLaMA-Factory is read by its published rules: `llama_factory_rows` is written from its documentation.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from backend.analysis.export_files import ExportOptions, export_picks
from backend.analysis.picks_export import picks_of_rows
from backend.data import load_pool
from backend.data.layouts import ExportFormat
from backend.records import Pool

MODEL = Path(__file__).parents[2] / "assets" / "demo" / "model"
MASKED = -100
LINES = (
    "{%- for turn in messages -%}{{- '<|' + turn['role'] + '|>\n' + turn['content'] + eos_token + '\n' -}}{%- endfor -%}"
    "{{- '<|assistant|>\n' if add_generation_prompt else '' -}}"
)
AS_HERE = "the responses, as in the studio"
Labels = tuple[list[int], list[int]]  # of one sample: tokens, and labels, MASKED where there is none

ROWS = [
    {"messages": [{"role": "user", "content": "Name a tree."}, {"role": "assistant", "content": "An oak."}]},
    {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Name a tree."},
            {"role": "assistant", "content": "An oak."},
            {"role": "user", "content": "And another one?"},
            {"role": "assistant", "content": "An oak. And a yew."},
        ]
    },
    {"instruction": "Say An oak.", "output": "An oak."},  # the response stands in the prompt, too
]
TABLE: list[tuple[ExportFormat, str]] = [
    ("prompt_completion", "TRL"),
    ("messages", "TRL"),
    ("messages", "Axolotl"),
    ("messages", "LLaMA-Factory"),
    ("sharegpt", "TRL"),
    ("sharegpt", "Axolotl"),
    ("sharegpt", "LLaMA-Factory"),
    ("alpaca", "LLaMA-Factory"),
]


def small_pool(folder: Path) -> Pool:
    """A few conversations: one round, several with a system turn, one whose response also stands in its prompt."""
    path = folder / "talks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return load_pool([path])


def exported(pool: Pool, folder: Path, format: ExportFormat) -> Path:
    """All of a pool as an exported folder."""
    picks = picks_of_rows(pool, np.arange(len(pool)), inputs=("talks.jsonl",), mapping={})
    return export_picks(folder / format, picks, ExportOptions(format)).out


def our_labels(pool: Pool, tokenizer: Any) -> list[Labels]:
    """What the studio trains on: the response and what the template closes it with."""
    from backend.prompts import encode

    made = encode(pool, tokenizer, system_prompt="", max_length=512).conditioned
    found = []
    for row in range(len(pool)):
        ids = made.tokens(row).tolist()
        first = int(made.first[row])
        found.append((ids, [MASKED] * first + ids[first:]))
    return found


def trl_trainer(folder: Path, out: Path) -> Any:
    """A stock SFTTrainer on an exported folder and the embedded model, for one step."""
    import datasets
    from trl import SFTConfig, SFTTrainer

    datasets.disable_progress_bars()
    data = datasets.load_dataset(str(folder), cache_dir=str(out / "cache"))
    args = SFTConfig(
        str(out / "trained"),
        max_steps=1,
        per_device_train_batch_size=len(data["train"]),
        max_length=512,
        report_to=[],
        use_cpu=True,
        bf16=False,
        save_strategy="no",
        disable_tqdm=True,
    )
    return SFTTrainer(str(MODEL), args=args, train_dataset=data["train"])


def trl_labels(trainer: Any) -> list[Labels]:
    """The tokens and labels of each sample, as they come to the model in a batch."""
    rows = [trainer.train_dataset[at] for at in range(len(trainer.train_dataset))]
    batch = trainer.data_collator(rows)
    found = []
    for ids, labels, mask in zip(batch["input_ids"], batch["labels"], batch["attention_mask"]):
        found.append((ids[mask == 1].tolist(), labels[mask == 1].tolist()))
    return found


def axolotl_labels(folder: Path, tokenizer: Any) -> list[Labels]:
    """What Axolotl's chat_template strategy makes of the file, with the parameters of `axolotl.yaml`."""
    made = _strategy(yaml.safe_load((folder / "axolotl.yaml").read_text())["datasets"][0], tokenizer)
    found = []
    for line in (folder / "train.jsonl").read_text(encoding="utf-8").rstrip("\n").split("\n"):
        row = made.tokenize_prompt(json.loads(line))
        found.append((list(row["input_ids"]), list(row["labels"])))
    return found


def _strategy(stanza: dict[str, Any], tokenizer: Any) -> Any:
    with _without_dependencies():
        from axolotl.prompt_strategies.chat_template import ChatTemplatePrompter, ChatTemplateStrategy
        from axolotl.utils.schemas.datasets import SFTDataset

    checked = SFTDataset(**stanza).model_dump(exclude_none=True)  # as its configuration is read
    prompter = ChatTemplatePrompter(
        tokenizer,
        tokenizer.chat_template,
        max_length=512,
        message_property_mappings=checked.get("message_property_mappings"),
        message_field_training=checked.get("message_field_training"),
        field_messages=checked.get("field_messages", "messages"),
        roles=checked.get("roles"),
    )
    return ChatTemplateStrategy(
        prompter,
        tokenizer,
        train_on_inputs=False,
        sequence_len=512,
        roles_to_train=checked.get("roles_to_train", ["assistant"]),
        train_on_eos=checked.get("train_on_eos", "turn"),
    )


@contextlib.contextmanager
def _without_dependencies() -> Iterator[None]:
    """Two packages that Axolotl imports for colours and for its configuration, without what they do."""
    colours, configuration = types.ModuleType("colorama"), types.ModuleType("addict")
    setattr(colours, "Fore", types.SimpleNamespace(CYAN="", GREEN="", RED="", RESET="", YELLOW=""))  # noqa: B010
    setattr(configuration, "Dict", dict)  # noqa: B010
    added = {
        module.__name__: module for module in (colours, configuration) if module.__name__ not in sys.modules
    }
    sys.modules.update(added)
    try:
        yield
    finally:
        for name in added:
            del sys.modules[name]


def llama_factory_rows(folder: Path, split: str = "train") -> list[dict[str, Any] | None]:
    """What LLaMA-Factory makes of the files of a split by their stanzas: {system, tools, prompt, response}; None where it
    leaves a row out.

    Its rules: without `columns` or `tags` there are defaults, with them what they do not name is nothing. Turns of a person or
    a tool and turns of the assistant or a call alternate, the former first, an even number in all; a system turn may stand
    before them. Texts are texts. In Alpaca the history comes before instruction and input, which a line break joins.
    """
    import pyarrow.parquet as pq

    info = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    found: list[dict[str, Any] | None] = []
    for name, stanza in info.items():
        if name.endswith("_test") != (split == "test"):
            continue
        path = folder / stanza["file_name"]
        if path.suffix == ".parquet":
            rows = pq.read_table(path).to_pylist()
        else:
            text = path.read_text(encoding="utf-8")
            rows = (
                json.loads(text)
                if path.suffix == ".json"
                else [json.loads(x) for x in text.rstrip("\n").split("\n")]
            )
        read = _read_alpaca if stanza["formatting"] == "alpaca" else _read_sharegpt
        found += [read(row, stanza) for row in rows]
    return found


def _read_alpaca(row: dict[str, Any], stanza: dict[str, Any]) -> dict[str, Any] | None:
    columns = stanza["columns"]
    prompt = [text for pair in row[columns["history"]] for text in pair] if "history" in columns else []
    asked = [row[columns[key]] for key in ("prompt", "query") if row[columns[key]]]
    texts = [*prompt, "\n".join(asked), row[columns["response"]]]
    assert all(isinstance(text, str) for text in texts)
    system = row[columns["system"]] if "system" in columns else ""
    return {"system": system, "tools": "", "prompt": texts[:-1], "response": texts[-1]}


def _read_sharegpt(row: dict[str, Any], stanza: dict[str, Any]) -> dict[str, Any] | None:
    columns, tags = stanza["columns"], stanza["tags"]
    turns = row[columns["messages"]]
    system = ""
    if turns and turns[0][tags["role_tag"]] == tags["system_tag"]:
        system, turns = turns[0][tags["content_tag"]], turns[1:]
    asking = {tags["user_tag"], tags["observation_tag"]}
    answering = {tags["assistant_tag"], tags["function_tag"]}
    for at, turn in enumerate(turns):
        if turn[tags["role_tag"]] not in (answering if at % 2 else asking):
            return None
    if len(turns) % 2:
        return None
    texts = [turn[tags["content_tag"]] for turn in turns]
    assert all(isinstance(text, str) for text in texts)
    tools = row[columns["tools"]] if "tools" in columns else ""
    if tools:
        assert isinstance(json.loads(tools), list)
    return {"system": system, "tools": tools or "", "prompt": texts[:-1], "response": texts[-1]}


def llama_factory_labels(folder: Path, tokenizer: Any) -> list[int]:
    """How many tokens of each sample LLaMA-Factory labels with the history masked: the last answer and the end of its turn."""
    rows = [row for row in llama_factory_rows(folder) if row is not None]
    return [
        len(tokenizer(row["response"] + tokenizer.eos_token, add_special_tokens=False)["input_ids"])
        for row in rows
    ]


def labelled(labels: Labels) -> list[int]:
    """The tokens that get labels."""
    return [token for token in labels[1] if token != MASKED]


def main() -> None:
    """Print the table."""
    from transformers import AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    lines = ["| export | trainer | tokens with a label | of them | checked |", "|---|---|---:|---|---|"]
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stderr(io.StringIO()):
        folder = Path(scratch)
        pool = small_pool(folder)
        ours = our_labels(pool, tokenizer)
        response = [labelled(one) for one in ours]
        total, every = sum(map(len, response)), sum(len(ids) for ids, _ in ours)
        for format, trainer in TABLE:
            made = exported(pool, folder, format)
            if trainer == "LLaMA-Factory":
                rows = llama_factory_labels(made, tokenizer)
                count, of, how = sum(rows), every, "by its published rules"
                what = AS_HERE if rows == [len(one) for one in response] else "others"
            else:
                found = (
                    trl_labels(trl_trainer(made, folder / f"trl-{format}"))
                    if trainer == "TRL"
                    else axolotl_labels(made, tokenizer)
                )
                count, of = sum(len(labelled(one)) for one in found), sum(len(ids) for ids, _ in found)
                how = "run"
                what = AS_HERE if found == ours else "all, prompts too" if count == of else "others"
                if [ids for ids, _ in found] != [ids for ids, _ in ours]:
                    what += "; the text is another one, for the speakers' names are not translated"
            lines.append(f"| {format} | {trainer} | {count} of {of} | {what} | {how} |")
        tokenizer.chat_template = LINES
        here = [labelled(one) for one in our_labels(pool, tokenizer)]
        there = [labelled(one) for one in axolotl_labels(folder / "messages", tokenizer)]
        fewer = sum(map(len, here)) - sum(map(len, there))
    print(f"The studio trains on {total} of {every} tokens: the responses and what closes their turn.\n")
    print("\n".join(lines))
    print(
        f"\nWith a template that puts a line break after the end of a turn, as ChatML does, Axolotl labels {fewer} tokens fewer in "
        f"the {len(pool)} samples."
    )


if __name__ == "__main__":
    main()
