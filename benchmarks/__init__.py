"""Figures of the project, each with the command that gives it; run as ``python -m benchmarks.NAME`` from the checkout."""
