"""A real language model on this machine: served, and trained by GRPO, in processes and an environment of their own.

The local Bedrock starts `python -m local.language_model serve|train` with the Python of `.venvs/language-model`, which
has torch, transformers, TRL and PEFT (requirements/language-model.in). They talk in JSON, one object a line, by the
process's standard input and output. Nothing here is imported by any other part of Tunedrop.
"""
