"""Arithmetic on values: exact fractions where possible, complex numbers in double precision, and matrices of both."""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

MAX_BITS = 60_000
"""Largest integer that is computed; beyond it a formula has no value here, and only its spelling counts."""
MAX_FACTORIAL = 2_500
RELATIVE_TOLERANCE = 1e-9
Value: TypeAlias = "Fraction | complex | Matrix"


class NoValueError(ArithmeticError):
    """The formula has no value at this point, or none that is small enough to compute."""


class Matrix:
    """A matrix of values, for the arithmetic that answers contain: sums, products, multiples, powers."""

    def __init__(self, rows: Sequence[Sequence[Value]]) -> None:
        self.rows = [list(row) for row in rows]

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])


def is_real(value: Value) -> bool:
    """Whether a value is real, but for what double precision adds to it."""
    return not isinstance(value, complex) or abs(value.imag) < 1e-12


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise NoValueError("too large")
    return value


def finite(value: complex) -> complex:
    """The value, if it is finite. Raises NoValueError."""
    if not cmath.isfinite(value):
        raise NoValueError("not finite")
    return value


def _add(a: Value, b: Value) -> Value:
    if isinstance(a, Matrix) or isinstance(b, Matrix):
        if not (isinstance(a, Matrix) and isinstance(b, Matrix)) or a.shape != b.shape:
            raise NoValueError("a sum of different shapes")
        return Matrix([[_add(x, y) for x, y in zip(p, q, strict=True)] for p, q in zip(a.rows, b.rows, strict=True)])
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return _bounded(a + b)
    return finite(inexact(a) + inexact(b))


def inexact(value: Fraction | complex) -> complex:
    """The value in double precision. Raises OverflowError."""
    return complex(float(value)) if isinstance(value, Fraction) else value


def _negate(a: Value) -> Value:
    return _multiply(Fraction(-1), a)


def _subtract(a: Value, b: Value) -> Value:
    return _add(a, _negate(b))


def _multiply(a: Value, b: Value) -> Value:
    if isinstance(a, Matrix) and isinstance(b, Matrix):
        if a.shape[1] != b.shape[0] or a.shape[0] * b.shape[1] * a.shape[1] > 1_000:
            raise NoValueError("a product of shapes that do not fit")
        columns = list(zip(*b.rows, strict=True))
        return Matrix([[_dot(row, column) for column in columns] for row in a.rows])
    if isinstance(a, Matrix):
        a, b = b, a
    if isinstance(b, Matrix):
        return Matrix([[_multiply(a, cell) for cell in row] for row in b.rows])
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return _bounded(a * b)
    return finite(inexact(a) * inexact(b))  # type: ignore[arg-type]  # neither is a matrix here


def _dot(row: Sequence[Value], column: Sequence[Value]) -> Value:
    total: Value = Fraction(0)
    for x, y in zip(row, column, strict=True):
        total = _add(total, _multiply(x, y))
    return total


def divide(a: Value, b: Value) -> Value:
    """The quotient of two values. Raises NoValueError, and ZeroDivisionError."""
    if isinstance(b, Matrix):
        raise NoValueError("division by a matrix")
    return _multiply(a, 1 / b)


def _power(a: Value, b: Value) -> Value:
    if isinstance(b, Matrix):
        raise NoValueError("a matrix as exponent")
    if isinstance(a, Matrix):
        return _matrix_power(a, b)
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        if b.denominator == 1:
            exponent = b.numerator
            if abs(exponent) * max(a.numerator.bit_length(), a.denominator.bit_length()) > MAX_BITS:
                raise NoValueError("too large")
            return a**exponent
        if b.denominator <= 12 and abs(b.numerator) <= 60:
            root = _exact_root(a, b.denominator)
            if root is not None:
                return _power(root, Fraction(b.numerator))
    return finite(inexact(a) ** inexact(b))


def _matrix_power(a: Matrix, b: Fraction | complex) -> Value:
    if isinstance(b, Fraction) and b.denominator == 1 and 1 <= b.numerator <= 8:
        product: Value = a
        for _ in range(b.numerator - 1):
            product = _multiply(product, a)
        return product
    if b == -1 and a.shape == (2, 2):
        (p, q), (r, s) = a.rows
        size = _subtract(_multiply(p, s), _multiply(q, r))
        return Matrix([[divide(s, size), divide(_negate(q), size)],
                       [divide(_negate(r), size), divide(p, size)]])  # fmt: skip
    raise NoValueError("a power of a matrix")


def _exact_root(value: Fraction, degree: int) -> Fraction | None:
    if value < 0:
        if degree % 2 == 0:
            return None
        root = _exact_root(-value, degree)
        return None if root is None else -root
    above, below = _integer_root(value.numerator, degree), _integer_root(value.denominator, degree)
    return None if above is None or below is None else Fraction(above, below)


