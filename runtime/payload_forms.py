"""How a pod hands over what it logged: batches into its tenant's part of the object store.

It writes with a form that the control plane signed, as it tells its usage (`runtime/telling.py`):
for objects of a batch's size below `payload-batches/TENANT/`, and nothing else; it cannot read
there. Where a batch goes says whose it is, since the form is the tenant's.
"""

from collections.abc import Mapping
from typing import Final

from runtime.telling import Writer

FORM: Final = "payloads.json"  # below the tenant's prefix


class FormSink:
    """Sends batches to the object store; raises LaunchError when it is not told where."""

    def __init__(self, env: Mapping[str, str], endpoint: str) -> None:
        self._writer, self._endpoint = Writer(env, FORM), endpoint

    def take(self, name: str, batch: bytes) -> None:
        """Write a batch; raises OSError, HTTPException, ValueError."""
        self._writer.write(f"{self._endpoint}/{name}", batch)

    def note(self, counts: tuple[int, int, int, int, int]) -> None:
        """Nothing: the next batch says it; what a killed pod held is known to nobody."""
