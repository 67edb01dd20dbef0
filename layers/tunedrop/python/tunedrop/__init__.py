"""Tunedrop: drop a dataset into S3, get a model tuned by reinforcement fine-tuning and the proof that it is better."""

import gc

# A start makes objects that stay. To look for garbage among them after every 2,000, as Python does, only delays it.
gc.set_threshold(20_000)

__version__ = "0.2.0"
