"""The words of the screens, in one place: plain English, short, each term explained where it first appears."""

from __future__ import annotations

TAB = {"data": "Data", "curate": "Curate", "tune": "Tune", "epochs": "Epochs", "compare": "Compare"}

LINE = {
    "data": "Choose the pool of samples to pick from. Below is what was read from it, and what could not be.",
    "curate": "Set what makes a sample worth training on. The selection on the right follows at once; no model runs.",
    "tune": "Fine-tune a model on the selection; IterIT scores and selects again before every epoch.",
    "compare": "Put strategies and runs side by side: which selection ends with the lowest held-out loss, and is it more than chance?",
    "epochs": "Step through the epochs of a run and see which samples came, stayed and went.",
}

TERM = {
    "complexity": "how hard the response is for the model even when it reads the prompt: "
    "perplexity with the prompt / perplexity without it. Near 0: the prompt gives the answer away. "
    "1 or more: the prompt does not help, often a mismatched response",
    "diversity": "how much a response adds in words and phrases that the picks so far do not cover",
    "gain": "complexity x diversity at the moment a sample was picked",
}

CONTROL = {
    "strategy": "What decides which samples are picked.",
    "budget": "How many samples one epoch trains on: a share of the pool, or a number.",
    "update_ratio": "For training: before each later epoch the best (update ratio x budget) samples are scored anew; 1 means the whole pool. It does not change this first selection.",
    "decay": "What a phrase still counts once a pick has covered it. 1: nothing is ever covered; 0: once is enough.",
    "complexity_weight": "How much “hard for the model” counts: the exponent a in complexity^a x diversity^b.",
    "diversity_weight": "How much “new among the picks” counts: the exponent b in complexity^a x diversity^b.",
    "source_weights": "Factor on the gain of a source's samples; 0 leaves the source out.",
    "max_complexity": "At 1 the prompt does not help the model, often a mismatch. Never selected at or above this.",
    "min_response_tokens": "Shorter responses are left out.",
    "max_response_tokens": "Longer ones are left out; 0 sets no limit.",
    "words": "What counts as a word where phrases are counted. Languages written without spaces need “Unicode”.",
    "seed": "Another number is another draw of the random strategies and baselines.",
    "scores": "The model whose reading is used.",
}

CHART = {
    "complexity": (
        "How hard for the model?",
        "Complexity: perplexity of the response with its prompt / without it.",
    ),
    "diversity": (
        "How much do they add?",
        "Diversity before any pick: weighted phrases of the response.",
    ),
    "lengths": (
        "How long are the responses?",
        "Against the pool, a random draw, the longest and Superfiltering at the same budget.",
    ),
    "density": (
        "Hard and new at once?",
        "Candidates by complexity and diversity; the selected on top. Click a cell to list its samples.",
    ),
    "frontier": (
        "What does a larger budget buy?",
        "Gain of each pick, and the share of the pool's phrases (TF-IDF mass) that the picks hold.",
    ),
    "map": (
        "Where in the pool are they?",
        "Near each other: similar wording; alike ones are spread a little. Click a point to read it, draw around some to list them.",
    ),
}

DEMO_NOTE = (
    "On this demo complexity rejects most mismatched and boilerplate answers, but it cannot see cut-off ones, lets about "
    "two in five refusals and near misses pass, and rejects one clean answer in eight. Nearly all the mismatches that "
    "pass lie just below 1: read a few before you train."
)
DEMO_HELD_OUT = " Half of the demo's ask for facts that stand nowhere else, so their loss stays high; compare runs by their difference."
NO_POOL = "No pool is open. Choose one on the Data tab."
NO_SCORES = {
    "tone": "empty",
    "title": "This pool has not been scored yet",
    "text": "Complexity needs a model that reads every sample once. Until then the strategies Diversity and Random "
    "work; choose one on the left, or score the pool here.",
}
SELECT_NOTHING = (
    "These settings select nothing",
    "Raise the budget or a source's weight, widen the limits, or press Reset.",
)
NO_SAMPLE = "Click a row of the table or a point of the map to read the sample, and why it was picked or not."
FILTERS = {
    "selected": "Selected",
    "added": "Added",
    "dropped": "Dropped",
    "candidates": "Candidates",
    "rejected": "Rejected",
    "unscorable": "Unscorable",
    "all": "All",
}
ACTIONS = [
    {"key": "pin", "label": "Pin", "hint": "always in the selection, first", "tone": "pinned"},
    {"key": "exclude", "label": "Exclude", "hint": "never in the selection", "tone": "rejected"},
    {"key": "clear", "label": "Clear marks", "hint": "leave them to the method again", "tone": "plain"},
    {"key": "note", "label": "Note", "hint": "write the same note to all of them", "tone": "plain"},
    {"key": "copy", "label": "Copy ids", "hint": "one id a line", "tone": "plain"},
    {
        "key": "export",
        "label": "Export",
        "hint": "a .jsonl file with these samples as messages",
        "tone": "plain",
    },
]
SEARCH = 'words, "a phrase", -not'
NO_MAP = "This pool has no map yet. Laying it out takes about a minute and is done once; the rest of this page does not need it."
MAP_STAGE = {
    "tfidf": "Counting phrases",
    "svd": "Finding what sets the responses apart most",
    "umap": "Laying the responses out in two dimensions",
}
MAP_WAIT = "Counting phrases, then laying the responses out in two dimensions"

