"""The generator: sends each request when it is due and counts its latency from then.

One loop over one epoll, without locks and without Locust; it waits with `select`, whose timeout is
right to microseconds (epoll's is to milliseconds). Connections are opened as they are needed; a
request that finds none free waits, and its latency counts that.

It is imported before Locust, which has gevent replace what blocks: `select.epoll` is gone then.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import cycle
from select import EPOLLIN, EPOLLOUT, epoll, select
from typing import Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from loadtests.histogram import bins_of
from loadtests.links import Address, Link, TlsLink, context_for
from loadtests.recording import Interval
from loadtests.wire import END, BadAnswer, Head, Heads, Parsed

AT_A_TIME: Final = 4096  # latencies booked at once: 0.2 ms
KINDS: Final = 50  # of errors that are told apart
WRITING: Final = EPOLLIN | EPOLLOUT


class Limits(NamedTuple):
    """What a generator keeps to.

    connections  open at a time
    timeout_s    after which a request counts as not answered
    missed_s     a request that is looked at so much later than it was due was missed
    interval_s   length of the intervals that are booked
    ends_s       when the load ends, from its start: what is answered later is not in time
    """

    connections: int
    timeout_s: float
    missed_s: float
    interval_s: float
    ends_s: float


class Generator:
    """Drives one address. Times are of `clock`; moments are seconds from `start`.

    arrivals  moments, some at a time; None: `burst` says when
    """

    def __init__(
        self,
        address: Address,
        requests: list[bytes],
        arrivals: Iterator[NDArray[np.float64]] | None,
        limits: Limits,
        *,
        start: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._address, self._tls = address, context_for(address)
        self._requests = cycle(requests)
        self._arrivals, self._limits, self._clock = arrivals, limits, clock
        self.start = start
        self._poll = epoll()
        self._links: dict[int, Link] = {}  # open
        self._free: list[Link] = []  # the last used first, so that what is too many stays idle
        self._flying: dict[int, Link] = {}  # in the order in which they were sent
        self._waiting: deque[float] = deque()  # due moments that found no connection
        self._heads = Heads()
        self._due: list[float] = []  # reversed
        self._next = self._draw()
        self._answered: list[float] = []  # due, sent, ended; due, sent, ended; …
        self.intervals: dict[int, Interval] = {}
        self.refused = 0  # answers 401: the token is not taken any more
        self._burst: int | None = None
        self._stopped = False
        self._told = clock(), time.process_time()

    def use(self, requests: list[bytes]) -> None:
        """Send these from now on: with another token."""
        self._requests = cycle(requests)

    def burst(self, number: int, size: int) -> None:
        """Send so many at once, now, over connections of their own; booked as interval `number`."""
        for link in [*self._links.values()]:
            self._drop(link)
        self._burst = number
        now = self._clock()
        self._due = [now] * (size - 1)
        self._next = now

    def stop(self) -> None:
        """Send no more; what was sent is still answered."""
        self._stopped = True
        self._next = float("inf")
        self._waiting.clear()

    @property
    def done(self) -> bool:
        """True when everything that was due is answered or given up."""
        return self._next == float("inf") and not self._flying and not self._waiting

    def close(self) -> None:
        """Close all connections."""
        for link in [*self._links.values()]:
            self._drop(link)
        self._poll.close()

    def drive(self, until: float) -> None:
        """Send what becomes due and read what comes, until a moment of the clock or all is done."""
        clock, poll = self._clock, self._poll
        while (now := clock()) < until and not self.done:
            if self._next <= now:
                self._send_due(now)
            events = poll.poll(0)
            if not events:
                pause = min(self._next, until) - clock()
                if pause > 0:
                    select([poll], [], [], pause)
                    events = poll.poll(0)
            for fd, event in events:
                link = self._links.get(fd)
                if link is not None:
                    self._ready(link, event)
            if self._flying or self._waiting:
                self._give_up(clock())
        if len(self._answered) >= 3 * AT_A_TIME or self.done:
            self._book()

    def take(self) -> dict[int, Interval]:
        """Give what was booked since the last time."""
        self._book()
        now, spent = self._clock(), time.process_time()
        here = self._interval(min(now, self.start + self._limits.ends_s))
        here.wall_s += now - self._told[0]
        here.busy_s += spent - self._told[1]
        self._told = now, spent
        taken, self.intervals = self.intervals, {}
        return taken

    def _send_due(self, now: float) -> None:
        while self._next <= now:
            if now - self._next > self._limits.missed_s:
                self._interval(self._next).missed += 1
            link = self._connection()
            if link is None:
                self._interval(self._next).queued += 1
                self._waiting.append(self._next)
            else:
                self._send(link, self._next, now)
                now = self._clock()
            self._next = self._draw()

    def _draw(self) -> float:
        """Give the next moment that a request is due, on the clock; infinity: there is none."""
        if not self._due:
            drawn = None
            if self._arrivals is not None:
                drawn = next(self._arrivals, None)
            if drawn is None:
                return float("inf")
            self._due = (drawn[::-1] + self.start).tolist()
        return self._due.pop()

    def _connection(self) -> Link | None:
        """Give a free connection, or a new one; None: there are as many as there may be."""
        if self._free:
            return self._free.pop()
        if len(self._links) >= self._limits.connections:
            return None
        new = Link(self._address) if self._tls is None else TlsLink(self._address, self._tls)
        self._links[new.fd] = new
        self._poll.register(new.fd, WRITING)
        return new

    def _send(self, link: Link, due: float, now: float) -> None:
        link.due, link.sent = due, now
        self._flying[link.fd] = link
        try:
            link.send(next(self._requests))
        except OSError as error:
            self._failed(link, error)
            return
        if link.rest:
            self._poll.modify(link.fd, WRITING)

    def _ready(self, link: Link, event: int) -> None:
        try:
            if event & EPOLLOUT:
                link.more()
                if not link.rest:
                    self._poll.modify(link.fd, EPOLLIN)
            if event & ~EPOLLOUT:
                self._read(link)
        except (OSError, BadAnswer) as error:
            self._failed(link, error)

    def _read(self, link: Link) -> None:
        data = link.receive()
        if link.rest:
            self._poll.modify(link.fd, WRITING)
        if data is None:
            return
        if not data:
            self._ended(link)
            return
        if link.got:
            data = link.got + data
        if link.parsed is not None:
            self._parse(link, link.parsed, data)
            return
        end = data.find(END)
        if end < 0:
            link.got = data
            return
        head = self._heads.read(data[:end])
        if head.length is None:
            link.parsed, link.got = Parsed(head), b""
            self._parse(link, link.parsed, data)
        elif len(data) == end + 4 + head.length:
            self._whole(link, head, data[end + 4 :])
        elif len(data) > end + 4 + head.length:
            raise BadAnswer("more bytes than the answer has")
        else:
            link.got = data

    def _parse(self, link: Link, parsed: Parsed, data: bytes) -> None:
        if parsed.feed(data):
            self._whole(link, parsed.head, bytes(parsed.body))

    def _whole(self, link: Link, head: Head, body: bytes) -> None:
        """Book an answer and free its connection."""
        if self._flying.pop(link.fd, None) is None:
            raise BadAnswer("an answer to no request")
        link.got, link.parsed = b"", None
        if 200 <= head.status < 300:
            self._answered += (link.due, link.sent, self._clock())
        else:
            self.refused += head.status == 401
            self._count(link.due, _kind(head.status, body))
        if head.closes:
            self._drop(link)
        elif self._waiting and not self._stopped:
            self._send(link, self._waiting.popleft(), self._clock())
        else:
            self._free.append(link)

    def _ended(self, link: Link) -> None:
        """The server closed: fair between requests and as the end of an answer."""
        parsed = link.parsed
        if parsed is not None and not parsed.head.chunked:
            self._whole(link, parsed.head, bytes(parsed.body))
            return
        if link.fd in self._flying:
            raise BadAnswer("the server closed the connection before it answered")
        self._drop(link)

    def _failed(self, link: Link, error: Exception) -> None:
        if self._flying.pop(link.fd, None) is not None:
            said = error.strerror if isinstance(error, OSError) else None
            self._count(link.due, said or str(error) or type(error).__name__)
        self._drop(link)

    def _drop(self, link: Link) -> None:
        self._links.pop(link.fd, None)
        self._flying.pop(link.fd, None)
        if link in self._free:
            self._free.remove(link)
        self._poll.unregister(link.fd)
        link.close()
        if self._waiting and not self._stopped:
            due = self._waiting.popleft()
            new = self._connection()
            if new is None:
                self._waiting.appendleft(due)
            else:
                self._send(new, due, self._clock())

    def _give_up(self, now: float) -> None:
        """Count what is not answered in time as such, and as at least so slow."""
        bound = now - self._limits.timeout_s
        while self._waiting and self._waiting[0] < bound:
            self._late(self._waiting.popleft(), now)
        while self._flying:
            fd = next(iter(self._flying))
            link = self._flying[fd]
            if link.sent >= bound:
                return
            del self._flying[fd]
            self._late(link.due, now, link.sent)
            self._drop(link)

    def _late(self, due: float, now: float, sent: float | None = None) -> None:
        self._count(due, f"no answer within {self._limits.timeout_s:g} s")
        interval = self._interval(due)
        interval.latency[bins_of(np.array([now - due]))] += 1
        interval.service[bins_of(np.array([now - (due if sent is None else sent)]))] += 1

    def _count(self, due: float, kind: str) -> None:
        interval = self._interval(due)
        interval.sent += 1
        known = kind in interval.errors or len(interval.errors) < KINDS
        interval.errors[kind if known else "others"] += 1

    def _interval(self, moment: float) -> Interval:
        found = self._place(moment)
        if found not in self.intervals:
            self.intervals[found] = Interval()
        return self.intervals[found]

    def _place(self, moment: float) -> int:
        if self._burst is not None:
            return self._burst
        return max(0, int((moment - self.start) / self._limits.interval_s))

    def _book(self) -> None:
        """Sum up good answers."""
        if not self._answered:
            return
        due, sent, ended = np.array(self._answered).reshape(-1, 3).T
        self._answered.clear()
        if self._burst is None:
            places = np.maximum(0, (due - self.start) / self._limits.interval_s).astype(np.int64)
        else:
            places = np.full(len(due), self._burst)
        latency, service = bins_of(ended - due), bins_of(ended - sent)
        for place in np.unique(places).tolist():
            here = places == place
            interval = self.intervals.setdefault(place, Interval())
            size = len(interval.latency)
            interval.latency += np.bincount(latency[here], minlength=size)
            interval.service += np.bincount(service[here], minlength=size)
            count = int(here.sum())
            interval.sent += count
            interval.good += count
            in_time = ended[here] <= self.start + self._limits.ends_s
            interval.in_time += int(in_time.sum())


def _kind(status: int, body: bytes) -> str:
    """Name an answer that is not good by its status and the kind of problem it tells."""
    try:
        problem = orjson.loads(body)
        title = problem.get("title") if isinstance(problem, dict) else None
    except orjson.JSONDecodeError:
        title = None
    return f"HTTP {status}: {title}" if isinstance(title, str) else f"HTTP {status}"
