"""One life cycle for everything that runs beside the page: runs, work on a pool (map, findings, lengths), evaluations."""
