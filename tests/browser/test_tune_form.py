"""What somebody types into the Tune form stays, however late the answers come that fill it."""

from __future__ import annotations

from tests.browser.conftest import serving

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
        "words => document.querySelector('#tune-command textarea')?.value.includes(words)", arg=words
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


def test_what_is_typed_while_the_tab_opens_stays(fresh_page, goto):
    fresh_page.add_init_script(SLOW)
    goto(fresh_page, "data")
    fresh_page.evaluate("window.late = 1200")
    fresh_page.click('#steps button[role=tab][data-tab-id="tune"]')
    type_twice(fresh_page)


def test_what_is_typed_while_the_page_opens_stays(fresh_page, goto):
    fresh_page.add_init_script(SLOW.replace("window.late = 0", "window.late = 1200"))
    goto(fresh_page, "tune")
    type_twice(fresh_page)
    assert fresh_page.locator("#tune-preset .chosen b").inner_text() == "Demo"


def test_what_is_chosen_elsewhere_still_comes(page, goto, new_page):
    goto(page, "tune")
    command_says(page, "backend tune")
    open_group(page, "selection")
    page.locator("#tune-decay input").fill("0.7")
    command_says(page, "--decay 0.7")
    page.locator("#tune-preset input[value=paper]").check()
    page.wait_for_function("document.querySelector('#tune-budget input')?.value === '0.05'")
    assert page.locator("#tune-decay input").input_value() == "0.1"  # a preset is all of it
    command_says(page, "--preset paper")
    other = new_page()
    goto(other, "tune", decay=0.3)
    other.wait_for_function("document.querySelector('#tune-decay input')?.value === '0.3'")
    command_says(other, "--decay 0.3")
    assert "From Curate: Diversity decay" in other.locator("#tune-carried").inner_text()


def open_group(page, key: str) -> None:
    fold = page.locator(f"#tune-form details[data-fold='tune {key}']")
    if not fold.evaluate("node => node.open"):
        fold.locator("summary").click()


