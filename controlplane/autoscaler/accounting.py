"""Average concurrency from requests coming and going: the area under "how many are in flight"."""


class Concurrency:
    """In-flight requests of one revision, integrated over time.

    source  knative.dev/networking, pkg/http/stats/request.go, RequestStats
    """

    def __init__(self, now_ns: int) -> None:
        self.in_flight = 0
        self._last_change_ns = now_ns
        self._area = 0
        self._elapsed_ns = 0
        self._requests = 0

    def _advance(self, now_ns: int) -> None:
        passed = now_ns - self._last_change_ns
        if passed > 0:
            self._elapsed_ns += passed
            self._area += self.in_flight * passed
            self._last_change_ns = now_ns

    def start(self, now_ns: int) -> None:
        """Count a request in; it counts from its arrival, time in a queue included."""
        self._advance(now_ns)
        self._requests += 1
        self.in_flight += 1

    def finish(self, now_ns: int) -> None:
        """Count a request out."""
        self._advance(now_ns)
        self.in_flight -= 1

    def report(self, now_ns: int) -> tuple[float, int]:
        """Give (average concurrency, requests) since the last report and begin anew."""
        self._advance(now_ns)
        average = self._area / self._elapsed_ns if self._elapsed_ns else 0.0
        requests = self._requests
        self._area = self._elapsed_ns = self._requests = 0
        return average, requests
