"""How trials before a long run are judged, in words; `analysis.pilot_verdict` and `budget_verdict` are the rules themselves."""

CONTROL = "random-each-epoch"
KEPT = "random"  # the other random draw: one for all epochs
ERROR_RATE = 0.05  # of pilots in which nothing differs, at most this share names a strategy

PILOT_RULE = (
    "A strategy is recommended where its mean loss is below that of the random draw made anew each epoch by more than chance "
    "between seeds explains. That margin is the spread between seeds, pooled over all strategies of the pilot (two seeds "
    "of one strategy alone would say too little), times Student's t for so many degrees of freedom and strategies: "
    "where nothing differs, at most 5 in 100 pilots recommend a strategy."
)
BUDGET_RULE = (
    "A budget does as well as the full pool where its mean loss is above the full pool's by no more than the spread between "
    "seeds (standard deviation, pooled over the budgets). The search goes from half of the pool down and ends at the first "
    "budget outside. It shows no difference; it does not prove that there is none, and more seeds see smaller ones."
)
