"""Newer keys and revocations for a pod that has no volume: read from its tenant's object store.

They are signed with a key that the pod knows, so whoever answers in the store's place can hand out
nothing, and older ones than those it has are not taken. While the store does not answer, the pod
goes on with what it has.
"""

import random
import time
from collections.abc import Callable, Mapping
from typing import Final, NoReturn

from runtime.fetch import Source, asked, read_whole, source_from
from runtime.trying import Trying

EVERY_S: Final = 15.0
MOST_BYTES: Final = 4 * 1024 * 1024
NAME: Final = "keys.jws"  # below the tenant's prefix


class Renewal:
    """Looks now and then; `take` is called with each new document, and raises ValueError for one
    that it does not believe.
    """

    def __init__(self, env: Mapping[str, str], take: Callable[[bytes], None]) -> None:
        self._source: Source = source_from(env, "KUBESERVE_KEYS_FROM")
        self._take = take
        self._etag = ""
        self._trying = Trying("the keys cannot be renewed", "the keys are renewed again")

    def run(self) -> NoReturn:
        """Look each 15 s, in a thread of its own; says when it begins to fail, and when it ends."""
        while True:
            # Pods that started together do not ask together.
            time.sleep(EVERY_S * random.uniform(0.8, 1.0))  # noqa: S311
            self._trying(self.look)

    def look(self) -> bool:
        """Ask once; tells whether there was something new, which then was taken."""
        extra = {"if-none-match": self._etag} if self._etag else {}
        with asked(self._source, NAME, extra) as response:
            if response.status == 304:
                return False
            document = read_whole(response, NAME, MOST_BYTES)
            etag = response.headers.get("etag", "")
        self._take(document)
        self._etag = etag
        return True
