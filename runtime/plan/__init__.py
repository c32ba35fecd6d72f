"""Compiled models: numpy only, no pickle, no scikit-learn."""

from runtime.plan.ops import Frame, InputRefused, Inputs, PlanError
from runtime.plan.plan import Cost, Plan, load, signature_of

__all__ = ["Cost", "Frame", "InputRefused", "Inputs", "Plan", "PlanError", "load", "signature_of"]
