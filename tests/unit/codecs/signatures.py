"""Signatures the codec tests speak about."""

from runtime.codecs.request import ModelInfo
from runtime.plan.signature import Column, Kind, Output, Signature

PREDICT = Output("predict", "INT64")
PROBA = Output("predict_proba", "FP64", 2, ("a", "b"))
INFO = ModelInfo("iris", "iris-00003", "iris", 3)


def numeric(width: int = 2, *, missing: bool = False) -> Signature:
    columns = tuple(Column(f"x{i}", Kind.NUMBER, missing) for i in range(width))
    return Signature(columns, (PREDICT, PROBA))


MIXED = Signature(
    (
        Column("age"),
        Column("island", Kind.STRING),
        Column("mass", Kind.NUMBER, missing=True),
        Column("sex", Kind.STRING, missing=True),
    ),
    (Output("predict", "BYTES"), PROBA),
    named=True,
)
TEXT = Signature((Column("text", Kind.STRING),), (PREDICT,), named=True)
ANYTHING = Signature((Column("x0", Kind.ANY, missing=True), Column("x1", Kind.ANY)), (PREDICT,))
