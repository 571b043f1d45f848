"""What the screens show: run folders, pools and scores as tidy tables, and re-selection without a model.

Pure functions; nothing here imports torch, starts a job, or writes into a run folder.
"""

from backend.analysis import filters
from backend.analysis.arms import Arm
from backend.analysis.comparable import Remark
from backend.analysis.compared_runs import ComparedRun, measurements
from backend.analysis.compared_selections import (
    label_shares,
    length_table,
    noise_table,
    overlap_table,
    source_table,
)
from backend.analysis.comparison import (
    MOST_RUNS,
    Comparison,
    compare,
    difference_table,
    loss_points,
    summary_table,
)
from backend.analysis.coverage import Vocabulary, covered_curve, covered_share, vocabulary
from backend.analysis.covered import Covered, Remains, covered_by, remains
from backend.analysis.earlier_epochs import Earlier, earlier_epochs, look_ahead
from backend.analysis.epoch_tables import (
    MEMBERSHIP,
    changes,
    epoch_table,
    history,
    label_names,
    label_table,
    load_epoch,
    mean_known,
    membership,
)
from backend.analysis.estimate import training_time
from backend.analysis.frontier import FullOrder, frontier, full_order, weighed
from backend.analysis.histograms import (
    Histogram,
    candidate_rows,
    complexity_edges,
    complexity_histogram,
    diversity_edges,
    diversity_histogram,
    histogram,
    length_edges,
    length_histogram,
)
from backend.analysis.holding import holding
from backend.analysis.map_detail import MOST_SAMPLES, Area, areas_in_sight, rows_in_sight
from backend.analysis.nearest_responses import neighbours
from backend.analysis.percentiles import percentile
from backend.analysis.plan_estimate import Figure, PlanEstimate, plan_estimate
from backend.analysis.reach import Reach, reach, reaching
from backend.analysis.reasons import STATUS_TEXT, Why, rank_of, status_text, why
from backend.analysis.replace_preview import replace_preview
from backend.analysis.resuming import GoesOn, goes_on_from
from backend.analysis.review_changes import MOVES, Reviewed, review_selection
from backend.analysis.run_course import (
    held_out_points,
    held_out_table,
    loss_table,
    stage_table,
    tokens_per_second,
)
from backend.analysis.run_differences import Different, run_differences
from backend.analysis.run_search import matching_runs
from backend.analysis.sample_table import (
    SORTS,
    WHICH,
    beginning,
    filter_rows,
    ordered_rows,
    sample_rows,
    sample_text,
)
from backend.analysis.score_sets import (
    ScoreSet,
    edited_since_scored,
    held_out_of,
    load_map,
    load_scores,
    read_scores,
    score_sets,
)
from backend.analysis.timeline import Cell, EpochLine, Timeline, timeline
from backend.analysis.unseen import Unseen, draw_unseen, unseen_sample, unseen_samples
from backend.analysis.what_if import (
    TfidfCache,
    WhatIf,
    baselines,
    change,
    ngram_counts,
    selection_summary,
    what_if,
)
from backend.preflight.checks import Problem, preflight
