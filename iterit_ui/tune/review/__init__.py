"""The review gate: a run waits, somebody looks at what it would train on and answers."""
