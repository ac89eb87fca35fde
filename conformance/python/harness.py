"""Counting checks, one line each."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE = 10.0
"""Longest wait for anything that a chain should answer or announce, seconds."""


class Checks:
    """Runs checks and counts them; a failed one does not stop the others."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def check(self, name: str, action: Callable[[], Any]) -> None:
        """Runs one check and prints one line about it."""
        try:
            action()
        except Exception as error:  # a check may fail in any way
            self._failed(name, error)
        else:
            self._passed(name)

    async def check_async(self, name: str, action: Callable[[], Awaitable[Any]]) -> None:
        """The same for a check that waits."""
        try:
            await asyncio.wait_for(action(), PATIENCE)
        except Exception as error:
            self._failed(name, error)
        else:
            self._passed(name)

    def finish(self) -> None:
        """Prints the totals and ends the process, with an error code when anything failed."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(0 if self.passed > 0 and self.failed == 0 else 1)

    def _passed(self, name: str) -> None:
        self.passed += 1
        print(f"ok      {name}", flush=True)

    def _failed(self, name: str, error: Exception) -> None:
        self.failed += 1
        text = " ".join(str(error).split())[:400]
        print(f"FAILED  {name}: {type(error).__name__} {text}", flush=True)


def equal(actual: Any, expected: Any) -> None:
    """Fails unless both are the same."""
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def holds(condition: Any, what: str = "the condition") -> None:
    """Fails unless the condition is true."""
    if not condition:
        raise AssertionError(f"{what} does not hold")


def fails(action: Callable[[], Any], kind: type[Exception] = Exception) -> Exception:
    """What must fail, and did."""
    try:
        value = action()
    except kind as error:
        return error
    raise AssertionError(f"it should have failed and answered {value!r}")


def eventually(ask: Callable[[], Any]) -> Any:
    """Asks until the answer is there."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("the expected answer never came")
