"""How many workers each tenant runs on this machine, and how many it may."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

UNBOUNDED = 1 << 30


class Shares:
    """Workers that start or serve, by tenant; bounds come from the control plane."""

    def __init__(self) -> None:
        self._otherwise, self._limits = UNBOUNDED, dict[str, int]()
        self._running = Counter[str]()

    def set(self, document: Mapping[str, Any]) -> None:
        """Take new bounds; what runs beyond them goes on."""
        limits = {str(tenant): int(most) for tenant, most in document["tenants"].items()}
        self._otherwise, self._limits = int(document["otherwise"]), limits

    def limit(self, tenant: str) -> int:
        """Give how many workers a tenant may have."""
        return self._limits.get(tenant, self._otherwise)

    def room(self, tenant: str) -> int:
        """Give how many more workers a tenant may start."""
        return max(0, self.limit(tenant) - self._running[tenant])

    def changed(self, tenant: str, by: int) -> None:
        """Count workers that were started, or are no longer there."""
        self._running[tenant] += by
