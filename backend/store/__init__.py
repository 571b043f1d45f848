"""The runs folder: the only part that opens it, and the contract between the app and the workers.

Whatever lies there appears whole (written under a temporary name and renamed, or a line at a time), so any process
may read at any moment. What several processes write (states, heartbeats, events, marks) is in one SQLite file.
"""

from backend.store.comparisons import (
    ComparisonInfo,
    ComparisonKind,
    add_to_comparison,
    change_plan,
    comparison_info,
    comparisons,
    create_comparison,
    delete_comparison,
    remove_from_comparison,
)
from backend.store.curation import (
    Change,
    Mark,
    Note,
    change_history,
    curation_revision,
    marked_by,
    marks,
    next_steps,
    notes,
    redo,
    set_mark,
    set_note,
    undo,
)
from backend.store.damaged_files import damaged_files, damaged_pools, damaged_runs
from backend.store.database import held_open, is_read_only, read_together, refuse_read_only
from backend.store.database_repair import keep_copy, repair
from backend.store.deleted_runs import delete_run, erase_run, restore_run
from backend.store.edits import (
    Edit,
    edited_pool,
    edited_pool_id,
    edited_since,
    edits,
    set_responses,
    with_stored_edits,
)
from backend.store.epoch_records import (
    append_metrics,
    epochs,
    forget_metrics,
    read_epoch,
    read_metrics,
    remove_epochs,
    write_epoch,
)
from backend.store.exports import ALL_EPOCHS, Export, export_words, exports, note_export
from backend.store.file_hashes import content_hashes
from backend.store.files import replacing, write_json
from backend.store.findings import (
    LengthsKey,
    has_content,
    has_findings,
    load_content,
    load_lengths,
    load_near,
    save_content,
    save_lengths,
    save_near,
    stored_lengths,
)
from backend.store.given_losses import GivenLosses, give_losses, given_losses
from backend.store.jobs import (
    ACTIVE,
    EndState,
    EventKind,
    Job,
    JobKind,
    claim_next,
    find_job,
    heartbeat,
    list_jobs,
    move_in_queue,
    queue_again,
    queue_job,
    set_process,
    set_state,
    take,
)
from backend.store.kept_losses import LossWriter, find_losses, kept_folder, known_files
from backend.store.leftovers import remove_leftovers
from backend.store.lost_runs import unlisted_runs
from backend.store.maps import (
    PoolMap,
    clusters_path,
    load_clusters,
    load_map,
    read_map,
    save_clusters,
    save_map,
    write_map,
)
from backend.store.one_sample import sample_at
from backend.store.overlaps import Against, forget_overlaps, load_overlaps, save_overlaps
from backend.store.paths import log_path, pool_folder, root_of, run_folder
from backend.store.picks import picks_of_all_epochs, read_kept_aside, read_lengths, read_picks
from backend.store.pools import (
    PoolInfo,
    is_stored,
    list_pools,
    load_pool_from_store,
    ngram_counts,
    ngrams_path,
    pool_info,
    sample_ids,
    samples_written,
    save_pool,
    unknown_samples,
)
from backend.store.review_drafts import ReviewDraft, drop_draft, read_draft, save_draft
from backend.store.reviews import (
    Review,
    answer_review,
    ask_again,
    ask_review,
    open_review,
    read_proposal,
    reviews,
)
from backend.store.row_sets import load_rows, save_rows
from backend.store.run_labels import label_run
from backend.store.run_log import find_in_log, log_lines, log_moments, log_stamp
from backend.store.run_reading import (
    Event,
    RunInfo,
    StageTime,
    events,
    read_log,
    run_info,
    runs,
    stage_times,
)
from backend.store.run_states import (
    RunPool,
    add_event,
    check_column,
    create_run,
    read_config,
    read_run_pool,
    set_plan,
)
from backend.store.saved_settings import delete_settings, save_settings, saved_settings
from backend.store.search import build_search, has_search, parse_query, search
from backend.store.timing import Planned
from backend.store.word_splitting import pool_unspaced_share, pool_words, set_pool_words
