"""The `code` kind: generated Python, run against unit tests where it can harm nobody and cheat nobody."""

from tunedrop.graders.code.grader import CodeGrader

__all__ = ["CodeGrader"]
