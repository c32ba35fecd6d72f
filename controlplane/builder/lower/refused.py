"""Estimators that are known and have no plan, each with the reason in words."""

from typing import Any, Final

from sklearn import neighbors

from controlplane.builder.lower.base import Draft, Lowering, Spec

REASONS: Final[dict[type, str]] = {
    neighbors.KernelDensity: (
        "scikit-learn adds and takes away bounds while it walks its tree, which leaves it without"
        " digits where the density is low; a plain sum would answer otherwise"
    ),
}


def _refusal(reason: str) -> Lowering:
    def refuse(draft: Draft, _: Any) -> Spec:
        raise draft.unsupported(reason)

    return refuse


LOWERINGS: Final[dict[type, Lowering]] = {
    kind: _refusal(reason) for kind, reason in REASONS.items()
}
