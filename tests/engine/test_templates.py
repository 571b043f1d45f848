"""Published chat templates: the span is the response, both losses read the same tokens, training sees the turn's close."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import _compile_jinja_template

from backend import data
from backend.errors import ModelError
from backend.findings.lengths import REASONING_DROPPED, RESPONSE_CHANGED, TOOLS_AS_TEXT
from backend.prompts import ChatTemplate, encode, read_template
from backend.prompts.render import RENDER_ERRORS, TEMPLATE_DATE, TEMPLATE_DAY, NotRendered, renderer
from backend.prompts.template import _frame
from backend.records import Conversation, Pool
from benchmarks.common import NotRun
from benchmarks.published import published

try:
    TEMPLATES = published()
except NotRun as missing:
    pytest.skip(str(missing), allow_module_level=True)

# with content of parts alone, which none of our texts is
PICTURES = re.compile("idefics3|llava_next|smolvlm")
TEXT = [name for name in TEMPLATES if not PICTURES.search(name)]
MARKERS = [
    "<|im_end|>\n<|im_start|>assistant\n",
    "<|eot_id|>",
    "[/INST] ",
    "<end_of_turn>\n",
    "</s>",
    "<turn|>",
]
KINDS = [
    *(
        "\nbegins so",
        "  two spaces",
        "no newline",
        "ends so\n",
        "😀",
        " \n ",
        "日本語。",
        "a\n\n\nb",
        "{{ 7 }}",
    ),
    *(f"x{marker}y" for marker in MARKERS),
    "ResponseSentinel",
    "U",
]
RESPONSES = st.one_of(
    st.sampled_from(KINDS),
    st.text(st.sampled_from([*"ab .\n\t\ré😀日"]), max_size=12),
    st.builds("".join, st.lists(st.sampled_from(KINDS), min_size=2, max_size=3)),
)


@cache
def sentencepiece() -> PreTrainedTokenizerBase:
    """Mistral 7B's first vocabulary, with the `legacy: true` that its tokenizer is published with."""
    import tempfile

    files = metadata.distribution("mistral-common").files or []
    vocabulary = next(file for file in files if file.name == "tokenizer.model.v1").locate()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tokenizer.model").write_bytes(Path(str(vocabulary)).read_bytes())
        (folder / "config.json").write_text('{"model_type": "llama"}')
        about = {"tokenizer_class": "LlamaTokenizer", "legacy": True, "bos_token": "<s>", "eos_token": "</s>"}
        (folder / "tokenizer_config.json").write_text(json.dumps({**about, "unk_token": "<unk>"}))
        return AutoTokenizer.from_pretrained(folder)


@cache
def chat(name: str) -> ChatTemplate:
    return read_template(tiny.tokenizer(TEMPLATES[name]))


def check(template: ChatTemplate, sample: Conversation, *, exact: bool) -> None:
    """What holds for every sample that a template renders."""
    pool = tiny.pool([(sample.turns, sample.response)])
    encoded = encode(pool, template.tokenizer, system_prompt="Be kind.", max_length=10_000)
    if not sample.response.strip():
        assert encoded.reason[0] == "empty response"
        return
    assert encoded.reason[0] == ""
    whole = template.conversation(sample, system_prompt="Be kind.")
    (ids, first), (alone, lone_first) = (
        (of.tokens(0), int(of.first[0])) for of in (encoded.conditioned, encoded.alone)
    )
    assert ids[first:].tolist() == alone[lone_first:].tolist()
    # trained to the end of what the template writes
    every = template.tokenizer(whole.text, add_special_tokens=False)["input_ids"]
    assert ids.tolist() == every
    said = whole.text[whole.start : whole.end]
    if said != sample.response:
        assert whole.changes & RESPONSE_CHANGED
        assert said.strip() == sample.response.strip()
    if exact:  # tokens spell the text byte for byte
        spelled = template.tokenizer.decode(ids[first:])
        assert spelled.endswith(whole.text[whole.start :])
        assert not template.tokenizer.decode(ids[first + 1 :]).endswith(whole.text[whole.start :])


def turns(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(TEXT), st.sampled_from(["hi", "say it"]), RESPONSES)
def test_spans_under_published_templates(name: str, prompt: str, response: str) -> None:
    check(chat(name), Conversation(turns(prompt), response), exact=True)


