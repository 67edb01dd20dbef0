"""Maths answers: what an answer commits to, what it means, and whether that equals the reference.

Everything here is pure Python, linear in a capped length, and exact where arithmetic is: no `eval`, no computer
algebra. Expressions with variables are compared by their values at fixed points.
"""
