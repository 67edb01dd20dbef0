"""Formulas: read into a tree, evaluated exactly where that is possible, and compared at fixed points.

Two formulas are the same when they have the same value wherever both have one. Rational arithmetic is exact
(fractions), the rest is double precision at several points, so no computer algebra is needed and the time is linear
in the length of the formula.
"""

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
Node: TypeAlias = tuple[Any, ...]
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


# Each variable gets values by its name; four points, one of them negative, none a root of anything usual.
_POINTS = (Fraction(37, 29), Fraction(61, 43), Fraction(-53, 31), Fraction(113, 19))
POINTS = range(len(_POINTS))
NEGATIVE = 2
_BRANCHED = frozenset({"root", "^", "log_base"})


def variable_value(name: str, point: int) -> Fraction:
    """The value of a variable at one of the points; the same name has the same value in every formula."""
    code = sum(ord(letter) * (31 + 7 * place) for place, letter in enumerate(name)) % 9_973
    return _POINTS[point] + Fraction(code, 10_007) * (-1 if point == NEGATIVE else 1)


def evaluate(node: Node, point: int) -> Value:
    """The value of a formula at a point. Raises NoValueError."""
    try:
        return _evaluate(node, point)
    except (OverflowError, ZeroDivisionError, ValueError, TypeError) as error:
        raise NoValueError(str(error)) from error


def _evaluate(node: Node, point: int) -> Value:
    kind = node[0]
    if kind == "number":
        return node[1]  # type: ignore[no-any-return]  # the reader puts a Fraction there
    if kind == "name":
        return _CONSTANTS[node[1]] if node[1] in _CONSTANTS else variable_value(node[1], point)
    if kind == "matrix":
        return Matrix([[_evaluate(cell, point) for cell in row] for row in node[1]])
    if kind == "degrees":
        return _evaluate(node[1], point)
    if kind == "call":
        return _call(node[1], node[2], point)
    values = [_evaluate(part, point) for part in node[1:]]
    result: Value = _OPERATIONS[kind](*values)
    if point == NEGATIVE and kind in _BRANCHED and not _is_real(result) and all(map(_is_real, values)):
        raise NoValueError("not real")  # √a·√b = √(ab) and ln a + ln b = ln ab hold where the roots are real
    return result


def _is_real(value: Value) -> bool:
    return not isinstance(value, complex) or abs(value.imag) < 1e-12


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() > MAX_BITS or value.denominator.bit_length() > MAX_BITS:
        raise NoValueError("too large")
    return value


def _finite(value: complex) -> complex:
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
    return _finite(_inexact(a) + _inexact(b))


def _inexact(value: Fraction | complex) -> complex:
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
    return _finite(_inexact(a) * _inexact(b))  # type: ignore[arg-type]  # neither is a matrix here


def _dot(row: Sequence[Value], column: Sequence[Value]) -> Value:
    total: Value = Fraction(0)
    for x, y in zip(row, column, strict=True):
        total = _add(total, _multiply(x, y))
    return total


def _divide(a: Value, b: Value) -> Value:
    if isinstance(b, Matrix):
        raise NoValueError("division by a matrix")
    if isinstance(b, Fraction):
        return _multiply(a, 1 / b)
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
    return _finite(_inexact(a) ** _inexact(b))


def _matrix_power(a: Matrix, b: Fraction | complex) -> Value:
    if isinstance(b, Fraction) and b.denominator == 1 and 1 <= b.numerator <= 8:
        product: Value = a
        for _ in range(b.numerator - 1):
            product = _multiply(product, a)
        return product
    if b == -1 and a.shape == (2, 2):
        (p, q), (r, s) = a.rows
        determinant = _subtract(_multiply(p, s), _multiply(q, r))
        return Matrix([[_divide(s, determinant), _divide(_negate(q), determinant)],
                       [_divide(_negate(r), determinant), _divide(p, determinant)]])  # fmt: skip
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
            return -_finite(_inexact(-value) ** (1 / index))
    return _finite(_inexact(value) ** (1 / index))


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
        return _determinant(value)
    return abs(value) if isinstance(value, Fraction) else complex(abs(value))


def _determinant(matrix: Value) -> Value:
    if not isinstance(matrix, Matrix) or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] > 4:
        raise NoValueError("such a determinant")
    rows = matrix.rows
    if len(rows) == 1:
        return rows[0][0]
    total: Value = Fraction(0)
    for column, cell in enumerate(rows[0]):
        minor = _determinant(Matrix([row[:column] + row[column + 1 :] for row in rows[1:]]))
        term = _multiply(cell, minor)
        total = _add(total, term) if column % 2 == 0 else _subtract(total, term)
    return total


def _round_to(value: Value, how: Any) -> Value:
    if isinstance(value, Matrix) or (isinstance(value, complex) and abs(value.imag) > 1e-9):
        raise NoValueError("rounding of what is not real")
    real = value if isinstance(value, Fraction) else value.real
    return Fraction(how(real))


def _logarithm(value: Value, base: Value | None) -> Value:
    if isinstance(value, Matrix) or isinstance(base, Matrix):
        raise NoValueError("a logarithm of a matrix")
    logarithm = _finite(cmath.log(_inexact(value)))
    return logarithm if base is None else _finite(logarithm / cmath.log(_inexact(base)))


