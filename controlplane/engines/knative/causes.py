"""From everything that was read to the one cause: the outermost thing that is wrong. Pure.

In the order in which things come to be: namespace, KService, pod, Deployment, Revision, address.
A pod's own word counts more than what Knative makes of it two minutes later (KNATIVE.md 2.9).
"""

from dataclasses import replace
from typing import Final

from controlplane.engines.engine import Cause
from controlplane.engines.knative import names, render
from controlplane.engines.knative.facts import (
    Evidence,
    failed,
    is_ready,
    name_of,
    quote_condition,
    short,
)
from controlplane.engines.knative.names import Document
from controlplane.engines.knative.pod_causes import (
    LACKS,
    PASSING,
    absent,
    pod_cause,
    unschedulable,
)
from controlplane.engines.knative.refusals import OPERATOR, refused
from controlplane.engines.knative.revision_causes import revision_cause, warnings
from controlplane.engines.knative.status import believed, condition

KNATIVE_WITHIN_S: Final = 10
ADDRESS_WITHIN_S: Final = 60


def cause(evidence: Evidence) -> Cause:
    """Name what an endpoint is doing or what is wrong with it."""
    steps = (_not_taken, _missing, _unseen, _pods, _replicas, _revisions, _service, _address)
    fault = next((found for step in steps if (found := step(evidence))), None)
    found = _running(evidence) if fault is None else _still_serving(evidence, fault)
    unseen = tuple(f"not looked at, KubeServe's account may not: {x}" for x in evidence.hidden)
    return replace(found, evidence=(*found.evidence, *unseen))


def _still_serving(evidence: Evidence, fault: Cause) -> Cause:
    """Say with a fault that older or other replicas go on."""
    staying = [one for one in evidence.pods if not one["metadata"].get("deletionTimestamp")]
    ready = sum(map(is_ready, staying))
    if fault.ok or not ready:
        return fault
    fact = f"replicas: {ready} ready; they go on answering"
    return Cause(fault.reason, False, fault.message, (*fault.evidence, fact), fault.next_step)


def _not_taken(evidence: Evidence) -> Cause | None:
    """Look at what was not taken over: a name that is another's, a refusal, a step not done."""
    for kind, one in (("Namespace", evidence.namespace), ("Service", evidence.service)):
        if one is not None and not names.is_ours(one, evidence.instance):
            text = f"{kind} {name_of(one)} exists and was not made by KubeServe."
            fact = f"{kind} {name_of(one)} is not labelled {names.owned(evidence.instance)}"
            return refused(text, (fact,))
    if not evidence.behind:
        return None
    if evidence.refusal is not None:
        return refused(evidence.refusal, quotas=evidence.quotas)
    for kind, one in (("Namespace", evidence.namespace), ("KService", evidence.service)):
        if one is not None and one["metadata"].get("deletionTimestamp"):
            age = evidence.age(one["metadata"]["deletionTimestamp"])
            text = f"{kind} {name_of(one)} is being deleted (for {age} s); it is made again after."
            fact = f"finalizers: {one['metadata'].get('finalizers') or 'none'}"
            return Cause("NotTaken", False, text, (fact,), _WAIT)
    if evidence.service is not None and _half_way(evidence.service):
        return None  # several revisions are made one after the other; look how that one does
    there = "none" if evidence.service is None else _generation(evidence.service)
    facts = (f"KService of generation: {there}; wanted: {evidence.desired.generation}",)
    if evidence.hindrance is not None:
        text = f"KubeServe cannot apply the newest release yet: {evidence.hindrance}"
        return Cause("NotTaken", False, text, facts, _TRIED)
    text = "KubeServe has not applied the newest release yet; the cluster has nothing against it."
    return Cause("NotTaken", False, text, facts, _WAIT)


_WAIT: Final = (
    "Wait a moment; if it lasts, the operator finds the reason in the log of KubeServe's leader "
    "(is one running?)."
)

_TRIED: Final = (
    "Wait: it is tried again until it succeeds, and what was serving goes on. If it lasts, the "
    "operator has to bring back what is named."
)


def _generation(service: Document) -> str:
    return str((service["metadata"].get("annotations") or {}).get(names.GENERATION, "unknown"))


def _half_way(service: Document) -> bool:
    return _generation(service) == "0"


def _missing(evidence: Evidence) -> Cause | None:
    if not evidence.missing:
        return None
    kind, _, name = evidence.missing[0].partition(" ")
    facts = tuple(f"{one}: not found" for one in evidence.missing)
    return absent(kind, name, facts)


def _unseen(evidence: Evidence) -> Cause | None:
    """Notice that Knative does not look at what we wrote."""
    service = evidence.service
    if service is None or believed(service):
        return None
    age = evidence.age(_written(service))
    fact = (
        f"KService {name_of(service)}: generation {service['metadata'].get('generation')}, "
        f"observed {(service.get('status') or {}).get('observedGeneration')}"
    )
    if age <= KNATIVE_WITHIN_S:
        return Cause("Starting", True, f"Knative is taking the release over ({age} s).", (fact,))
    text = f"Knative has not looked at the release for {age} s: its controller is down or busy."
    step = f"{OPERATOR}Knative's controller (namespace knative-serving) must run."
    return Cause("KnativeDown", False, text, (fact,), step)


def _written(service: Document) -> str:
    """Give the time of our last write."""
    metadata = service["metadata"]
    times = [
        str(one.get("time"))
        for one in metadata.get("managedFields") or ()
        if one.get("manager") == names.MANAGER and one.get("time")
    ]
    return max(times, default=str(metadata.get("creationTimestamp", "")))


