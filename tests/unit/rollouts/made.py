"""Answers as tests need them."""

from controlplane.engines.engine import Answers
from runtime.latencies import BOUNDS_S, BUCKETS


def answers(count: int, ms: float = 1.0, *, errors: int = 0, refusals: int = 0, slow: int = 0):
    """Give so many answers of about `ms`, of which `slow` took a second."""
    latency = [0] * BUCKETS
    latency[next(i for i, bound in enumerate(BOUNDS_S) if bound >= ms / 1000)] = count - slow
    latency[BOUNDS_S.index(1.0)] += slow
    return Answers(errors, refusals, tuple(latency))
