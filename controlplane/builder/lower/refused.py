"""Estimators that are known and have no plan, each with the reason in words."""

from typing import Any, Final

from sklearn import decomposition, neighbors

from controlplane.builder.lower.base import Draft, Lowering, Spec

_TOGETHER: Final = (
    "it factorises all rows of a request together and stops when they hardly change any more, so"
    " that scikit-learn's answer to a row depends on the rows beside it"
)

REASONS: Final[dict[type, str]] = {
    decomposition.NMF: _TOGETHER,
    decomposition.MiniBatchNMF: _TOGETHER,
    neighbors.KernelDensity: (
        "scikit-learn adds and takes away bounds while it walks its tree, which leaves it without"
        " digits where the density is low; a plan that sums rightly would answer otherwise"
    ),
}


def _refusal(reason: str) -> Lowering:
    def refuse(draft: Draft, _: Any) -> Spec:
        raise draft.unsupported(reason)

    return refuse


LOWERINGS: Final[dict[type, Lowering]] = {
    kind: _refusal(reason) for kind, reason in REASONS.items()
}
