"""Grader definitions of OpenAI's fine-tuning, run as they are: https://platform.openai.com/docs/guides/graders."""

from tunedrop.graders.openai_definition.grader import OpenAIDefinitionGrader, is_definition

__all__ = ["OpenAIDefinitionGrader", "is_definition"]
