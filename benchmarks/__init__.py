"""Figures of the project, each with the command that gives it; run in the checkout as ``python -m benchmarks.NAME``."""
