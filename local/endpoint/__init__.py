"""Rehearsal and evaluation from a desk: real models at an OpenAI-compatible endpoint, the grader on this machine."""
