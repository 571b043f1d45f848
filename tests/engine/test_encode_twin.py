"""The fast encoding against transformers' public methods: every id, first token and reason, on rows of all kinds."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from backend.prompts import encode
from backend.prompts.render import NotRendered, applied, renderer
from backend.records import Pool, Turn
from benchmarks.encode import identical
from benchmarks.plain_encode import plain_encode

# sets a thought apart and writes something before it, as templates of reasoning models do
THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% set c = m['content'] %}"
    "{% if m['role'] == 'assistant' %}{% set thought = '' %}{% if '</think>' in c %}"
    "{% set thought = c.split('</think>')[0].strip() %}{% set c = c.split('</think>')[1] %}{% endif %}"
    "{{ '<think>\\n' + thought + '\\n</think>\\n\\n' }}{% endif %}{{ c + '<|im_end|>\\n' }}{% endfor %}"
)
# counts, numbers and quotes the turns, and closes a long response otherwise than a short one
CONTRARY = (
    "{{ messages | length }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + loop.index | string + '\\n' }}"
    "{{ m['content'] }}{% if loop.last and m['content'] | length > 12 %}{{ ' (long)' }}{% endif %}"
    "{{ '<|im_end|>' }}{% endfor %}{{ 'last: ' + messages[-1]['content'] if messages | length > 2 else '' }}"
)
DATED = (
    "{{ date_string }}{{ strftime_now('%A %d %B') }}{{ bos_token }}{{ pad_token if tools is none }}"
    + tiny.CHATML
)
TEMPLATES = {**tiny.TEMPLATES, "thinking": THINKING, "contrary": CONTRARY, "dated": DATED}

PIECES = [
    *(
        "the cat",
        "a list of three",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "",
        ".",
        "naïve café",
        "😀",
        "日本語",
        "e\u0301",
    ),
    *(
        "<|im_start|>",
        "<|im_end|>",
        "<|im_start|>assistant\n",
        "<|im_end|>\n",
        "<s>",
        "</s>",
        " [/INST]",
        "[INST] ",
    ),
    *(
        "<|start_header_id|>assistant<|end_header_id|>\n\n",
        "<|eot_id|>",
        "<start_of_turn>model\n",
        "<end_of_turn>\n",
    ),
    *(
        "<|assistant|>\n",
        "<|endoftext|>",
        "<|end|>",
        "assistant",
        "assistant\n",
        "</think>",
        "<think>",
        "user\n",
    ),
    *(
        "ResponseSentinel",
        "ResponseSentinelX",
        "{{ 7 * 7 }}",
        "{% raw %}",
        "\u200b",
        "\r\n",
        "A",
        "U",
        "\x00",
    ),
]


def messy_pool(seed: int, rows: int = 60) -> Pool:
    """Conversations put together from pieces that templates and tokenizers stumble over."""
    draw = np.random.default_rng(seed)

    def text(most: int) -> str:
        return "".join(draw.choice(np.array(PIECES, dtype=object), size=draw.integers(0, most)))

    samples: list[tuple[str | list[Turn], str]] = [("hi", "the cat")]  # one at least that any template takes
    for _ in range(rows):
        roles = draw.choice(
            ["user", "assistant", "tool", "system"], size=draw.integers(0, 5), p=[0.5, 0.2, 0.1, 0.2]
        )
        turns = [Turn(role=str(role), content=text(5)) for role in roles]
        if draw.random() < 0.5:
            turns = [Turn(role="user", content=text(8))]
        samples.append((turns, text(6)))
    return tiny.pool(samples)


def llama_like(template: str, *, longer: bool = False, strips: bool = False) -> PreTrainedTokenizerFast:
    """Spaces as a letter of their own, one put before every piece of text, and special tokens of an awkward kind."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=True)
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<unk>", *tiny.SPECIAL], show_progress=False
    )
    backend.train_from_iterator(
        [" ".join(tiny.WORDS), "\n".join(tiny.WORDS), "assistant model user"], trainer
    )
    if longer:  # swallows the token that begins an assistant's turn, where the response begins so
        backend.add_tokens([AddedToken("<|im_start|>assistant\nthe", normalized=False)])
    if strips:
        backend.add_special_tokens([AddedToken("<|im_start|>", lstrip=True, rstrip=True, normalized=False)])
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", pad_token="<|pad|>", unk_token="<unk>"
    )
    made.chat_template = template
    return made


def tokenizer_of(kind: str, template: str) -> PreTrainedTokenizerFast:
    if kind == "bytes":
        return tiny.tokenizer(template)
    return llama_like(template, longer=kind == "longer", strips=kind == "strips")


@pytest.mark.parametrize("kind", ["bytes", "llama", "longer", "strips"])
@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_same_as_by_the_public_methods(name: str, kind: str) -> None:
    tokenizer = tokenizer_of(kind, TEMPLATES[name])
    for seed, (system_prompt, max_length) in enumerate(
        [("", 10_000), ("You are a helpful assistant.", 160), ("<s>", 90)]
    ):
        pool = messy_pool(seed)
        settings = {"system_prompt": system_prompt, "max_length": max_length}
        plain = plain_encode(pool, tokenizer, **settings)
        assert identical(encode(pool, tokenizer, **settings), plain)
        assert sum(not sample[5] for sample in plain) > 5


def test_more_than_one_chunk() -> None:
    tokenizer = tiny.tokenizer()
    pool = messy_pool(7, rows=1200)
    settings = {"system_prompt": "Be brief.", "max_length": 60}
    assert identical(encode(pool, tokenizer, **settings), plain_encode(pool, tokenizer, **settings))


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_a_template_writes_what_transformers_has_it_write(name: str) -> None:
    tokenizer = tiny.tokenizer(TEMPLATES[name])
    render = renderer(tokenizer)
    pool = messy_pool(3)
    for row in range(len(pool)):
        turns = [*pool.turns(row), Turn(role="assistant", content=pool.response(row))]
        try:
            written = applied(tokenizer, turns)
        except NotRendered as refusal:
            with pytest.raises(NotRendered) as error:
                render(turns)
            assert str(error.value) == str(refusal)
        else:
            assert render(turns) == written


def test_the_day_is_always_the_same() -> None:
    text = renderer(tiny.tokenizer(DATED))([Turn(role="user", content="hi")])
    assert text.startswith("26 Jul 2024Friday 26 July<s>")
    assert applied(tiny.tokenizer(DATED), [Turn(role="user", content="hi")]) == text


def test_a_tokenizers_own_way_of_rendering_is_kept() -> None:
    class Own(PreTrainedTokenizerFast):
        def apply_chat_template(self, conversation, **_):  # type: ignore[no-untyped-def]
            return "".join(f"[{turn['role']}]{turn['content']};" for turn in conversation)

    own = Own(tokenizer_object=tiny.tokenizer().backend_tokenizer, chat_template=tiny.CHATML)
    assert renderer(own)([Turn(role="user", content="hi")]) == "[user]hi;"
