"""What the chat templates that the wheels of trl and axolotl carry make of a sample: `python -m benchmarks.published`.

Prints the table of docs/models.md. The templates are read as files; neither package is imported.
"""

from __future__ import annotations

from importlib import metadata

from transformers import PreTrainedTokenizerBase

from backend.errors import ModelError
from backend.findings.lengths import REASONING_DROPPED
from backend.prompts import encode, read_template
from backend.prompts.render import NotRendered
from backend.prompts.structure import Arguments
from backend.prompts.template import ChatTemplate
from backend.records import Conversation, Pool
from benchmarks.common import NotRun

WHEELS = ("trl", "axolotl")
CALLS: dict[Arguments, str] = {
    "": "as text",
    "object": "own, arguments as object",
    "text": "own, arguments as text",
}
THOUGHT, ANSWER = "ThoughtProbe: twice two", "AnswerProbe four"


def published() -> dict[str, str]:
    """The templates by "wheel/name"; raises NotRun where no wheel is installed."""
    found: dict[str, str] = {}
    for wheel in WHEELS:
        try:
            files = metadata.distribution(wheel).files or []
        except metadata.PackageNotFoundError:
            continue
        for file in files:
            if file.suffix == ".jinja" and "chat_templates" in file.parts:
                found[f"{wheel}/{file.stem}"] = str(file.locate().read_text(encoding="utf-8"))
    if not found:
        raise NotRun("no templates here: python -m pip install --no-deps -r requirements-templates.txt")
    return dict(sorted(found.items()))


def row(name: str, tokenizer: PreTrainedTokenizerBase, pool: Pool) -> list[str]:
    """What a template does: spans equal, system, tools, reasoning. pool : plain samples."""
    try:
        template = read_template(tokenizer)
    except ModelError as error:
        return [name, f"not usable: {str(error).rpartition(': ')[2]}", "", "", ""]
    encoded = encode(pool, tokenizer, system_prompt="Be kind.", max_length=10_000)
    same = all(
        encoded.conditioned.tokens(at)[encoded.conditioned.first[at] :].tolist()
        == encoded.alone.tokens(at)[encoded.alone.first[at] :].tolist()
        for at in range(len(pool))
    )
    read = sum(not reason for reason in encoded.reason)
    spans = ("equal" if same else "DIFFERENT") + (
        "" if read == len(pool) else f", {read} of {len(pool)} rendered"
    )
    system = "system turn" if template.shows_system else "in the first user turn"
    tools = f"{'own' if template.can.tools else 'as text'} / {CALLS[template.can.calls]}"
    return [name, spans, system, tools, reasoning_of(template)]


def reasoning_of(template: ChatTemplate) -> str:
    """What becomes of the reasoning of a response."""
    messages = [
        {"role": "user", "content": "Two times two?"},
        {"role": "assistant", "content": ANSWER, "reasoning_content": THOUGHT},
    ]
    text = f"<think>\n{THOUGHT}\n</think>\n\n{ANSWER}"
    sample = Conversation([{"role": "user", "content": "Two times two?"}], text, messages)
    try:
        written = template.conversation(sample, system_prompt="")
    except NotRendered as error:
        return f"refused: {error}"
    if written.changes & REASONING_DROPPED:
        return "dropped"
    return "its own place" if template.can.reasoning else "`<think>` in the text"


def table(tokenizer: PreTrainedTokenizerBase, pool: Pool) -> str:
    """The table in Markdown."""
    lines = ["| template | spans | system | tools / calls | reasoning |", "|---|---|---|---|---|"]
    for name, text in published().items():
        tokenizer.chat_template = text
        lines.append(
            "| "
            + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row(name, tokenizer, pool))
            + " |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table, with the demo's tokenizer and some of its samples."""
    import numpy as np
    from transformers import AutoTokenizer

    from backend.data import load_pool
    from backend.data.demo import DEMO

    pool = load_pool(["demo"])
    few = Pool(pool.id, pool.name, pool.table.take(np.arange(0, len(pool), len(pool) // 20)))
    print(table(AutoTokenizer.from_pretrained(DEMO / "model"), few))


if __name__ == "__main__":
    main()
