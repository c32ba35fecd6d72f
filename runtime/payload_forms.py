"""How a pod hands over what it logged: batches into its tenant's part of the object store.

It writes with a form that the control plane signed, as it tells its usage (`runtime/telling.py`):
for objects of a batch's size below `payload-batches/TENANT/`, and nothing else; it cannot read
there. Where a batch goes says whose it is, since the form is the tenant's.
"""

import time
from collections.abc import Mapping
from typing import Final

from runtime.fetch import Source, asked, read_whole, source_from
from runtime.telling import FORM_S, MOST_BYTES, Form, Refused, read_form, send

FORM: Final = "payloads.json"  # below the tenant's prefix


class FormSink:
    """Sends batches to the object store; raises LaunchError when it is not told where."""

    def __init__(self, env: Mapping[str, str], endpoint: str) -> None:
        self._source: Source = source_from(env, "KUBESERVE_KEYS_FROM")
        self._endpoint = endpoint
        self._form: Form | None = None
        self._form_at = 0.0

    def take(self, name: str, batch: bytes) -> None:
        """Write a batch; raises OSError, HTTPException, ValueError."""
        form = self._current()
        try:
            send(self._source, form, f"{self._endpoint}/{name}", batch)
        except Refused:
            self._form = None  # it is over, or of a key that was changed: read the next one
            raise

    def note(self, counts: tuple[int, int, int, int, int]) -> None:
        """Nothing: the next batch says it; what a killed pod held is known to nobody."""

    def _current(self) -> Form:
        now = time.monotonic()
        if self._form is None or now - self._form_at > FORM_S:
            with asked(self._source, FORM, {}) as response:
                document = read_whole(response, FORM, MOST_BYTES)
            self._form, self._form_at = read_form(document), now
        return self._form
