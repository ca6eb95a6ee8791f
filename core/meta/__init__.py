"""Meta-learning: one file per algorithm, each opening with its equation and citation.

Pure functions over dicts of tensors whose first dimension is the task, so that N tasks adapt in one backward pass.
"""
