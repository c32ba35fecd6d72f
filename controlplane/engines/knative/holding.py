"""Does a live object say what we want? Then nothing is written. Pure."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

_SUFFIX: Final = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
}  # fmt: skip


def holds(live: Any, wanted: Any) -> bool:
    """Tell whether `live` has everything of `wanted`.

    Maps may hold more, which defaults and other managers add; lists must be as long, element by
    element. Quantities are equal by value ("1000m" is "1").
    """
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(
            key in live and holds(live[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(live, list | tuple)
            and len(live) == len(wanted)
            and all(holds(ours, theirs) for ours, theirs in zip(live, wanted, strict=True))
        )
    return bool(live == wanted) or _same_quantity(live, wanted)


def edited(live: Mapping[str, Any], manager: str) -> bool:
    """Tell whether anybody but us has said something about a template.

    That would stay under server-side apply, and Knative refuses to take it away once the template
    has our name again.
    """
    entries = live["metadata"].get("managedFields") or ()
    return any(
        entry.get("manager") != manager
        and "f:template" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
        for entry in entries
    )


def whole(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Give `wanted` as what is to take the place of `live`, whose marks of others stay."""
    metadata = dict(live["metadata"])
    for kind in ("annotations", "labels"):
        if ours := wanted["metadata"].get(kind):
            metadata[kind] = {**(metadata.get(kind) or {}), **ours}
    return {**live, **wanted, "metadata": metadata}


def _same_quantity(one: object, other: object) -> bool:
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    first, second = quantity(one), quantity(other)
    return first is not None and first == second


def quantity(text: str) -> Decimal | None:
    """Read a Kubernetes quantity; None if it is none."""
    digits = text.rstrip("numkKMGTi")
    try:
        return Decimal(digits) * _SUFFIX[text[len(digits) :]]
    except (InvalidOperation, KeyError):
        return None