def _integer_root(number: int, degree: int) -> int | None:
    if degree == 2:
        root = math.isqrt(number)
    elif number.bit_length() > 900:
        return None
    else:
        root = round(float(number) ** (1 / degree))
    return root if root**degree == number else None


def _root(value: Value, degree: Value) -> Value:
    if isinstance(value, Matrix) or not isinstance(degree, Fraction) or degree.denominator != 1 or degree == 0:
        raise NoValueError("such a root")
    index = degree.numerator
    if isinstance(value, Fraction) and 0 < index <= 60:
        exact = _exact_root(value, index)
        if exact is not None:
            return exact
        if value < 0 and index % 2 == 1:
            return -finite(inexact(-value) ** (1 / index))
    return finite(inexact(value) ** (1 / index))


def _factorial(value: Value) -> Value:
    if not isinstance(value, Fraction) or value.denominator != 1 or not 0 <= value.numerator <= MAX_FACTORIAL:
        raise NoValueError("such a factorial")
    return Fraction(math.factorial(value.numerator))


def _binomial(n: Value, k: Value) -> Value:
    whole = [part.numerator for part in (n, k) if isinstance(part, Fraction) and part.denominator == 1]
    if len(whole) != 2 or not 0 <= whole[1] <= whole[0] <= MAX_FACTORIAL:
        raise NoValueError("such a binomial")
    return Fraction(math.comb(whole[0], whole[1]))


def _absolute(value: Value) -> Value:
    if isinstance(value, Matrix):
        return determinant(value)
    return abs(value) if isinstance(value, Fraction) else complex(abs(value))


def determinant(matrix: Value) -> Value:
    """The determinant of a square matrix of at most four rows. Raises NoValueError."""
    if not isinstance(matrix, Matrix) or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] > 4:
        raise NoValueError("such a determinant")
    rows = matrix.rows
    if len(rows) == 1:
        return rows[0][0]
    total: Value = Fraction(0)
    for column, cell in enumerate(rows[0]):
        minor = determinant(Matrix([row[:column] + row[column + 1 :] for row in rows[1:]]))
        term = _multiply(cell, minor)
        total = _add(total, term) if column % 2 == 0 else _subtract(total, term)
    return total


def _round_to(value: Value, how: Any) -> Value:
    if isinstance(value, Matrix) or (isinstance(value, complex) and abs(value.imag) > 1e-9):
        raise NoValueError("rounding of what is not real")
    real = value if isinstance(value, Fraction) else value.real
    return Fraction(how(real))


def logarithm(value: Value, base: Value | None) -> Value:
    """The logarithm to a base, natural without one. Raises NoValueError, and ValueError for 0."""
    if isinstance(value, Matrix) or isinstance(base, Matrix):
        raise NoValueError("a logarithm of a matrix")
    natural = finite(cmath.log(inexact(value)))
    return natural if base is None else finite(natural / cmath.log(inexact(base)))


OPERATIONS: Mapping[str, Any] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": divide,
    "ratio": divide,
    "^": _power,
    "negate": _negate,
    "root": _root,
    "!": _factorial,
    "binom": _binomial,
    "abs": _absolute,
    "floor": lambda value: _round_to(value, math.floor),
    "ceiling": lambda value: _round_to(value, math.ceil),
    "percent": lambda value: divide(value, Fraction(100)),
    "log_base": lambda base, value: logarithm(value, base),
}


def _reciprocal(function: Any) -> Any:
    return lambda value: 1 / function(value)


FUNCTIONS: Mapping[str, Any] = {
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "cot": _reciprocal(cmath.tan),
    "sec": _reciprocal(cmath.cos),
    "csc": _reciprocal(cmath.sin),
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "arccot": lambda value: math.pi / 2 - cmath.atan(value),
    "arcsec": lambda value: cmath.acos(1 / value),
    "arccsc": lambda value: cmath.asin(1 / value),
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
    "exp": cmath.exp,
    "ln": cmath.log,
}


def same_value(a: Value, b: Value) -> bool:
    """Whether two values are equal: exactly where both are exact, else within the relative tolerance."""
    if isinstance(a, Matrix) or isinstance(b, Matrix):
        return (
            isinstance(a, Matrix)
            and isinstance(b, Matrix)
            and a.shape == b.shape
            and all(same_value(x, y) for p, q in zip(a.rows, b.rows, strict=True) for x, y in zip(p, q, strict=True))
        )
    if isinstance(a, Fraction) and isinstance(b, Fraction):
        return a == b
    try:
        x, y = inexact(a), inexact(b)
    except OverflowError:
        return False
    size = max(abs(x), abs(y))
    return abs(x - y) <= RELATIVE_TOLERANCE * size or size < 1e-13
