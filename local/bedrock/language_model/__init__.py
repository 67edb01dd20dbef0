"""A real language model behind the local Bedrock's APIs: it answers and is trained in processes of its own.

These processes (`local.language_model`) have an environment of their own; here is only what talks to them.
"""
