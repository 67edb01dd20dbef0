"""Which tests can fail: those that some program which does nothing does not pass.

Each stub stands for such a program. A test that never runs, asserts nothing, asserts a tuple or swallows its own
AssertionError passes with all of them; tests that one stub passes together cannot tell it from a solution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tunedrop.graders.code_sandbox.exceptions import SolutionError

_MOST_USES = 2_000
"""How often the tests may use a stub: a loop that waits for a value that never comes must end."""

Passing = Callable[[Sequence[str], dict[str, Any]], tuple[set[int], str]]


class _Enough(BaseException):
    """The tests used a stub too often; BaseException, so that no `except Exception` of theirs goes on."""


class _Stub:
    """Equals nothing but itself, as an object of the code does on its way to the tests."""

    _uses: list[int]

    def __init__(self, uses: list[int]) -> None:
        self._uses = uses

    def _used(self) -> None:
        self._uses[0] += 1
        if self._uses[0] > _MOST_USES:
            raise _Enough

    def __call__(self, *_: Any, **__: Any) -> Any:
        self._used()
        return type(self)(self._uses)


class _Same(_Stub):
    """Returns one and the same object."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        self._used()
        return self

    def __bool__(self) -> bool:
        self._used()
        return True


class _Mock(_Same):
    """Has every attribute and no items, as a mock object."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._used()
        return self

    def __getitem__(self, _: Any) -> Any:
        self._used()
        return self

    def __setitem__(self, _: Any, __: Any) -> None:
        self._used()

    def __len__(self) -> int:
        self._used()
        return 0

    def __iter__(self) -> Iterator[Any]:
        self._used()
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None


class _False(_Mock):
    """As `_Mock`, and counts as false."""

    def __bool__(self) -> bool:
        self._used()
        return False


class _Raising(_Stub):
    """Raises whenever it is called."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        self._used()
        raise SolutionError("a stub")


_STUBS: tuple[type[_Stub], ...] = (_Stub, _Same, _Mock, _False, _Raising)


def tests_that_can_fail(request: Mapping[str, Any], namespace: dict[str, Any], passing: Passing) -> set[int]:
    """The numbers (from 0) of the tests that are not passed by both mocks, the true and the false one.

    None where one stub passes all of these together.

    `request` as `harness.run_tests` has it. `namespace` is what the tests start with, `passing` runs them.
    """
    passed = {stub: _passed_by(stub, request, dict(namespace), passing) for stub in _STUBS}
    can_fail = set(range(len(request["tests"]))) - (passed[_Mock] & passed[_False])
    return can_fail if all(can_fail - by_stub for by_stub in passed.values()) else set()


def _passed_by(kind: type[_Stub], request: Mapping[str, Any], namespace: dict[str, Any], passing: Passing) -> set[int]:
    stub = kind([0])
    namespace["_run_program"] = lambda _: ""
    try:
        exec(compile(request["preamble"], "<preamble>", "exec", dont_inherit=True), namespace)  # noqa: S102 (as below)
        namespace.update((name, stub) for name in request["names"] if name not in namespace)
        exec(compile(request["setup"], "<setup>", "exec", dont_inherit=True), namespace)  # noqa: S102 (the dataset's own code, confined)
        return passing(request["tests"], namespace)[0]
    except (Exception, _Enough):
        return set()
