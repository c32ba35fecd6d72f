"""What a pod does with its object store again and again, for as long as it runs."""

import http.client
from collections.abc import Callable
from typing import Final

from runtime.lines import say

FAILURES: Final = (OSError, http.client.HTTPException, ValueError, RuntimeError)


class Trying:
    """Tries something each time it is called; says when that begins to fail, and when it ends.

    failing  what is said then, with the failure; again: once it is over
    """

    def __init__(self, failing: str, again: str) -> None:
        self._failing, self._again = failing, again
        self._said = ""

    def __call__(self, step: Callable[[], object]) -> bool:
        """Try once; tells whether it went well."""
        try:
            step()
            trouble = ""
        except FAILURES as error:
            trouble = f"{self._failing}: {type(error).__name__}: {error}"
        if trouble != self._said:
            say(trouble or self._again, level="warning" if trouble else "info")
        self._said = trouble
        return not trouble
