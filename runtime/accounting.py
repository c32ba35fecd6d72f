"""Average concurrency as Knative's queue-proxy reports it: the area under requests in flight.

Source: knative/networking, pkg/http/stats/request.go.
"""


class Concurrency:
    """Requests in flight over time; reports the average since the last report.

    busy_s  so far with at least one request in flight, whatever their number
    """

    __slots__ = ("_area", "_changed", "_requests", "_seconds", "busy_s", "in_flight", "total")

    def __init__(self, now: float) -> None:
        self.in_flight = self.total = 0
        self._changed, self._area, self._seconds = now, 0.0, 0.0
        self._requests, self.busy_s = 0, 0.0

    def enter(self, now: float) -> None:
        """Count a request that arrived."""
        if now > self._changed:
            self._advance(now)
        self.in_flight += 1
        self.total += 1
        self._requests += 1

    def leave(self, now: float) -> None:
        """Count a request that was answered or given up."""
        if now > self._changed:
            self._advance(now)
        self.in_flight -= 1

    def passed(self, count: int, seconds: float, busy_s: float) -> None:
        """Count requests that came and went since the last change: so many, in all so long.

        busy_s  from the first that came to the last that went
        """
        self.total += count
        self._requests += count
        self._area += seconds
        self.busy_s += busy_s

    def busy_until(self, now: float) -> float:
        """Give `busy_s` with the requests that are in flight."""
        return self.busy_s + (max(0.0, now - self._changed) if self.in_flight else 0.0)

    def report(self, now: float) -> tuple[float, int]:
        """Give (average concurrency, requests arrived) since the last report."""
        self._advance(now)
        average = self._area / self._seconds if self._seconds else 0.0
        requests = self._requests
        self._area, self._seconds, self._requests = 0.0, 0.0, 0
        return average, requests

    def _advance(self, now: float) -> None:
        passed = now - self._changed
        if passed > 0:
            self._area += self.in_flight * passed
            if self.in_flight:
                self.busy_s += passed
            self._seconds += passed
            self._changed = now