_OPERATIONS: Mapping[str, Any] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "ratio": _divide,
    "^": _power,
    "negate": _negate,
    "root": _root,
    "!": _factorial,
    "binom": _binomial,
    "abs": _absolute,
    "floor": lambda value: _round_to(value, math.floor),
    "ceiling": lambda value: _round_to(value, math.ceil),
    "percent": lambda value: _divide(value, Fraction(100)),
    "log_base": lambda base, value: _logarithm(value, base),
}
_CONSTANTS: Mapping[str, complex] = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j, "I": 1j}


def _reciprocal(function: Any) -> Any:
    return lambda value: 1 / function(value)


_FUNCTIONS: Mapping[str, Any] = {
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
OF_ANGLES = frozenset({"sin", "cos", "tan", "cot", "sec", "csc"})


def _in_radians(angle: Node) -> Node:
    """An angle with its degrees as fractions of π: 90° - x is π/2 - x."""
    if angle[0] == "degrees":
        return ("*", angle[1], ("/", ("name", "pi"), ("number", Fraction(180))))
    if angle[0] in ("+", "-", "negate", "*", "/"):
        return (angle[0], *(_in_radians(part) for part in angle[1:]))
    return angle


def _call(name: str, arguments: Sequence[Node], point: int) -> Value:
    if name in OF_ANGLES:
        arguments = [_in_radians(argument) for argument in arguments]
    values = [_evaluate(argument, point) for argument in arguments]
    if name in ("max", "min", "gcd", "lcm"):
        whole = [value for value in values if isinstance(value, Fraction)]
        if len(whole) != len(values):
            raise NoValueError(f"{name} of what is not exact")
        if name in ("max", "min"):
            return max(whole) if name == "max" else min(whole)
        numbers = [value.numerator for value in whole]
        return Fraction(math.gcd(*numbers) if name == "gcd" else math.lcm(*numbers))
    if len(values) != 1 or isinstance(values[0], Matrix):
        if name == "det" and len(values) == 1:
            return _determinant(values[0])
        raise NoValueError(f"{name} of {len(values)}")
    value = _inexact(values[0])
    if name in ("log", "ln"):
        if point == NEGATIVE and value.imag == 0 and value.real < 0:
            raise NoValueError("not real")
        return _logarithm(value, Fraction(10) if name == "log" else None)
    return _finite(_FUNCTIONS[name](value))


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
        x, y = _inexact(a), _inexact(b)
    except OverflowError:
        return False
    size = max(abs(x), abs(y))
    return abs(x - y) <= RELATIVE_TOLERANCE * size or size < 1e-13


def same_formula(a: Node, b: Node) -> bool:
    """Whether two formulas have the same value at every point where both have one: at two of four, at least.

    `log` without a base is to base 10 or natural, whichever makes them equal: authors mean either.
    """
    if _same_values(a, b):
        return True
    x, y = _with_natural_logarithms(a), _with_natural_logarithms(b)
    return (x, y) != (a, b) and _same_values(x, y)


def _same_values(a: Node, b: Node) -> bool:
    needed, points = (2, POINTS) if names(a) or names(b) else (1, range(1))
    compared = 0
    for point in points:
        x, y = _value_or_none(a, point), _value_or_none(b, point)
        if x is None or y is None:
            continue
        if not same_value(x, y):
            return False
        compared += 1
    return compared >= needed


def _with_natural_logarithms(node: Node) -> Node:
    if node[:2] == ("call", "log"):
        return ("call", "ln", [_with_natural_logarithms(argument) for argument in node[2]])
    return tuple(_with_natural_logarithms(part) if isinstance(part, tuple) and part else part for part in node)


def _value_or_none(node: Node, point: int) -> Value | None:
    try:
        return evaluate(node, point)
    except NoValueError:
        return None


def proportional(a: Node, b: Node) -> Fraction | complex | None:
    """The constant c with a = c·b everywhere, or None: `2x - 4 = 0` is `x - 2 = 0`."""
    ratio: Value | None = None
    for point in POINTS:
        x, y = _value_or_none(a, point), _value_or_none(b, point)
        if x is None or y is None or isinstance(x, Matrix) or isinstance(y, Matrix):
            return None
        if same_value(y, Fraction(0)) or same_value(x, Fraction(0)):
            return None
        here = _divide(x, y)
        if ratio is not None and not same_value(here, ratio):
            return None
        ratio = here
    return None if isinstance(ratio, Matrix) else ratio


def names(node: Node) -> frozenset[str]:
    """The variables of a formula."""
    if node[0] == "name":
        return frozenset() if node[1] in _CONSTANTS else frozenset({node[1]})
    found: frozenset[str] = frozenset()
    for part in node[1:]:
        if isinstance(part, tuple) and part and isinstance(part[0], str):
            found |= names(part)
        elif isinstance(part, (list, tuple)):
            for inner in part:
                for cell in inner if isinstance(inner, list) else (inner,):
                    if isinstance(cell, tuple):
                        found |= names(cell)
    return found
