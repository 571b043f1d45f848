"""What a person reads on the Tune tab."""

from __future__ import annotations

LINE = "Fine-tune a model on the selection; IterIT scores and selects again before every epoch."
DEMO_HELD_OUT = " Half of the demo's ask for facts that appear nowhere else, so their loss stays high; compare runs by their difference."
# the figures are those of docs/measurements.md; a test holds them against each other
WHICH_STRATEGY = {
    "tone": "info",
    "title": "Which strategy?",
    "text": "In all five trials “IterIT, cumulative” ended below the paper's IterIT (four on the demo's pools, 5 seeds; one with SmolLM2-135M on "
    "600 real samples, 3 seeds), so take that one of the two. Whether selecting pays is another matter: against a random draw made anew each "
    "epoch it won one trial (noisier pool, 10 %: held-out loss 2.164 against 2.186) and lost four (5 % of it: 2.179 against 2.149; plain pool, "
    "10 %: 2.182 against 2.163, 5 %: 2.197 against 2.156; SmolLM2: 1.880 against 1.866), so use “Try before you launch”.",
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
        "help": "How a long run is stopped, resumed and reviewed.",
    },
    "data": {"title": "Data", "help": "How files are read."},
}
PILOT = {
    "title": "Try before you launch",
    "help": "A pilot trains the strategies that you tick on a small share of the steps, beside two random draws, and says "
    "which to launch, or that nothing beats random here.",
    "made": "It was of other settings than the form has now: {names}. Queue another to try these.",
}
PILOT_LABEL = {"strategies": "Strategies", "share": "Share of the steps", "seeds": "Seeds"}
PILOT_HELP = {
    "strategies": "“Random” and “Random, redrawn each epoch” are always in: they are what has to be beaten.",
    "share": "0.05 to 1. The budget is scaled by it; epochs, learning rate, warm-up and schedule stay.",
    "seeds": "Two or more: 0, 1 or 0-2. Each strategy runs once with each.",
}
