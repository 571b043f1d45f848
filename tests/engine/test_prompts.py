"""Where the response is, under templates of every kind and responses that try to move it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tiny
from transformers import PreTrainedTokenizerFast

from backend.errors import ModelError, Stopped
from backend.prompts import (
    EMPTY_RESPONSE,
    NO_RESPONSE_TOKEN,
    ChatTemplate,
    encode,
    read_template,
    show,
    template_steps,
)
from backend.prompts.render import NotRendered
from backend.records import Conversation, Progress, Turn

SYSTEM = "You are a helpful assistant."
# what each template closes an assistant's turn with
CLOSING = {
    "chatml": "<|im_end|>\n",
    "chatml_trimmed": "<|im_end|>\n",
    "chatml_default_system": "<|im_end|>\n",
    "llama3": "<|eot_id|>",
    "gemma": "<end_of_turn>\n",
    "mistral": "</s>",
    "own_markers": "<|endoftext|>",
}
# the assistant's turn rendered alone, before the response
ALONE = {
    "chatml": "<|im_start|>assistant\n",
    "chatml_trimmed": "<|im_start|>assistant\n",
    "chatml_default_system": "<|im_start|>system\nYou are Own.<|im_end|>\n<|im_start|>assistant\n",
    "llama3": "<s><|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma": "<s><start_of_turn>model\n",
    "mistral": "<s> ",
    "own_markers": "<|assistant|>\n",
}
TRIMS = {"chatml_trimmed", "llama3", "gemma"}
RESPONSES = [
    "a list",
    "user",  # occurs in the prompt's own markers
    "assistant\n",
    "<|im_end|>\n<|im_start|>assistant\nno<|im_end|>\n",  # the template's own markers, in full
    "<end_of_turn>\n<start_of_turn>model\nno",
    "[/INST] no</s>",
    "<|endoftext|>",
    "  leading and trailing spaces \n",
    "\n\nlines\n",
    "ResponseSentinel",
    "naïve café 😀 日本語",
    "{{ 7 * 7 }} {% raw %}",
]


def user(content: str) -> Turn:
    return Turn(role="user", content=content)


def assistant(content: str) -> Turn:
    return Turn(role="assistant", content=content)


@pytest.fixture(params=sorted(tiny.TEMPLATES))
def template(request: pytest.FixtureRequest) -> tuple[str, ChatTemplate]:
    return request.param, read_template(tiny.tokenizer(tiny.TEMPLATES[request.param]))


@pytest.mark.parametrize("response", RESPONSES)
def test_span_is_response_and_closing(template: tuple[str, ChatTemplate], response: str) -> None:
    name, chat = template
    written = response.strip() if name in TRIMS else response
    # the response stands in the prompt as well
    for turns in ([user(f"say {response} now")], [user(response), assistant(response), user("again")]):
        whole = chat.conversation(Conversation(turns, response), system_prompt=SYSTEM)
        assert whole.text[whole.start :] == written + CLOSING[name]
        assert SYSTEM in whole.text[: whole.start]
        assert whole.header == ALONE[name]


def test_tokens_of_the_span_spell_it(template: tuple[str, ChatTemplate]) -> None:
    name, chat = template
    pool = tiny.pool([(f"say {response}", response) for response in RESPONSES])
    encoded = encode(pool, chat.tokenizer, system_prompt=SYSTEM, max_length=10_000)
    assert set(encoded.reason) == {""}
    for row, response in enumerate(RESPONSES):
        end = (response.strip() if name in TRIMS else response) + CLOSING[name]
        scored = [of.tokens(row)[of.first[row] :].tolist() for of in (encoded.conditioned, encoded.alone)]
        assert scored[0] == scored[1]
        for sequences in (encoded.conditioned, encoded.alone):
            ids, first = sequences.tokens(row), sequences.first[row]
            assert len(ids) - first == encoded.response_tokens[row]
            # the first token may begin before the response (a line break merged with the header's), never behind
            spelled = chat.tokenizer.decode(ids[first:])
            assert spelled.endswith(end)
            assert not chat.tokenizer.decode(ids[first + 1 :]).endswith(end)


def test_system_prompt_only_where_the_conversation_brings_none(tokenizer: PreTrainedTokenizerFast) -> None:
    chat = read_template(tokenizer)
    own = [Turn(role="system", content="Be brief."), user("hi")]
    assert SYSTEM not in chat.conversation(Conversation(own, "yes"), system_prompt=SYSTEM).text
    assert chat.conversation(Conversation([user("hi")], "yes"), system_prompt=SYSTEM).text == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\nyes<|im_end|>\n"
    )
    assert "system" not in chat.conversation(Conversation([user("hi")], "yes"), system_prompt="").text


@pytest.mark.parametrize("name", ["gemma", "mistral", "own_markers"])
def test_without_system_role_its_text_is_on_top_of_the_first_user_turn(name: str) -> None:
    chat = read_template(tiny.tokenizer(tiny.TEMPLATES[name]))
    assert not chat.shows_system
    text = chat.conversation(
        Conversation([user("hi"), assistant("a"), user("b")], "c"), system_prompt=SYSTEM
    ).text
    assert f"{SYSTEM}\n\nhi" in text and text.count(SYSTEM) == 1


@pytest.mark.parametrize("name", ["gemma", "mistral", "own_markers"])
def test_tool_turns_become_user_turns_where_the_template_knows_none(name: str) -> None:
    chat = read_template(tiny.tokenizer(tiny.TEMPLATES[name]))
    assert not chat.shows_tools
    turns = [user("sum"), assistant("call"), Turn(role="tool", content="42"), user("so?")]
    whole = chat.conversation(Conversation(turns, "it is 42"), system_prompt="")
    assert whole.text[whole.start :] == "it is 42" + CLOSING[name]
    assert "42" in whole.text[: whole.start] and "so?" in whole.text[: whole.start]


def test_a_system_turn_in_the_middle_moves_where_the_template_refuses_it() -> None:
    strict = (
        "{% for m in messages %}{% if m['role'] == 'system' and not loop.first %}"
        "{{ raise_exception('System message must be at the beginning.') }}{% endif %}{% endfor %}"
    )
    chat = read_template(tiny.tokenizer(strict + tiny.CHATML))
    turns = [user("hi"), assistant("a"), Turn(role="system", content="Be brief."), user("b")]
    text = chat.conversation(Conversation(turns, "c"), system_prompt="").text
    assert text.startswith("<|im_start|>user\nBe brief.\n\nhi<|im_end|>") and "system" not in text


def test_a_conversation_that_a_template_refuses_is_kept_with_its_reason() -> None:
    tokenizer = tiny.tokenizer(tiny.GEMMA)
    pool = tiny.pool([([user("hi"), assistant("first")], "second"), ("hi", "fine")])
    encoded = encode(pool, tokenizer, system_prompt="", max_length=100)
    assert encoded.reason[0].startswith("chat template: Conversation roles must alternate")
    assert encoded.reason[1] == ""
    assert encoded.response_tokens[0] == 0
    with pytest.raises(
        ModelError, match="no sample of tiny can be rendered; chat template: Conversation roles"
    ):
        encode(tiny.pool([([user("hi"), assistant("a")], "b")]), tokenizer, system_prompt="", max_length=100)


def test_a_template_that_rewrites_this_response_differently() -> None:
    """As templates of reasoning models do: what follows a thought is written, the thought is set apart."""
    chat = read_template(
        tiny.tokenizer(
            "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% set c = m['content'] %}"
            "{% if m['role'] == 'assistant' %}{% set thought = '' %}{% if '</think>' in c %}"
            "{% set thought = c.split('</think>')[0].strip() %}{% set c = c.split('</think>')[1] %}{% endif %}"
            "{{ '<think>\\n' + thought + '\\n</think>\\n\\n' }}{% endif %}{{ c + '<|im_end|>\\n' }}{% endfor %}"
        )
    )
    plain = chat.conversation(Conversation([user("q")], "answer"), system_prompt="")
    assert plain.text[plain.start :] == "answer<|im_end|>\n"
    thinking = chat.conversation(Conversation([user("q")], "so it is</think>answer"), system_prompt="")
    assert thinking.text[thinking.start :] == "so it is\n</think>\n\nanswer<|im_end|>\n"


def test_empty_responses_and_truncation(tokenizer: PreTrainedTokenizerFast) -> None:
    pool = tiny.pool(
        [("hi", ""), ("hi", " \n\t "), ("the cat " * 40, "dog"), ("hi", "the cat " * 40), ("hi", "dog")]
    )
    encoded = encode(pool, tokenizer, system_prompt="", max_length=30)
    assert list(encoded.reason) == [EMPTY_RESPONSE, EMPTY_RESPONSE, NO_RESPONSE_TOKEN, "", ""]
    assert list(encoded.response_tokens[:3]) == [0, 0, 0]
    # the end is cut, and so it is without the prompt
    assert len(encoded.conditioned.tokens(3)) == 30
    left = encoded.response_tokens[3]
    assert left == 30 - encoded.conditioned.first[3]
    lone = encoded.alone
    assert len(lone.tokens(3)) == lone.first[3] + left
    tail = slice(int(lone.first[3]), None)
    assert np.array_equal(lone.tokens(3)[tail], encoded.conditioned.tokens(3)[encoded.conditioned.first[3] :])
    # the whole of a short one, its closing included
    assert tokenizer.decode(encoded.conditioned.tokens(4)).endswith("dog<|im_end|>\n")


def test_only_the_rows_asked_for(tokenizer: PreTrainedTokenizerFast) -> None:
    pool = tiny.random_pool(7)
    everything = encode(pool, tokenizer, system_prompt="", max_length=100)
    some = encode(pool, tokenizer, system_prompt="", max_length=100, rows=np.array([5, 2]))
    assert list(some.response_tokens >= 0) == [row in (2, 5) for row in range(7)]
    assert some.reason[0] == "not scored" and some.reason[2] == ""
    for row in (2, 5):
        assert np.array_equal(some.conditioned.tokens(row), everything.conditioned.tokens(row))
        assert np.array_equal(some.alone.tokens(row), everything.alone.tokens(row))
    assert encode(tiny.pool([]), tokenizer, system_prompt="", max_length=100).conditioned.ids.shape == (0,)


def test_progress_and_stop(tokenizer: PreTrainedTokenizerFast) -> None:
    seen: list[Progress] = []
    encode(tiny.random_pool(600), tokenizer, system_prompt="", max_length=100, on_progress=seen.append)
    assert [(p.stage, p.done, p.total) for p in seen] == [("load", 512, 600), ("load", 600, 600)]

    def stop(_: Progress) -> None:
        raise Stopped("asked to")

    with pytest.raises(Stopped):
        encode(tiny.random_pool(600), tokenizer, system_prompt="", max_length=100, on_progress=stop)


def test_what_a_screen_shows(tokenizer: PreTrainedTokenizerFast) -> None:
    shown = show(Conversation([user("hi")], "the cat"), tokenizer, system_prompt="", max_length=100)
    assert shown.text[shown.start :] == "the cat<|im_end|>\n" and shown.cut == len(shown.text)
    assert shown.alone_text[shown.alone_start :] == "the cat<|im_end|>\n"
    assert shown.response_tokens == 4 and shown.reason == ""
    cut = show(
        Conversation([user("hi")], "the cat"), tokenizer, system_prompt="", max_length=shown.tokens - 3
    )
    assert cut.text[cut.start : cut.cut] == "the" and cut.response_tokens == 1
    empty = show(Conversation([user("hi")], " "), tokenizer, system_prompt="", max_length=100)
    assert empty.reason == EMPTY_RESPONSE and empty.text[empty.start :] == " <|im_end|>\n"
    refused = show(
        Conversation([assistant("x")], "y"), tiny.tokenizer(tiny.GEMMA), system_prompt="", max_length=100
    )
    assert refused.reason.startswith("chat template: ") and refused.text == ""


def test_tokenizers_that_will_not_do() -> None:
    with pytest.raises(ModelError, match=r"has no chat template; take the model's instruction-tuned variant"):
        read_template(tiny.tokenizer(None))
    with pytest.raises(ModelError, match="the assistant's content is not in what it writes"):
        read_template(tiny.tokenizer("{{ messages[0]['content'] }}"))

    class Slow(PreTrainedTokenizerFast):
        is_fast = False

    slow = Slow(tokenizer_object=tiny.tokenizer().backend_tokenizer, chat_template=tiny.CHATML)
    with pytest.raises(ModelError, match="gives no token offsets"):
        encode(tiny.random_pool(2), slow, system_prompt="", max_length=100)


def test_real_conversations_with_tools(shared: Path) -> None:
    """Function calls and observations between the turns, under every template."""
    roles = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "tool"}
    samples = []
    for item in json.loads((shared / "data" / "sharegpt_tools.json").read_text())[:60]:
        turns = [Turn(role=roles[turn["from"]], content=turn["value"]) for turn in item["conversations"]]
        last = max(at for at, turn in enumerate(turns) if turn["role"] == "assistant")
        samples.append((turns[:last], turns[last]["content"]))
    for name, template in tiny.TEMPLATES.items():
        tokenizer = tiny.tokenizer(template)
        pool = tiny.pool(samples)
        encoded = encode(pool, tokenizer, system_prompt=SYSTEM, max_length=100_000)
        assert set(encoded.reason) == {""}, name
        for row, (_, response) in enumerate(samples):
            ids, first = encoded.conditioned.tokens(row), encoded.conditioned.first[row]
            written = response.strip() if name in TRIMS else response
            assert tokenizer.decode(ids[first:]).endswith(written + CLOSING[name])


LONG = "makes a text or list of more than 10,000,000 items"


@pytest.mark.parametrize(
    ("endless", "why"),
    [
        ("{% for i in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}", "more than 1,000,000 steps"),
        ("{% for i in range(10 ** 9) %}{% endfor %}", "Range too big"),
        ("{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", "calls itself without end"),
        ("{% macro two(n) %}{% if n %}{{ two(n - 1) }}{{ two(n - 1) }}{% endif %}{% endmacro %}{{ two(40) }}", "more than 1,000,000 steps"),
        ("{% macro two(n) %}{{ caller() }}{% if n %}{% call two(n - 1) %}{% endcall %}{% call two(n - 1) %}{% endcall %}{% endif %}{% endmacro %}{% call two(40) %}{% endcall %}", "more than 1,000,000 steps"),
        ("{{ 'x' * 10 ** 9 }}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t ~ n.t %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}", LONG),
        ("{% set n = namespace(t=[1]) %}{% for i in range(99) %}{% set n.t = n.t + n.t %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t %}{{ n.t }}{{ n.t }}{% endset %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t.replace('x', 'x' * 1000) %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t | replace('x', 'x' * 1000) %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = n.t.join('x' * 1000) %}{% endfor %}", LONG),
        ("{% set n = namespace(t='x') %}{% for i in range(99) %}{% set n.t = ('x' * 1000) | join(n.t) %}{% endfor %}", LONG),
        ("{{ 'x'.center(10 ** 11) }}", LONG),
        ("{{ 'x' | center(10 ** 11) }}", LONG),
        ("{{ 'x' | indent(10 ** 11, true) }}", LONG),
        ("{{ '%99999999999d' % 1 }}", LONG),
        ("{{ '%*d' % (10 ** 11, 1) }}", LONG),
        ("{{ '%99999999999d' | format(1) }}", LONG),
        ("{{ '{:>99999999999}'.format('x') }}", LONG),
        ("{{ [1] | batch(10 ** 11, 1) | list }}", LONG),
        ("{{ lipsum(10 ** 11) }}", LONG),
        ("{% set x = 'x' * 10 ** 6 %}{% for i in range(99999) %}{{ x }}{% endfor %}", "writes more than 100,000,000 letters"),
        ("{% for i in range(99999) %}" + "x" * 10**4 + "{% endfor %}", "writes more than 100,000,000 letters"),
        ("{{ 10 ** 99999999 }}", "a number of more than 4,096 bits"),
        ("{{ 1 // 0 }}", "by zero"),
    ],
)  # fmt: skip
def test_a_template_without_end_is_a_sentence(endless: str, why: str) -> None:
    with pytest.raises(ModelError, match=f"cannot render a user's and an assistant's turn: .*{why}"):
        read_template(tiny.tokenizer(endless + tiny.CHATML))


def test_steps_are_counted_for_each_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_steps, "STEPS", 30)
    chat = read_template(tiny.tokenizer("{% for i in range(20) %}{% endfor %}" + tiny.CHATML))
    for _ in range(3):
        assert chat.render([{"role": "user", "content": "a"}]).endswith("<|im_start|>user\na<|im_end|>\n")
    with pytest.raises(NotRendered, match="more than 30 steps"):
        chat.render([{"role": "user", "content": "a"}] * 11)
