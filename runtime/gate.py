"""How much a worker takes on: requests computed, requests waiting, bytes held. All bounded."""

from typing import Final

from runtime.problems import Overloaded

QUEUE_FACTOR: Final = 10  # Knative's queue-proxy lets ten times the container concurrency wait
UNLIMITED_QUEUE: Final = 2_048
MIN_BYTES: Final = 64 * 1024 * 1024


class Gate:
    """Counts. `running` requests are being computed, `admitted` are computed or wait for it.

    Bytes are counted twice over: `bytes` of whole requests, `kept` of half-read ones, each up to
    `most_bytes`, so that who sends halves keeps nobody out who sends whole requests.

    container_concurrency  requests computed at a time; 0: no limit, but a bounded queue
    max_body_bytes         a few of the largest bodies must fit into what may be held
    """

    def __init__(self, container_concurrency: int, max_body_bytes: int) -> None:
        self.limit = container_concurrency
        self.most = (
            container_concurrency * (1 + QUEUE_FACTOR) if container_concurrency else UNLIMITED_QUEUE
        )
        self.most_bytes = max(MIN_BYTES, 4 * max_body_bytes)
        self.admitted = self.running = self.bytes = self.kept = self.shed = 0

    def enter(self, size: int) -> None:
        """Admit a request whose body has so many bytes; raises Overloaded."""
        if self.admitted >= self.most:
            raise self._overloaded(f"{self.admitted} requests are in flight or wait")
        self.grow(size)
        self.admitted += 1

    def grow(self, size: int) -> None:
        """Hold so many bytes more (or fewer) of an admitted request; raises Overloaded."""
        if size > 0 and self.bytes + size > self.most_bytes:
            raise self._overloaded(f"{self.bytes} bytes of requests are held")
        self.bytes += size

    def keep(self, size: int) -> None:
        """Hold so many bytes more (or fewer) of what is half read; raises Overloaded."""
        if size > 0 and self.kept + size > self.most_bytes:
            raise self._overloaded(f"{self.kept} bytes of half-read requests are held")
        self.kept += size

    def holds(self) -> bool:
        """True while there are bytes of any request."""
        return bool(self.bytes or self.kept)

    def room(self) -> int:
        """Give how many requests may start computing now."""
        return self.limit - self.running if self.limit else UNLIMITED_QUEUE

    def _overloaded(self, why: str) -> Overloaded:
        self.shed += 1
        return Overloaded(
            f"{why}, which is all this replica takes. Try again after Retry-After seconds.",
            retry_after_s=1,
        )
