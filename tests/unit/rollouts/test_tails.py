"""Tails against scipy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, fisher_exact

from controlplane.rollouts.tails import binomial_tail, fisher_tail

COUNTS = st.integers(0, 400)


@given(COUNTS, COUNTS, st.floats(0.0005, 0.6))
def test_binomial_tail_is_scipys_above_what_is_expected(count, more, share):
    trials = count + more
    found = binomial_tail(count, trials, share)
    if count <= trials * share:
        assert found == 1.0
    else:
        assert found == pytest.approx(binomtest(count, trials, share, "greater").pvalue, rel=1e-6)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_fisher_tail_is_scipys_where_the_share_is_higher(count, rest, others, of_others):
    trials, beside = count + rest, others + of_others
    found = fisher_tail(count, trials, others, beside)
    if count * beside <= others * trials:
        assert found == 1.0
    else:
        table = [[count, rest], [others, of_others]]
        reference = fisher_exact(table, "greater").pvalue
        assert found == pytest.approx(reference, rel=1e-6, abs=1e-300)


def test_a_million_requests_are_no_matter():
    assert fisher_tail(60_000, 1_000_000, 50_000, 1_000_000) < 1e-200
    assert binomial_tail(10_100, 1_000_000, 0.01) == pytest.approx(0.158, abs=0.002)
    assert binomial_tail(1, 5, 0.0) == 0.0
