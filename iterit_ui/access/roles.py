"""Which events of the page only look, and which change something: what the role look may do is decided by this list alone.

An event is named by the component that it comes from and what happened to it (`settings.save`); one that comes from no component with a
name by the function that answers it (`callback_name`), and a question of a component's script by the component and the function
(`tune-form.count`). What is in neither list is refused to those who only look, and fails `tests/ui/test_roles.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOOKING = frozenset(
    """
    address.back header.name
    tab-data.select tab-curate.select tab-tune.select tab-epochs.select tab-compare.select
    to-curate.click to-tune.click
    watch.look

    pools.open length-model.input length-limit.submit
    data-cards.pick openings.pick sources-chart.pick finding.threshold
    data-table.filter data-table.search data-table.chip data-table.chips_clear data-table.turn data-table.pick
    data-table.ids data-table.export data-sample.read data-sample.step data-keys.step

    settings.set settings.weigh settings.reset settings.undo settings.redo settings.recall settings.compare
    score-source.input curate-note.act
    complexity-chart.brush complexity-chart.clear diversity-chart.brush diversity-chart.clear
    lengths-chart.brush lengths-chart.clear density-chart.pick
    curate-map.lasso curate-map.clear curate-map.cluster curate-map.mode curate-map.pick
    curate-map.coordinates curate-map.hover curate-map.detail
    curate-filter.search curate-filter.chip curate-filter.chips_clear curate-cards.pick
    curate-table.narrow curate-table.turn curate-table.sort curate-table.columns curate-table.filter curate-table.pick
    curate-table.ids curate-table.export
    curate-sample.open curate-sample.step curate-sample.reach curate-sample.read curate-sample.losses
    curate-keys.step curate-export.export

    tune-form.look tune-form.compare tune-form.pool tune-form.load tune-form.pilot tune-form.verdict
    tune-queue.pick tune-runs.pick tune-log.download tune-log.find tune-log.rows
    review-table.filter review-table.turn review-table.sort review-table.pick

    epochs-run.input epochs-player.go epochs-player.reset epochs-flow.epoch epochs-flow.pick epochs-cards.pick
    epochs-moved.choice epochs-moved.pick epochs-moved.against epochs-hardest.choice epochs-hardest.pick
    epochs-cohorts.choice epochs-cohorts.pick epochs-labels.pick
    epochs-map.lasso epochs-map.clear epochs-map.cluster epochs-map.mode epochs-map.pick
    epochs-map.coordinates epochs-map.hover epochs-map.detail
    epochs-table.filter epochs-table.turn epochs-table.sort epochs-table.columns epochs-table.pick
    epochs-sample.open epochs-sample.step epochs-keys.step epochs-export.export epochs-receipt.click

    budget-fields.set study-fields.set compare-fields.set study-pair.input
    compare-which.input compare-reference.input compare-over.input compare-epoch.input
    compare-runs.search compare-runs.sort compare-runs.turn compare-runs.filter compare-runs.pick
    compare-run-export.export compare-export.export compare-no.click compare-open.act
    ask-base.input ask-draw.click ask-prompt.input ask-answers.again ask-answers.look
    eval-list.pick
    present.apply present.export
    """.split()
)
"""What anybody may do: nothing of it is kept, or only what is computed from what lies here anyway."""

CHANGING = frozenset(
    """
    pool-files.change pool-upload.change pool-hub.submit pool-hub.blur load-pool.click
    preview.map preview.file preview.reset
    data-words.act data-table.act finding.do finding.undo
    compare-evaluation.click upload-evaluation.upload count-tokens.click
    data-sample.pin data-sample.exclude data-sample.unmark data-sample.edit data-sample.note data-sample.undo
    data-sample.check data-sample.response data-table.preview
    data-keys.mark data-keys.undo data-keys.redo

    score-pool.click import-scores.upload curate-edited.act make-map.click curate-words.act settings.save settings.forget
    curate-sample.pin curate-sample.exclude curate-sample.unmark curate-sample.note curate-sample.edit curate-sample.undo
    curate-keys.mark curate-keys.undo curate-keys.redo curate-table.act curate-tools.act
    curate-sample.check curate-sample.response curate-table.preview

    tune-form.launch tune-form.try_first tune-form.count tune-queue.act tune-status.act
    review-settings.set review-settings.weigh review-settings.reset review-table.act
    review-sample.pin review-sample.exclude review-sample.unmark review-gate.pool review-gate.act

    budget-fields.start study-fields.start compare-fields.start compare-save.click
    compare-runs.edit compare-runs.act compare-yes.click
    ask-go.click ask-answers.stop ask-answers.free eval-go.click eval-stop.click
    """.split()
)
"""Marks, notes, edits, tags, launches, queue, uploads, deletions, saved settings, scoring, asking models: for the role change."""

DRAWING = frozenset(
    """
    arrive again begun chosen_again compared compared_export comparison_parts comparison_values
    draw draw_all evaluation_values followed heads listed map_followed map_opened mirrored note_value offer offered on_open on_refresh
    opened opened_export opened_pool page_values pressed previewed queue_values question ready_words restore role_value rows_shown
    runs_value score_source see shown trade_offs loaded_run
    runs summary selection
    """.split()
)
"""What is drawn when something else has changed, when a screen opens or a second is over; and what programs may ask."""

LOOKING_KEYS: Mapping[str, tuple[str, frozenset[str]]] = {
    "tune-status.act": ("key", frozenset({"open"})),
    "compare-runs.act": ("action", frozenset({"compare"})),
    "curate-tools.act": ("key", frozenset({"pinned", "excluded", "noted", "edited"})),
}
"""Of events that change things, what they may mean that does not: a field of what the page sends, and its values."""


def changes(name: str, data: Any = None) -> bool:
    """Whether an event changes something; one that is in no list does. data : what the page sent with it."""
    if name in LOOKING or name in DRAWING:
        return False
    field, values = LOOKING_KEYS.get(name, ("", frozenset()))
    meant = data.get(field) if isinstance(data, dict) else None
    return not (isinstance(meant, str) and meant in values)
