"""Tunedrop: drop a dataset into S3, get a model tuned by reinforcement fine-tuning and the proof that it is better."""

__version__ = "0.2.0"
