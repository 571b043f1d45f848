"""What somebody types into the Tune form stays, however late the answers come that fill it."""

from __future__ import annotations

# questions are this late, so that something can be typed before each is answered
SLOW = """
window.late = 0;
const send = window.fetch;
window.fetch = async (...given) => {
  const url = String(given[0]?.url ?? given[0]);
  if (window.late && url.includes("queue/join")) await new Promise((go) => setTimeout(go, window.late));
  return send(...given);
};
"""


def command_says(page, words: str) -> None:
    page.wait_for_function(
        "words => document.querySelector('#tune-command textarea').value.includes(words)", arg=words
    )


def type_twice(page) -> None:
    """Type, and wait for an answer to it: what was asked before was answered before. Then again, for what was asked
    because of those answers."""
    page.locator("#tune-budget input").fill("77")
    command_says(page, "--budget 77")
    page.locator("#tune-epochs input").fill("2")
    command_says(page, "--epochs 2")
    assert page.locator("#tune-budget input").input_value() == "77"
    assert page.locator("#tune-epochs input").input_value() == "2"
    command_says(page, "--budget 77")


def test_what_is_typed_while_the_tab_opens_stays(page, goto):
    page.add_init_script(SLOW)
    goto(page, "data")
    page.evaluate("window.late = 1200")
    page.click('#steps button[role=tab][data-tab-id="tune"]')
    type_twice(page)


def test_what_is_typed_while_the_page_opens_stays(page, goto):
    page.add_init_script(SLOW.replace("window.late = 0", "window.late = 1200"))
    goto(page, "tune")
    type_twice(page)
    assert page.locator("#tune-preset input").input_value() == "Demo"


def test_what_is_chosen_elsewhere_still_comes(page, goto, new_page):
    goto(page, "tune")
    command_says(page, "backend tune")
    page.locator("#tune-decay input").fill("0.7")
    command_says(page, "--decay 0.7")
    page.locator("#tune-preset input").click()
    page.get_by_role("option", name="Paper").click()
    page.wait_for_function("document.querySelector('#tune-budget input').value === '0.05'")
    assert page.locator("#tune-decay input").input_value() == "0.1"  # a preset is all of it
    command_says(page, "--preset paper")
    other = new_page()
    goto(other, "tune", decay=0.3)
    other.wait_for_function("document.querySelector('#tune-decay input').value === '0.3'")
    command_says(other, "--decay 0.3")
    assert "From Curate: decay" in other.locator("#tune-carried").inner_text()
