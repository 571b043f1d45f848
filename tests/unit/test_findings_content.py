"""Each content rule on cases of its kind and on look-alikes; all of them on a planted pool; what is kept of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend import data, store
from backend import findings as look
from backend.findings.broken_text import broken_encoding
from backend.findings.content_rules import CONTENT, HINTS, LONGEST
from backend.findings.credentials import key_or_password, masked, spans
from backend.findings.cut_off import cut_rows
from backend.findings.fences import open_fence
from backend.findings.hollow import no_content
from backend.findings.languages import language_of, other_languages
from backend.findings.loops import repeated_loop
from backend.findings.markup import left_over_markup
from backend.findings.personal import email_address, phone_number
from tests.planted_content import GERMAN, LONG, PAIRS, write_pool

TOKEN = "ghp_9fKq2LmZx81RtYbVc3NwEj7HsUo4Pd5AgXi6"


def test_each_planted_case_is_found_once_and_no_look_alike(tmp_path: Path) -> None:
    pool = data.load_pool([str(write_pool(tmp_path / "planted.json"))])
    found = look.content_findings(look.prompt_texts(pool, system=False), look.response_texts(pool))
    for row, kind in enumerate(PAIRS):
        assert found.rows_of(kind).tolist() == [row], (kind, found.found_of(kind))
    assert found.rows_of("rare_language").tolist() == []
    assert set(CONTENT) == set(HINTS)


@pytest.mark.parametrize(
    "response",
    ["n/a", "N/A.", "ok", "Ok!", "See above.", "same as above", "Same answer as above", "As above", "...", "-", "?!",
     "Answer:", "<noinput>", "<p></p>", "Please refer to the previous answer", "见上", "```\n```", "TBD", "(placeholder)"],
)  # fmt: skip
def test_no_content(response: str) -> None:
    assert no_content("Why is the sky blue?", response) == response


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Is it true?", "No"),
        ("How many?", "7"),
        ("Which option?", "B"),
        ("If nothing fits, answer N/A.", "N/A"),
        ("Which punctuation mark ends a question?", "?"),
        ("What is the symbol for addition?", "+"),
        ("What should I do?", "See a doctor."),
        ("Where is the sky?", "It is above the ground, as the name above says"),
        ("Write an empty HTML paragraph.", "<p></p>"),
        ("Which element is Na?", "Sodium"),
        ("Anything?", ""),
    ],
)
def test_short_answers_have_content(prompt: str, response: str) -> None:
    assert no_content(prompt, response) == ""


@pytest.mark.parametrize(
    "response",
    ["A river.<br>A lake.", "Fish &amp; chips", "The Earth&#x27;s crust", "Sure.<|im_end|>", "[/INST] Yes, it is.",
     "It is.</s>", "<|endoftext|>", "<start_of_turn>model", "### Response: It is.", "A &nbsp; b"],
)  # fmt: skip
def test_markup_left_over(response: str) -> None:
    assert left_over_markup("What is a river?", response) in response
    assert left_over_markup("What is a river?", response)


@pytest.mark.parametrize(
    ("prompt", "response"),
    [
        ("Make a web page.", "<p>Hello</p>"),
        ("Write a function that prints a line.", "<b>done</b>"),
        ("Shorten: <b>a long text</b>", "<b>a text</b>"),
        ("How do I make a line break?", "Use the <br> tag."),
        ("How do I make text bold?", "Like so:\n```\n<b>bold</b>\n```"),
        ("How do I make text bold?", "With `<b>`."),
        ("What does <|im_end|> do?", "<|im_end|> ends a turn."),
        ("Which is smaller?", "a < b and c > d"),
        ("What sells?", "R&B, AT&T, and Q&A"),
        ("Who are you?", "Dear <name>, I am [NAME]"),
    ],
)
def test_markup_that_belongs(prompt: str, response: str) -> None:
    assert left_over_markup(prompt, response) == ""


def test_broken_encoding() -> None:
    for text in (
        "The governmentâ€™s site",
        "naÃ¯ve",
        "LÃ¼beck",
        "it is 20Â°C",
        "a lost \ufffd here",
        "å\x8c—äº¬ is large",
    ):
        assert broken_encoding("Say it.", text), text
    for text in (
        *(
            "naïve café",
            "SÃO PAULO",
            "Ångström – 5 µm",
            "“quoted” … £5",
            "北京",
            "/əˈpɒs/",
            "😀",
            "Ωμέγα",
            "×÷±²",
        ),
        "plain",
    ):
        assert broken_encoding("Say it.", text) == "", text
    assert broken_encoding("What is wrong with naÃ¯ve here?", "It says naÃ¯ve here") == ""


def test_cut_off() -> None:
    words = ["They were wandering about for a long while, and nobody wandering found it."] * 12
    cut = [
        LONG + " It meets the",
        LONG + " It meets a lake,",
        LONG + " It was wande",
        "Steps that lead to a good tea:\n1. Boil the water\n2. Add the leaves\n3.",
        LONG + " (which is",
    ]
    whole = [
        LONG,
        LONG + " The end",
        LONG + " They were wandering",
        LONG + "\n\nYours sincerely,\nKarla",
        "Here is a list of all that you need for this:\n- a pot of tea\n- a cup of the",
        "def add(a, b):\n    total = a + b\n    return total or a and the",
        "the",
        "# The Long and Winding Road to the Sea and the",
        "Steps that lead to a good tea:\n1. Boil the water\n2. Add the leaves",
        LONG + " See you soon :-(",
    ]
    texts = cut + whole + words
    assert sorted(cut_rows([""] * len(texts), texts)) == list(range(len(cut)))


def test_loops() -> None:
    again = [
        "We know that the answer is that the answer is that the answer is that the answer is that the answer is",
        "It is fine. " + "You should always check the oil first. " * 5,
        "- Drink a glass of water each day\n" * 5,
        "very " * 30 + "good",
        "今天天气很好我们去公园玩吧" * 6,
    ]
    for text in again:
        assert repeated_loop("Tell me more.", text), text
    assert "×" in repeated_loop("Tell me more.", again[1])
    for prompt, text in (
        ("Write a song.", again[1]),
        ("Repeat it five times.", again[1]),
        ("Tell me more.", LONG * 2),
        ("Add it up.", "for i in range(3):\n    print(i)\n" * 6),
        ("A table, please.", "| a | b |\n|---|---|\n" + "\n".join(f"| {i} | {i * i} |" for i in range(20))),
        ("Count.", " ".join(str(i % 3) for i in range(60))),
        ("Which houses?", "\n".join(f"House {i} has {i + 2} windows and a door" for i in range(6))),
        ("Laugh.", "ha ha ha ha"),
    ):
        assert repeated_loop(prompt, text) == "", text


def test_open_fences() -> None:
    for text in (
        "```python\nx = 1",
        "Here: ```\nx = 1\n",
        "```\na\n```\n\n```js\nb",
        "~~~\na",
        "````\n```\na\n```",
    ):
        assert open_fence("", text), text
    for text in (
        *(
            "```python\nx = 1\n```",
            "Here: ```x = 1``` it is",
            "Here: ```\nx = 1\n```",
            "Say ``` three times ```",
        ),
        *("````\n```\n````", "~~~\n```\n~~~", "  ```\n  a\n  ```  ", "```\nx = 1```", "no code", "a `b` c"),
    ):
        assert open_fence("", text) == "", text


def test_languages() -> None:
    assert [
        language_of(text)
        for text in (GERMAN, LONG, "北京是中华人民共和国的首都，也是全国的政治中心", "Ferrari")
    ] == [
        *("de", "en", "zh"),
        "",
    ]
    plain = [(f"Tell me about house {i} and about the people in it.", LONG) for i in range(60)]
    samples = [
        ("Where does the river come from, and where does it go to?", GERMAN),
        (
            GERMAN,
            "Das ist der Fluss, der in den Hügeln entspringt und dann an der Mühle vorbei zur Stadt fließt.",
        ),
        ("Translate this for me, please: " + LONG, GERMAN),
        ("Sag es auf Deutsch, bitte: was ist ein Fluss und woher kommt er?", LONG),
        ("Sum up the following text in one sentence:\n" + GERMAN, GERMAN[:90]),
        (
            "How do I write this in code for a program that is long enough?",
            "def f(x):\n    return x\nimport os\n",
        ),
    ]
    prompts, responses = zip(*samples, *plain)
    differ, foreign = other_languages(prompts, responses)
    assert differ == {0: "German; the prompt is English"}
    assert foreign == {}  # German makes up more than 2 % of so few
    prompts, responses = zip(*samples[1:2], *plain)
    assert list(other_languages(prompts, responses)[1]) == [0]


def test_email_addresses() -> None:
    for text in ("karla.brenner@uni-bonn.de", "Write to info@flix.com.", "<mdudek@suntimes.com>"):
        assert email_address("", text) in text
        assert email_address("", text)
    assert email_address("Ask k.b@uni-bonn.de", "Done.") == "k.b@uni-bonn.de"  # in the prompt, too
    for text in (
        *(
            "you@example.com",
            "john.doe@gmail.com",
            "user@host",
            "@karla",
            "git@github.com",
            "a@b",
            "icon@2x.png",
        ),
        *("your_email@gmail.com", "name@company.com", "https://user@uni-bonn.de/x", "5 apples @ 3.50"),
    ):
        assert email_address("", text) == "", text


def test_phone_numbers() -> None:
    for text in (
        "Call (212) 736-4892.",
        "Phone: 702-383-0381",
        "Tel. +49 228 73 48 92",
        "whatsapp +44 20 7946 0018",
    ):
        assert phone_number("", text), text
    for text in (
        *(
            "Call 555-123-4567",
            "Call 123-456-7890",
            "Call 1-800-273-8255",
            "Call 111-111-1111",
            "(415) 555-0134",
        ),
        *(
            "ISBN 978-3-16-148410-0",
            "On 2024-11-05 at 10:30",
            "x = 2147483647",
            "192.168.100.200",
            "3.14159265358979",
        ),
        *("x + 1234567890", "order 736-4892", "212-736-4892 is a product code", "$1,234,567,890"),
    ):
        assert phone_number("", text) == "", text


def test_keys_and_passwords_are_found_and_masked() -> None:
    for secret in (
        TOKEN,
        "AKIA4QZ7XN2LM8RTVWPC",
        "sk-proj-9fKq2LmZx81RtYbVc3NwEj7Hs",
        "hf_QwErTyUiOpAsDfGhJkLzXcVbNmQwErTy",
        "AIzaSyD9fKq2LmZx81RtYbVc3NwEj7HsUo4Pd5A",
    ):
        text = f"Use {secret} for it."
        found = key_or_password("How do I log in?", text)
        assert found.startswith(secret[:4]) and secret[6:] not in found, secret
        assert secret[6:] not in masked(text) and len(masked(text)) == len(text)
    for text in (
        'password = "xK9#mQ2vL7"',
        "postgres://karla:xK9mQ2vL7@db.uni-bonn.de/x",
        "The password is xK9mQ2vL7z",
    ):
        assert key_or_password("Log in.", text).startswith("x•"), text
        assert "Q2vL7" not in masked(text)
    assert key_or_password(f"My key is {TOKEN}.", "Do not share it.")  # in the prompt, too
    assert masked("plain text, and no password at all") == "plain text, and no password at all"


@pytest.mark.parametrize(
    "text",
    ['password = "password123"', 'api_key = "YOUR_API_KEY"', "password = getpass()", "AKIAIOSFODNN7EXAMPLE", "password: ********",
     "sk-xxxxxxxxxxxxxxxxxxxxxxxx", "the secret ingredient is salt", 'password = request.form["pw"]', "A password should have 8 characters",
     "api_key=os.environ['KEY2024']", "token = tokens[i1]", "postgres://user:password@localhost/db", "a secret message1"],
)  # fmt: skip
def test_placeholders_are_no_secrets(text: str) -> None:
    assert key_or_password("How do I log in?", text) == ""
    assert spans(text, named=True) == []


def test_a_password_that_was_asked_for_is_no_finding() -> None:
    assert key_or_password("Generate a strong password.", "Password: xK9#mQ2vL7") == ""


def test_a_stored_pool_keeps_what_was_found(tmp_path: Path) -> None:
    pool = data.load_pool([str(write_pool(tmp_path / "planted.json"))])
    store.save_pool(tmp_path, pool)
    found = look.content_findings(look.prompt_texts(pool, system=False), look.response_texts(pool))
    assert store.load_content(tmp_path, pool.id) is None
    store.save_content(tmp_path, pool.id, found)
    kept = store.load_content(tmp_path, pool.id)
    assert kept is not None
    for name in ("rows", "kinds", "found"):
        assert np.array_equal(getattr(kept, name), getattr(found, name))
    assert TOKEN[6:] not in " ".join(kept.found) and max(map(len, kept.found)) <= LONGEST
    lines = {one.key: one for one in look.report(pool, content=kept)}
    assert all(lines[kind].count == 1 for kind in PAIRS)
    assert not {one.key: one for one in look.report(pool)}["secret"].known
