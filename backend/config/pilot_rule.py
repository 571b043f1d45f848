"""What a pilot's strategies have to beat, and when they do, in words; `analysis.pilot_verdict` is the rule itself."""

CONTROL = "random-each-epoch"
KEPT = "random"  # the other random draw: one for all epochs
ERROR_RATE = 0.05  # of pilots in which nothing differs, at most this share names a strategy

RULE = (
    "A strategy is recommended where its mean loss is below that of the random draw made anew each epoch by more than chance "
    "between seeds explains. That margin is the spread between seeds, pooled over all strategies of the pilot (two seeds "
    "of one strategy alone would say too little), times Student's t for so many degrees of freedom and strategies: "
    "where nothing differs, at most 5 in 100 pilots recommend a strategy."
)