SOURCE = {
    "files": "JSON, JSONL, CSV, Parquet or Arrow, also compressed. Several files make one pool.",
    "no_roots": "Start the app with --data-root FOLDER to list a folder's files here.",
    "hub": "Needs a network; press Enter to look at it.",
}
HUB_ID = "A hub dataset is called owner/name, or owner/name:split."
DATA_CHART = {
    "sources": ("Which sources?", "Samples by source. Click a bar to list its samples."),
    "lengths": ("How long are the responses?", "In characters, until tokens are counted."),
}
NO_POOL_YET = "Choose files on the left, or upload some, to make a pool: the samples that you can pick from."
NO_DATA_SAMPLE = "Click a row to read the whole sample."

# label, help, and whether a mapping by hand mostly needs it
ROLE = {
    "prompt": ("Prompt", "what is asked", True),
    "response": ("Response", "the answer that is scored and trained on", True),
    "input": ("Input", "text that belongs to the prompt and follows it", True),
    "source": ("Source", "where a sample comes from; the file's name where no column says so", True),
    "messages": (
        "Conversation",
        "a list of turns with role and content; the last one is the response unless another column holds it",
        False,
    ),
    "rejected": ("Rejected answer", "what the response was preferred to; left out", False),
    "better": (
        "Which is better",
        "says which of the two answers, response or rejected, was preferred",
        False,
    ),
    "reasoning": ("Reasoning", "what the model thinks before it answers; part of the response", False),
    "system": ("System prompt", "said before the conversation", False),
    "history": ("History", "earlier rounds, as pairs of user and assistant", False),
    "tools": ("Tools", "descriptions of the functions a conversation may call", False),
    "good": ("Good or bad", "true or false: rows marked as bad are left out", False),
    "label": ("Label", "a note that comes with the data; no part of the method reads it", False),
}
SPEAKERS = "Whose turns are these?"
SPEAKER_HINT = "who speaks in the turns of this name"
PREFERENCE = "Preference data: the chosen answer is the response, the rejected one is left out."
KEEP_BAD = "Read rows that are marked as bad, too"
NOT_RECOGNISED = (
    "The format is not recognised. Choose which column holds the prompt and which the response, "
    "or the one that holds the whole conversation."
)

# the lists of the Data tab: title and what they are
LISTS = {
    "all": ("All samples", ""),
    "sources": ("Samples by source", "One source after the other."),
    "rejected": ("Rejected rows", "They could not be read, so they are not in the pool."),
}
FINDINGS = {
    "empty": "The response is empty: nothing to score and nothing to learn. They are never selected.",
    "too_long": "Longer than the model reads: what is beyond the limit is cut off.",
    "unscorable": "Complexity cannot be computed for these, so they are never selected.",
    "exact": "The same prompt and response, word for word, more than once.",
    "near": "Prompt and response are nearly the same: they share most of their runs of five characters (of three, where each character is a word).",
    "same_response": "One response stands at several prompts, word for word.",
    "refusal": "The response begins as refusals do. Some may be right to refuse: look before you exclude.",
    "opening": "Responses that begin with these words. Boilerplate teaches a model to say it too.",
}
WORDS_HINT = (
    "{share} of the letters are of scripts written without spaces between words",
    "Cut between spaces, a whole clause is one word there: diversity hardly tells responses apart, and near-duplicates are missed. "
    "Taking each character as a word fits better.",
    "Take each character as a word",
)
WORDS_CHOSEN = (
    "Each character of Chinese, Japanese, Thai and the like is a word in this pool",
    "For diversity, near-duplicates and beginnings; runs start with it, too.",
    "Cut between spaces again",
)
NOT_KNOWN = "Not known yet."
NEAR_SLIDER = "share of runs of five characters (three, where each is a word) that two samples must have in common (Jaccard similarity)"
KEEP_ONE = "keeps the pinned ones, else the first of each group that nobody excluded"
EXCLUDE_ALL = "they stay in the pool, but are never selected; pinned ones are left alone"
OPENINGS = ("How do responses begin?", "The most frequent first words. Click one to list its samples.")
WORK = {
    "findings": ("Looking through the pool", "Near-duplicates, and the index that search needs"),
    "lengths": ("Counting tokens", "Reading every sample with the model's tokenizer"),
}
CARDS = {
    "empty": "never selected",
    "unscorable": "never selected",
    "too_long": "their end is cut",
    "refusal": "begin like one (English)",
}

PRESET = {"paper": "Paper", "lora-24gb": "LoRA on one 24 GB GPU", "demo": "Demo"}
GROUP = {
    "selection": {
        "title": "Which samples are chosen",
        "help": "What Curate sets, and what follows from it in later epochs.",
    },
    "training": {
        "title": "How the model is trained",
        "help": "The paper's recommendation unless a preset says otherwise.",
    },
    "lora": {
        "title": "LoRA adapters",
        "help": "Small added weights that are trained in place of the model's own.",
    },
    "model": {
        "title": "How the model reads",
        "help": "Length, arithmetic and memory; for scoring and for training.",
    },
    "running": {
        "title": "Processes, checkpoints and review",
        "help": "What a long run needs to be stopped, resumed and looked at.",
    },
    "data": {"title": "Data", "help": "How files are read."},
}
SETTING = {
    "words": "Words",
    "name": "Name of the run",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "lora_targets": "Layers with adapters",
    "save_merged": "Save the merged model too",
    "held_out": "Held out",
    "max_length": "Longest conversation",
    "max_grad_norm": "Gradient clipping",
    "warmup_ratio": "Warm-up",
    "batch_size": "Batch size",
    "device_batch_size": "Samples per forward pass",
    "review": "Review before each epoch trains",
    "rescore": "Score anew",
    "review_minutes": "Continue automatically after",
    "report_to": "Also report to",
    "accelerate_config": "Accelerate configuration file",
    "make_map": "Lay out the map",
    "checkpoint_every": "Checkpoint every",
    "held_out_every": "Held-out loss every",
    "max_steps": "Max optimizer steps",
}
