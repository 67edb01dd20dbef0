"""What the tests of a row may take from `pytest`, which is not in the sandbox: `raises`, `approx`, `mark`, `fail`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CoroutineType, FunctionType, GeneratorType, SimpleNamespace, TracebackType
from typing import Any, NoReturn

KNOWN = ("raises", "approx", "mark", "fail", "fixture")
KNOWN_MARKS = ("parametrize", "asyncio", "anyio")
_RELATIVE, _ABSOLUTE = 1e-6, 1e-12
"""The tolerances of `pytest.approx`."""


class raises:  # noqa: N801 (the name that tests use)
    """`with pytest.raises(ValueError, match="neg") as caught:`; `caught.value` is the exception."""

    def __init__(self, expected: type[BaseException] | tuple[type[BaseException], ...], *, match: str = "") -> None:
        self._expected, self._match = expected, match
        self.value: BaseException | None = None

    def __enter__(self) -> raises:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        if error is None:
            raise AssertionError(f"nothing was raised; {self._expected!r} was expected")
        if not isinstance(error, self._expected):
            return False
        if re.search(self._match, str(error)) is None:
            raise AssertionError(f"the message is {str(error)[:100]!r}; {self._match!r} was expected in it")
        self.value = error
        return True


class approx:  # noqa: N801 (as above)
    """Equals a number, or numbers in a list, a tuple or a mapping, within the tolerances."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, expected: Any, rel: float | None = None, abs: float | None = None) -> None:  # noqa: A002 (as above)
        self._expected = expected
        self._absolute = _ABSOLUTE if abs is None else abs
        self._relative = (_RELATIVE if abs is None else 0.0) if rel is None else rel

    def __eq__(self, given: object) -> bool:
        return self._near(given, self._expected)

    def _near(self, given: Any, expected: Any) -> bool:
        if isinstance(expected, Mapping):
            same = isinstance(given, Mapping) and given.keys() == expected.keys()
            return same and all(self._near(given[name], value) for name, value in expected.items())
        if isinstance(expected, Sequence) and not isinstance(expected, (str, bytes)):
            same = isinstance(given, (list, tuple)) and len(given) == len(expected)
            return same and all(map(self._near, given, expected))
        numbers = (int, float, complex)
        if not isinstance(expected, numbers) or type(given) not in numbers:
            return type(given) is type(expected) and bool(given == expected)
        near = max(self._absolute, self._relative * abs(expected))
        return bool(given == expected or abs(given - expected) <= near)


def fail(reason: str = "") -> NoReturn:
    """Fail the test."""
    raise AssertionError(reason)


def _parametrize(names: str | Sequence[str], cases: Sequence[Any], **_: Any) -> Callable[[Callable[..., Any]], Any]:
    """A test function that is called once with each case; further decorators make it every combination."""
    called = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        def run(**given: Any) -> None:
            for case in cases:
                _to_its_end(test(**given, **dict(zip(called, case if len(called) > 1 else (case,), strict=True))))

        run.wanted = [name for name in _wanted(test) if name not in called]  # type: ignore[attr-defined]
        return run

    return decorate


def _asyncio(test: Callable[..., Any] | None = None, **_: Any) -> Callable[..., Any]:
    """A test function that is a coroutine; `@pytest.mark.asyncio` stands with and without brackets."""
    if test is None:
        return _asyncio

    def run(**given: Any) -> None:
        _to_its_end(test(**given))

    run.wanted = _wanted(test)  # type: ignore[attr-defined]
    return run


def _to_its_end(result: Any) -> None:
    if isinstance(result, CoroutineType):
        import asyncio  # the grader loads this module, too, and needs no event loop

        asyncio.run(result)


mark = SimpleNamespace(parametrize=_parametrize, asyncio=_asyncio, anyio=_asyncio)


def fixture(function: Callable[..., Any] | None = None, *, autouse: bool = False, **_: Any) -> Callable[..., Any]:
    """A function whose result, or what it yields, tests take by its name."""
    if function is None:
        return lambda decorated: fixture(decorated, autouse=autouse)
    function.autouse = autouse  # type: ignore[attr-defined]
    return function


def call(test: Callable[..., Any], names: Mapping[str, Any]) -> None:
    """Call a test with the fixtures that its parameters name, which stand among `names`."""
    made: dict[str, Any] = {}
    endings: list[Iterator[Any]] = []
    for name, value in list(names.items()):
        if isinstance(value, FunctionType) and vars(value).get("autouse") is True:
            _make(name, names, made, endings)
    try:
        _to_its_end(test(**{name: _make(name, names, made, endings) for name in _wanted(test)}))
    finally:
        for ending in reversed(endings):
            for _ in ending:
                """What a fixture does behind its `yield`."""


def _make(name: str, names: Mapping[str, Any], made: dict[str, Any], endings: list[Iterator[Any]]) -> Any:
    """The value of a fixture; each is made once a test."""
    if name not in made:
        function = names[name]
        value = function(**{each: _make(each, names, made, endings) for each in _wanted(function)})
        if isinstance(value, GeneratorType):
            endings.append(value)
            value = next(value)
        made[name] = value
    return made[name]


def _wanted(function: Any) -> list[str]:
    """The parameters that a function must be given."""
    if (told := getattr(function, "wanted", None)) is not None:
        return list(told)
    if not isinstance(function, FunctionType):
        return []  # what a decorator made of it
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount - len(function.__defaults__ or ())]
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return [*positional, *(name for name in named if name not in (function.__kwdefaults__ or {}))]