def _pods(evidence: Evidence) -> Cause | None:
    # The newest first: what was wrong with an older pod may be over.
    pods = sorted(evidence.of(evidence.pods), key=_created, reverse=True)
    return next((found for pod in pods if (found := pod_cause(pod, evidence))), None)


def _created(document: Document) -> str:
    return str(document["metadata"].get("creationTimestamp", ""))


def _replicas(evidence: Evidence) -> Cause | None:
    """Look at pods that could not even be made."""
    for deployment in evidence.of(evidence.deployments):
        found = failed(deployment, "ReplicaFailure", "True")
        if found is not None:
            facts = (quote_condition("Deployment", deployment, found),)
            return refused(str(found.get("message", "")), facts, evidence.quotas)
    return None


def _revisions(evidence: Evidence) -> Cause | None:
    for revision in evidence.of(evidence.revisions):
        for kind in ("ContainerHealthy", "ResourcesAvailable"):
            found = failed(revision, kind)
            if found is not None and not PASSING.search(str(found.get("message"))):
                return revision_cause(evidence, revision, found)
    return None


def _service(evidence: Evidence) -> Cause | None:
    """Look at what kept Knative from making the Revision at all."""
    if evidence.service is None:
        return None
    found = failed(evidence.service, "ConfigurationsReady")
    if found is None:
        return None
    facts = (quote_condition("KService", evidence.service, found),)
    reason, message = str(found.get("reason") or ""), str(found.get("message") or "")
    if reason == "RevisionNameTaken" or "NotOwned" in reason:
        text = f"An object of this name is there and is not this endpoint's: {short(message)}"
        step = f"{OPERATOR}remove what has the name, or deploy under another name."
        return Cause("NameTaken", False, text, facts, step)
    if LACKS.search(message):  # of a Revision whose pod found no room
        return unschedulable(message, "its share", facts)
    return refused(message, facts, evidence.quotas)


def _address(evidence: Evidence) -> Cause | None:
    """Look at the way from outside to the replicas."""
    for kind, document in (("Route", evidence.route), ("KService", evidence.service)):
        if document is None:
            continue
        for which in (
            "IngressReady",
            "AllTrafficAssigned",
            "CertificateProvisioned",
            "RoutesReady",
        ):
            found = condition(document, which)
            if found is None or found.get("status") == "True":
                continue
            return _unpublished(evidence, quote_condition(kind, document, found), found)
    return None


def _unpublished(evidence: Evidence, fact: str, found: Document) -> Cause | None:
    if _starting(evidence):
        return None  # the address follows the first replica
    reason, message = str(found.get("reason") or ""), str(found.get("message") or "")
    age = evidence.age(found.get("lastTransitionTime"))
    if reason.endswith(("Missing", "NotOwned")) and age > KNATIVE_WITHIN_S:
        text = f"The traffic cannot be routed: {short(message)}"
        step = f"Deploy again: `kubeserve deploy {evidence.desired.revisions[-1].model}`."
        return Cause("ConfigurationError", False, text, (fact,), step)
    if age <= ADDRESS_WITHIN_S:
        return Cause("Starting", True, f"The address is being published ({age} s).", (fact,))
    text = f"The replicas are well, but the address is not published for {age} s: {short(message)}"
    step = f"{OPERATOR}the ingress (Kourier or what config-network names) must run."
    return Cause("IngressNotReady", False, text, (fact,), step)


def _starting(evidence: Evidence) -> bool:
    """Tell whether a Revision that matters was never ready."""
    revisions = evidence.of(evidence.revisions)
    return not revisions or any(failed(one, "Ready", "Unknown") for one in revisions)


def _running(evidence: Evidence) -> Cause:
    pods = evidence.of(evidence.pods)
    ready = sum(map(is_ready, pods))
    facts = [f"replicas: {ready} ready of {len(pods)}"]
    if evidence.service is not None and (found := condition(evidence.service, "Ready")):
        facts.insert(0, quote_condition("KService", evidence.service, found))
    coming = _coming(evidence, pods)
    if coming is not None and not ready:
        return Cause("Starting", True, coming[0], (*facts, *coming[1]))
    if evidence.service is None or failed(evidence.service, "Ready", "True") is None:
        return Cause("Starting", True, "The release is being rolled out.", tuple(facts))
    if ready:
        text = f"{ready} replica(s) answer requests."
        return Cause("Serving", True, text, tuple(facts))
    text = "No replica runs, because nobody asks; the next request starts one."
    small = all(render.in_secret(one) for one in evidence.desired.revisions)
    where = "Secrets" if small else "Secrets and the object store"
    return Cause("Idle", True, text, (*facts, f"artifacts: all in their {where}"))


def _coming(evidence: Evidence, pods: list[Document]) -> tuple[str, tuple[str, ...]] | None:
    """Say what a start is at; None: none is under way."""
    waiting = [pod for pod in pods if not is_ready(pod)]
    if waiting:
        pod = min(waiting, key=_created)
        age = evidence.age(pod["metadata"].get("creationTimestamp"))
        return f"A replica is starting ({age} s so far).", warnings(evidence, pod)
    for revision in evidence.of(evidence.revisions):
        for which in ("ResourcesAvailable", "ContainerHealthy", "Ready", "Active"):
            found = failed(revision, which, "Unknown")
            if found is None:
                continue
            age = evidence.age(found.get("lastTransitionTime"))
            text = {
                "ResolvingDigests": f"Knative is checking the image ({age} s so far).",
                "Queued": f"Requests wait for a replica to start ({age} s so far).",
            }.get(str(found.get("reason")), f"The release is starting ({age} s so far).")
            return text, (quote_condition("Revision", revision, found),)
    if not evidence.of(evidence.revisions):
        return "Knative is making the release.", ()
    return None
