"""What an endpoint says of itself, in the words of the Open Inference Protocol and of V1. Pure."""

from typing import Any, Final

from runtime.plan.signature import Kind, Signature
from runtime.revisions import Revision

VERSION: Final = "1"  # of this interface
EXTENSIONS: Final = ("binary_tensor_data", "model_configuration", "statistics")
KINDS: Final = {Kind.NUMBER: "FP64", Kind.STRING: "BYTES", Kind.ANY: "BYTES"}
# In a model's configuration (Triton's model_config.proto) datatypes have other names.
TYPES: Final = {"BYTES": "TYPE_STRING"}


def server() -> dict[str, Any]:
    """Describe what answers."""
    return {"name": "kubeserve", "version": VERSION, "extensions": EXTENSIONS}


def model(endpoint: str, revision: Revision, versions: list[str]) -> dict[str, Any]:
    """Describe what a revision takes and gives; `versions` are those that can be asked for."""
    signature: Signature = revision.backend.signature
    return {
        "name": endpoint,
        "versions": versions,
        "platform": "kubeserve",
        "inputs": _inputs(signature),
        "outputs": _outputs(signature),
        "revision": revision.info.revision,
        "model": revision.info.model,
        "signature": signature.to_json(),
    }


def _inputs(signature: Signature) -> list[dict[str, Any]]:
    if signature.numeric:
        return [{"name": "input", "datatype": "FP64", "shape": [-1, len(signature.columns)]}]
    return [
        {"name": column.name, "datatype": KINDS[column.kind], "shape": [-1]}
        for column in signature.columns
    ]


def _outputs(signature: Signature) -> list[dict[str, Any]]:
    return [
        {
            "name": output.name,
            "datatype": output.datatype,
            "shape": [-1] if output.width is None else [-1, output.width],
        }
        for output in signature.outputs
    ]


def config(endpoint: str, revision: Revision) -> dict[str, Any]:
    """Describe a revision as a model's configuration; its rows are counted by its shapes."""
    signature = revision.backend.signature
    return {
        "name": endpoint,
        "platform": "kubeserve",
        "backend": "kubeserve",
        "max_batch_size": 0,
        "input": list(map(_configured, _inputs(signature))),
        "output": list(map(_configured, _outputs(signature))),
    }


def _configured(tensor: dict[str, Any]) -> dict[str, Any]:
    datatype = tensor["datatype"]
    return {
        "name": tensor["name"],
        "data_type": TYPES.get(datatype, f"TYPE_{datatype}"),
        "dims": tensor["shape"],
    }


def statistics(endpoint: str, revisions: tuple[Revision, ...]) -> dict[str, Any]:
    """Count what revisions answered since this worker started; only what is measured is told."""
    return {"model_stats": [_counted(endpoint, revision) for revision in revisions]}


def _counted(endpoint: str, revision: Revision) -> dict[str, Any]:
    counts = revision.counts
    good = counts.by_code[200]
    return {
        "name": endpoint,
        "version": str(revision.info.version),
        "inference_count": counts.rows,
        "execution_count": sum(counts.batch.counts),
        "inference_stats": {
            # The time is that of all answers; it is not kept by code.
            "success": {"count": good, "ns": round(counts.latency_s.total * 1e9)},
            "fail": {"count": sum(counts.by_code.values()) - good},
        },
    }


def index(endpoint: str, versions: list[str], *, ready: bool) -> list[dict[str, Any]]:
    """List what is served, as a model repository does."""
    state = "READY" if ready else "UNAVAILABLE"
    return [
        {"name": endpoint, "version": version, "state": state, "reason": ""} for version in versions
    ]
