"""Benchmarks: each compares with a plain implementation in the same run and says on which machine it ran."""
