"""What is made of several models: the writing side of `runtime.plan.members`."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from controlplane.builder.lower.base import Draft, Spec
from runtime.plan.members import MAX_MEMBERS


def _frozen() -> Any:
    try:  # since scikit-learn 1.6
        from sklearn.frozen import FrozenEstimator
    except ImportError:
        return None
    return FrozenEstimator


FROZEN: Final = _frozen()


def group(
    draft: Draft,
    estimator: Any,
    members: Sequence[Any],
    *,
    picked: NDArray[np.int64] | None = None,
    refuses_missing: bool = False,
) -> Spec:
    """Write the members of an ensemble as `runtime.plan.members.Group` reads them.

    picked           (members, k) columns that each member is given; None: all of them
    refuses_missing  the ensemble itself refuses NaN before any member sees it
    """
    if len(members) > MAX_MEMBERS:
        raise draft.unsupported(f"it has more than {MAX_MEMBERS} members")
    own = names(estimator)
    for member in members:
        theirs = names(member)
        # By position, a member that was fitted on a frame of another order would be asked wrongly.
        if picked is None and own is not None and theirs is not None and theirs != own:
            raise draft.unsupported("its members were fitted on columns of different names")
    columns: Spec = {}
    if picked is not None:
        columns = {"columns": draft.tensor(picked, "i8"), "n_in": width(draft, estimator)}
    return {
        "members": [draft.node(member) for member in members],
        **columns,
        "refuses_missing": refuses_missing,
        "any_unused": own is not None,
    }


def unfrozen(estimator: Any) -> Any:
    """Give what a frozen estimator holds, or the estimator itself."""
    while type(estimator) is FROZEN:
        estimator = estimator.estimator
    return estimator


def names(estimator: Any) -> list[str] | None:
    """Give the names of the columns that an estimator was fitted on, if they had names."""
    found = getattr(estimator, "feature_names_in_", None)
    return None if found is None else [str(name) for name in found]


def width(draft: Draft, estimator: Any) -> int:
    """Give the number of columns that an estimator was fitted on."""
    try:
        return int(estimator.n_features_in_)
    except (AttributeError, TypeError) as error:  # a dummy of scikit-learn 1.1 says None
        raise draft.unsupported("it does not know how many columns it was fitted on") from error
