"""Tails of two distributions, which say how surprising a count is. Pure, standard library only.

The control plane does without scipy (60 MB and half a second for two sums); tests hold both to it.
"""

from math import exp, lgamma, log
from typing import Final

NEGLIGIBLE: Final = 1e-17  # of the sum so far: what follows a smaller term changes no digit


def binomial_tail(count: int, trials: int, share: float) -> float:
    """Give the probability of `count` or more of `trials` where each happens with `share`.

    1 where the count is no more than expected: there is nothing to be surprised at. Otherwise as
    `scipy.stats.binomtest(count, trials, share, "greater").pvalue`, to 1e-6 of it.
    """
    if trials == 0 or count <= trials * share:
        return 1.0
    if share <= 0.0:
        return 0.0
    term = exp(
        _log_choose(trials, count) + count * log(share) + (trials - count) * log(1.0 - share)
    )
    total, odds = term, share / (1.0 - share)
    for k in range(count, trials):
        term *= (trials - k) / (k + 1) * odds
        total += term
        if term < total * NEGLIGIBLE:
            break
    return min(1.0, total)


def fisher_tail(count: int, trials: int, others: int, of_others: int) -> float:
    """Give how likely `count` of `trials` or more are if both groups have one and the same share.

    count, trials      of the group that is looked at
    others, of_others  `others` of `of_others` in the group beside it
    returns            1 where its share is not above the other's; otherwise as
                       `scipy.stats.fisher_exact(…, "greater").pvalue`, to 1e-6 of it
    """
    if trials == 0 or of_others == 0 or count * of_others <= others * trials:
        return 1.0
    both, everything = count + others, trials + of_others
    term = exp(
        _log_choose(trials, count) + _log_choose(of_others, others) - _log_choose(everything, both)
    )
    total = term
    for k in range(count, min(both, trials)):
        term *= (trials - k) / (k + 1) * (both - k) / (of_others - both + k + 1)
        total += term
        if term < total * NEGLIGIBLE:
            break
    return min(1.0, total)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