def test_what_was_typed_is_there_after_a_reload(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    page.locator("#tune-budget input").fill("33")
    command_says(page, "--budget 33")
    page.reload()
    command_says(page, "--budget 33")
    assert page.locator("#tune-budget input").input_value() == "33"
    assert "1 setting differs" in page.locator("#tune-form .st-differ").inner_text()
    page.get_by_role("button", name="Reset to preset").click()
    page.wait_for_function("document.querySelector('#tune-budget input')?.value === '0.1'")


def test_another_preset_is_taken_back(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    presets = page.locator(".st-preset")
    assert presets.count() == 3
    assert all(len(text.splitlines()) > 1 for text in presets.all_inner_texts())  # each says what it is for
    page.locator("#tune-budget input").fill("33")
    command_says(page, "--budget 33")
    page.locator("#tune-preset input[value=paper]").check()
    page.wait_for_function("document.querySelector('#tune-budget input')?.value === '0.05'")
    page.locator("#tune-message").get_by_text("1 setting that you had changed").wait_for()
    page.locator("#tune-message").get_by_role("button", name="Undo").click()
    command_says(page, "--budget 33")
    assert page.locator("#tune-preset input[value=demo]").is_checked()
    assert not page.locator("#tune-message").inner_text()


def test_tokens_are_counted_from_the_form(browser, tmp_path):
    """In a folder of its own: where a run has read the pool before, its tokens are known."""
    home, data = tmp_path / "runs", tmp_path / "data"
    data.mkdir()
    with serving(home, data, tmp_path) as url:
        page = browser.new_page()
        page.goto(f"{url}/?tab=tune")
        command_says(page, "backend tune")
        page.locator("#tune-count").get_by_text("known once the pool is read").wait_for()
        assert "not known" in page.locator("#tune-plan .st-card").nth(1).inner_text()
        page.locator("#tune-count button").click()
        page.locator("#tune-count").wait_for(state="hidden", timeout=60_000)
        tokens = page.locator("#tune-plan .st-card").nth(1).locator(".num").inner_text()
        assert int(tokens.replace(",", "")) > 1000
        page.close()


def test_help_is_behind_its_question_mark_and_never_cut_off(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    shown = "[...document.querySelectorAll('#tab-tune .st-field-help')].filter(e => e.offsetParent)"
    assert page.evaluate(f"{shown}.every(e => e.scrollWidth <= e.clientWidth)")
    page.get_by_role("button", name="help on Budget").click()
    told = page.locator("#tune-budget .st-field-help")
    told.wait_for()
    assert told.evaluate(
        "e => e.scrollWidth <= e.clientWidth && e.clientHeight > 20"
    )  # all of it, on lines of its own
    page.get_by_role("button", name="help on Budget").click()
    told.wait_for(state="hidden")


def test_a_mistake_is_said_at_its_field_and_holds_the_launch(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    page.locator("#tune-budget input").fill("-2")
    page.locator("#tune-problems li.fatal").first.wait_for()
    assert page.locator("#tune-launch").is_disabled()
    assert "smallest allowed" in page.locator("#tune-budget .st-field-message").inner_text()
    page.locator("#tune-budget").get_by_role("button", name="back to the preset").click()
    page.wait_for_function("!document.querySelector('#tune-launch').disabled")


def test_the_cost_follows_what_is_typed(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    page.locator("#tune-budget input").fill("80")
    page.locator("#tune-epochs input").fill("2")
    page.wait_for_function("document.querySelector('#tune-plan .st-card .num')?.textContent === '20'")
    page.wait_for_function(
        "document.querySelector('.st-plan-line')?.textContent === '2 epochs of 80 samples, chosen from 2,200.'"
    )


def test_a_configuration_is_pasted_and_what_cannot_be_taken_is_named(page, goto):
    goto(page, "tune")
    command_says(page, "backend tune")
    open_group(page, "load")
    page.locator("#tune-load textarea").fill(
        '{"budget": 44, "colour": "<img src=x onerror=alert(1)>", "decay": 7}'
    )
    page.locator("#tune-load").get_by_role("button", name="Load", exact=True).click()
    command_says(page, "--budget 44")
    told = page.locator("#tune-message").inner_text()
    assert "“colour” is no setting" in told and "ecay is 7" in told
    page.locator("#tune-load textarea").fill("{")
    page.locator("#tune-load").get_by_role("button", name="Load", exact=True).click()
    page.locator("#tune-message .st-note.error").get_by_text("is not JSON").wait_for()
    command_says(page, "--budget 44")


# every question is late; a launch is kept here and not sent
FAST = """
window.late = 0;
window.launched = [];
const send = window.fetch;
window.fetch = async (...given) => {
  const body = typeof given[1]?.body === "string" ? given[1].body : "";
  if (body.includes('"carried"')) { window.launched.push(JSON.parse(body).event_data); return new Promise(() => {}); }
  if (window.late && body) await new Promise((go) => setTimeout(go, window.late));
  return send(...given);
};
"""
CLICKING = """() => {
  const click = () => { document.querySelector("#tune-launch")?.click(); if (!window.launched.length) requestAnimationFrame(click); };
  click();
}"""


def launched_budget(page) -> str:
    page.wait_for_function("window.launched.length > 0")
    return page.evaluate("window.launched[0].values.budget")


def test_the_fastest_click_launches_what_was_set_on_curate(fresh_page, goto):
    fresh_page.add_init_script(FAST)
    goto(fresh_page, "tune")
    fresh_page.locator("#tune-launch:not([disabled])").wait_for()
    fresh_page.click('#steps button[role=tab][data-tab-id="curate"]')
    slider = fresh_page.locator("#settings [data-field=budget] input[type=range]")
    slider.wait_for()
    fresh_page.evaluate(
        """() => {
            window.late = 300;
            const slider = document.querySelector("#settings [data-field=budget] input[type=range]");
            slider.value = 30;
            slider.dispatchEvent(new Event("input", {bubbles: true}));
            document.querySelector('#steps button[role=tab][data-tab-id="tune"]').click();
        }"""
    )
    fresh_page.evaluate(CLICKING)
    assert launched_budget(fresh_page) == "0.3"


def test_the_fastest_click_launches_what_a_link_says(fresh_page, goto):
    fresh_page.add_init_script(FAST.replace("window.late = 0", "window.late = 300"))
    fresh_page.add_init_script(f"addEventListener('DOMContentLoaded', {CLICKING})")
    goto(fresh_page, "tune", budget=0.3)
    assert launched_budget(fresh_page) == "0.3"