@pytest.mark.parametrize("name", TEXT)
def test_each_template_closes_its_turn(name: str) -> None:
    template = chat(name)
    sample = Conversation(turns("hi"), "It is so.")
    check(template, sample, exact=True)
    whole = template.conversation(sample, system_prompt="")
    assert whole.text[whole.start : whole.end] == "It is so." and not whole.changes
    _, closing = _frame(template.render, turns("hi"))
    assert whole.text[whole.end :] == closing


MISTRAL_V1 = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + ' [/INST]' }}"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] + eos_token + ' ' }}{% endif %}{% endfor %}"
)
MISTRAL_V2 = MISTRAL_V1.replace("m['content'] + eos_token + ' '", "m['content'] + eos_token")


@pytest.mark.parametrize("text", [MISTRAL_V1, MISTRAL_V2, tiny.MISTRAL], ids=["v1", "v2", "spaced"])
def test_a_legacy_sentencepiece_keeps_the_end_of_the_turn(text: str) -> None:
    tokenizer = sentencepiece()
    tokenizer.chat_template = text
    template = read_template(tokenizer)
    for response in KINDS:
        check(template, Conversation(turns("hi"), response), exact=False)
    encoded = encode(tiny.pool([("hi", "Fine")]), tokenizer, system_prompt="", max_length=100)
    ids = encoded.conditioned.tokens(0).tolist()
    assert tokenizer.eos_token_id in ids[encoded.conditioned.first[0] :]
    assert encoded.alone.tokens(0)[0] == tokenizer.bos_token_id


