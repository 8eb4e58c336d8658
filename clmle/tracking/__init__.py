"""Copies of what a run logs for TensorBoard, MLflow, Weights & Biases and trackio.

The run folder stays the only source: a tracker receives the lines of ``metrics.jsonl``. Each file
holds one tracker and imports its package when it is opened.
"""
