"""Which revision answers a request: by tag, else by percentage."""

from collections.abc import Sequence

from runtime.accounting import Concurrency
from runtime.backend import Backend
from runtime.batching import Lane
from runtime.codecs.request import ModelInfo
from runtime.launch import RevisionLaunch
from runtime.metrics import RevisionMetrics
from runtime.problems import NotFound

GOLDEN = 0.6180339887498949


class Revision:
    """One routed revision with what answers for it.

    prefix  the head of its answers up to their length; rewritten each second for its date
    """

    __slots__ = ("backend", "counts", "in_flight", "info", "lane", "launch", "prefix")

    def __init__(
        self, launch: RevisionLaunch, endpoint: str, backend: Backend, lane: Lane, now: float
    ) -> None:
        self.launch, self.backend, self.lane = launch, backend, lane
        self.info = ModelInfo(endpoint, launch.name, launch.model, launch.version)
        self.counts = RevisionMetrics()
        self.in_flight = Concurrency(now)
        self.prefix = b""
        lane.on_batch = self._on_batch

    def _on_batch(self, requests: int, rows: int) -> None:
        self.counts.batch.add(requests)
        self.counts.rows += rows


class Revisions:
    """The routed revisions of an endpoint.

    start          from 0 to 1, where the sequence of percentages begins
    only           the one that gets all requests that name none, if there is such a one
    chosen_before  an ingress chose by tag already, the first is the one
    """

    def __init__(
        self, revisions: Sequence[Revision], start: float, *, chosen_before: bool = False
    ) -> None:
        # `start`, from 0 to 1, is drawn at random: replicas that answer one request before they are
        # stopped would otherwise all begin with the same revision.
        self.all = tuple(revisions)
        self._by_tag = {r.launch.tag: r for r in revisions if r.launch.tag}
        self._chosen_before = chosen_before
        self._by_version = {r.launch.version: r for r in revisions}
        self.only = next((r for r in revisions if r.launch.percent == 100), None)
        self._share = start

    def choose(self, tag: str | None = None, version: int | None = None) -> Revision:
        """Pick a revision; raises NotFound for a tag or version that is not routed."""
        if tag is not None and not self._chosen_before:
            return self._found(self._by_tag.get(tag), f"tag {tag!r}", list(map(str, self._by_tag)))
        if version is not None:
            known = [str(v) for v in self._by_version]
            return self._found(self._by_version.get(version), f"version {version}", known)
        return self.only or self._by_percent()

    def _found(self, revision: Revision | None, what: str, known: list[str]) -> Revision:
        if revision is None:
            raise NotFound(f"This endpoint routes no {what}; it has {', '.join(known) or 'none'}.")
        return revision

    def _by_percent(self) -> Revision:
        # A golden-ratio sequence: each share is met within one request or two at any length, where
        # random numbers would need thousands of requests to come near it.
        self._share = (self._share + GOLDEN) % 1.0
        reached = 0.0
        for revision in self.all:
            reached += revision.launch.percent / 100
            if self._share < reached:
                return revision
        return self.all[-1]
