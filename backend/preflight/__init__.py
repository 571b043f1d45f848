"""What would go wrong with a run and what it would cost, found before it is started; no torch."""
