"""Knative's pod autoscaler (KPA): same inputs, same decision, to the pod.

Pure: no I/O, no clock of its own. Time is an integer of nanoseconds from any origin, as Go's
`time.Time` is, so that decisions on a boundary fall on the same side as Knative's.
Source: Knative Serving v0.51.0 (HEAD of 2026), `pkg/autoscaler`.
"""
