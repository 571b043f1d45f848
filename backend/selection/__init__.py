"""Selection: who may be picked, who is picked in what order, and why the others are not."""

from backend.selection.candidates import Candidates, candidates
from backend.selection.choose import select, start_of, warm_up
from backend.selection.column_factor import column_factor, reads_column
from backend.selection.course import Course, course
from backend.selection.earlier import covers, leaves_out, remembers, round_and_earlier
from backend.selection.epoch import EpochSelection, select_epoch
from backend.selection.gains import ties_as_equal
from backend.selection.greedy import Picks, greedy_picks
from backend.selection.held_out import split
from backend.selection.of_pool import candidates_of_pool, select_of_pool
from backend.selection.ranking import keeps_selection, rank_for_next_epoch, scores_needed, top_rows
from backend.selection.rescoring import round_before, rows_to_score
from backend.selection.review import REVIEWABLE, review_settings, reviewed_record, reviewed_selection

__all__ = [
    "REVIEWABLE",
    "Candidates",
    "Course",
    "EpochSelection",
    "Picks",
    "candidates",
    "candidates_of_pool",
    "column_factor",
    "course",
    "covers",
    "greedy_picks",
    "keeps_selection",
    "leaves_out",
    "rank_for_next_epoch",
    "reads_column",
    "remembers",
    "review_settings",
    "reviewed_record",
    "reviewed_selection",
    "round_and_earlier",
    "round_before",
    "rows_to_score",
    "scores_needed",
    "select",
    "select_epoch",
    "select_of_pool",
    "split",
    "start_of",
    "ties_as_equal",
    "top_rows",
    "warm_up",
]