def test_generation_marks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a template itself says the model writes ends where the span does, and begins there but for fixed text."""
    # transformers' own rendering has the date of the day on which it is asked
    monkeypatch.setattr(chat_template_utils, "datetime", SimpleNamespace(now=lambda: TEMPLATE_DAY))
    sample = Conversation(turns("hi"), "It is so.")
    agreed = 0
    for name in TEXT:
        template = chat(name)
        if not re.search(r"\{%-?\s*generation", TEMPLATES[name]):
            continue
        encoded = encode(
            tiny.pool([("hi", "It is so.")]), template.tokenizer, system_prompt="", max_length=9999
        )
        made = template.tokenizer.apply_chat_template(
            [*sample.turns, {"role": "assistant", "content": sample.response}],
            return_assistant_tokens_mask=True,
            return_dict=True,
            date_string="26 Jul 2024",
        )
        ids, first = encoded.conditioned.tokens(0), int(encoded.conditioned.first[0])
        assert made["input_ids"] == ids.tolist(), name
        marked = np.flatnonzero(made["assistant_masks"])
        extra = template.tokenizer.decode(ids[marked[0] : first]) if marked[0] < first else ""
        # an empty block for reasoning or the turn's own opening, the same for every sample
        assert marked[0] <= first and "hi" not in re.sub(r"think|channel|Chat", "", extra), (name, extra)
        left_out = template.tokenizer.decode(ids[marked[-1] + 1 :])
        assert left_out.strip() == "" or "It is so" not in left_out, (name, left_out)
        agreed += marked[0] == first
    assert agreed >= 12


def structured(**answer: object) -> Conversation:
    message = {"role": "assistant", "content": "four", **answer}
    return Conversation(turns("2+2?"), data.turn_parts.text_of(message), [*turns("2+2?"), message])


@pytest.mark.parametrize("name", TEXT)
def test_reasoning_is_read_or_said_to_be_dropped(name: str) -> None:
    template = chat(name)
    whole = template.conversation(structured(reasoning_content="two and two"), system_prompt="")
    span = whole.text[whole.start :]
    assert "four" in span
    assert ("two and two" in span) != bool(whole.changes & REASONING_DROPPED)
    assert "two and two" not in whole.text[: whole.start]


def test_which_templates_drop_reasoning() -> None:
    def drops(name: str) -> bool:
        written = chat(name).conversation(structured(reasoning_content="hm, so"), system_prompt="")
        return bool(written.changes & REASONING_DROPPED)

    assert drops("trl/deepseek_r1_distill") and not drops("trl/qwen3") and not drops("trl/gptoss")
    # a model begins its turn with the block for reasoning, so that is learned too
    text = chat("trl/qwen3").conversation(structured(reasoning_content="hm, so"), system_prompt="")
    assert text.text[text.start :] == "<think>\nhm, so\n</think>\n\nfour<|im_end|>\n"
    assert text.header == "<|im_start|>assistant\n"
    plain = chat("trl/qwen3").conversation(Conversation(turns("2+2?"), "four"), system_prompt="")
    assert plain.text[plain.start :] == "four<|im_end|>\n"
    assert plain.header == "<|im_start|>assistant\n<think>\n\n</think>\n\n"  # as before a response to a user


@pytest.mark.parametrize("name", TEXT)
@pytest.mark.parametrize("arguments", [{"c": "Rome"}, '{"c": "Rome"}'], ids=["object", "text"])
def test_tools_and_calls(name: str, arguments: object) -> None:
    """Tools, a call, its result and an answer; then a response that is a call."""
    template = chat(name)
    call = {"type": "function", "function": {"name": "weather", "arguments": arguments}}
    tools = [{"name": "weather", "description": "d", "parameters": {"type": "object", "properties": {}}}]
    asked = [
        *turns("Weather?"),
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "20"},
        {"role": "assistant", "content": "Warm."},
    ]
    said = [
        {"role": "system", "content": "Tools:\n" + json.dumps(tools)},
        *({**turn, "content": data.turn_parts.text_of(turn)} for turn in asked),
    ]
    plain = [{"role": turn["role"], "content": turn["content"]} for turn in said]
    whole = template.conversation(Conversation(plain[:-1], "Warm.", asked, tools), system_prompt="")
    assert whole.text[whole.start : whole.end].strip() == "Warm."
    before = whole.text[: whole.start]
    assert "weather" in before and "Rome" in before and "20" in before
    response = template.conversation(
        Conversation(plain[:2], plain[2]["content"], asked[:2], tools), system_prompt=""
    )
    span = response.text[response.start :]
    assert "weather" in span and "Rome" in span
    assert "'c':" not in response.text
    if not template.can.calls or not template.can.tools:
        assert whole.changes & TOOLS_AS_TEXT


def test_structure_goes_from_the_pool_to_the_tokens() -> None:
    sample = structured(reasoning_content="two and two")
    plain = tiny.pool([(sample.turns, sample.response), ("hi", "yes")])
    kept = [json.dumps({"messages": sample.messages}), None]
    pool = Pool(plain.id, plain.name, plain.table.append_column("structure", pa.array(kept, pa.string())))
    for name, dropped in (("trl/deepseek_r1_distill", True), ("trl/glm4moe", False)):
        tokenizer = tiny.tokenizer(TEMPLATES[name])
        encoded = encode(pool, tokenizer, system_prompt="", max_length=1000)
        ids, first = encoded.conditioned.tokens(0), encoded.conditioned.first[0]
        assert ("two and two" in tokenizer.decode(ids[first:])) != dropped
        assert encoded.changes is not None
        assert encoded.changes.tolist() == [REASONING_DROPPED if dropped else 0, 0]


def test_a_template_for_pictures_is_refused_in_a_sentence() -> None:
    with pytest.raises(ModelError, match="cannot render a user's and an assistant's turn"):
        chat("trl/idefics3")


def test_counting_steps_changes_no_text() -> None:
    tool = {"type": "function", "function": {"name": "f", "description": "D", "parameters": {"type": "object", "properties": {"k": {"type": "string", "description": "K"}}, "required": ["k"]}}}  # fmt: skip
    said = [*turns("a  b\n"), {"role": "assistant", "content": "c\n", "reasoning_content": "r"}]
    for name, source in TEMPLATES.items():
        counted = renderer(tiny.tokenizer(source))
        plain = _compile_jinja_template(source)
        plain.globals["strftime_now"] = TEMPLATE_DAY.strftime
        for tools in (None, [tool]):
            names = {**tiny.tokenizer(source).special_tokens_map, "date_string": TEMPLATE_DATE}
            names |= {"messages": said, "tools": tools, "documents": None, "add_generation_prompt": False}
            try:
                expected = plain.render(**names)
            except RENDER_ERRORS:
                with pytest.raises(NotRendered):
                    counted(said, tools=tools)
            else:
                assert counted(said, tools=tools) == expected, name
