"""What an API server says when it takes no object, told apart. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from controlplane.engines.engine import Cause
from controlplane.engines.knative.facts import name_of, short
from controlplane.engines.knative.names import Document

REQUEST: Final = re.compile(r"^(?:PATCH|PUT|POST) \S+: ")  # whoever asks knows no such address
DENIED: Final = re.compile(r'admission webhook "([^"]+)" denied the request:? ?(.*)', re.DOTALL)
POLICY: Final = re.compile(
    r"ValidatingAdmissionPolicy '([^']+)'.*? denied request: (.*)", re.DOTALL
)
UNANSWERED: Final = re.compile(r'failed calling webhook "([^"]+)":? ?(.*)', re.DOTALL)
QUOTA: Final = re.compile(r"exceeded quota: ([^,]+), requested: (.*), used: (.*), limited: (.*)")
SECURITY: Final = re.compile(r"violates PodSecurity \"?([\w:.-]+)\"?:? ?(.*)", re.DOTALL)
RIGHTS: Final = re.compile(r'User "([^"]+)" cannot (\w+) resource "([^"]+)"')
ACCOUNT: Final = re.compile(r"serviceaccount \"[^\"]+\" not found")
NOT_OURS: Final = "was not made by KubeServe"
OPERATOR: Final = "Ask the operator of the cluster: "


def refused(text: str, facts: tuple[str, ...] = (), quotas: Sequence[Document] = ()) -> Cause:
    """Name the cause of a refusal.

    text    what the API server or the ReplicaSet's controller said
    facts   where it was said
    quotas  the namespace's ResourceQuotas, for figures of now
    """
    text = REQUEST.sub("", text)
    facts = facts or (short(text),)
    if NOT_OURS in text:
        step = "Remove what has the name, or choose another name for the endpoint (or tenant)."
        return Cause("NameTaken", False, short(text), facts, step)
    for pattern, make in (
        (QUOTA, _quota),
        (SECURITY, _security),
        (DENIED, _denied),
        (POLICY, _denied),
        (UNANSWERED, _unanswered),
        (RIGHTS, _rights),
    ):
        found = pattern.search(text)
        if found:
            return make(found, facts, quotas)
    if ACCOUNT.search(text):
        step = "Wait half a minute, KubeServe makes it again; if it lasts, ask the operator."
        message = "The service account of the pods is missing."
        return Cause("ConfigurationError", False, message, facts, step)
    step = f"{OPERATOR}the API server takes the object when what it names is changed."
    return Cause("Refused", False, f"The cluster refuses it: {short(text)}", facts, step)


def _quota(found: re.Match[str], facts: tuple[str, ...], quotas: Sequence[Document]) -> Cause:
    name, requested, used, limited = found.groups()
    of_use, of_limit = _figures(used), _figures(limited)
    lines = tuple(
        f"{resource}: requested {amount}, used {of_use.get(resource, '?')}, "
        f"limit {of_limit.get(resource, '?')}"
        for resource, amount in _figures(requested).items()
        if resource in of_limit
    )
    now = tuple(_now(one, of_limit) for one in quotas if name_of(one) == name)
    full = ", ".join(of_limit) or "resources"
    message = f"The tenant's quota has no room for what this endpoint needs next ({full})."
    step = (
        "Delete endpoints that are not needed, lower their --max-scale or --min-scale, or ask the "
        "operator to raise the tenant's quota."
    )
    return Cause("QuotaExceeded", False, message, (*lines, *now, *facts), step)


def _figures(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def _now(quota: Document, of: dict[str, str]) -> str:
    status = quota.get("status") or {}
    used, hard = status.get("used") or {}, status.get("hard") or {}
    figures = ", ".join(f"{x} {used.get(x, '?')} of {hard.get(x, '?')}" for x in of)
    return f"ResourceQuota {name_of(quota)} now: {figures} used"


def _security(found: re.Match[str], facts: tuple[str, ...], _: Sequence[Document]) -> Cause:
    level, what = found.groups()
    message = f"Pod Security ({level}) of the namespace does not let the pod in: {short(what)}"
    step = (
        f"{OPERATOR}the pods meet `restricted`, so something adds to them (a mutating webhook, a "
        "changed queue-proxy setting of Knative) or the level was changed."
    )
    return Cause("PodSecurityDenied", False, message, facts, step)


def _denied(found: re.Match[str], facts: tuple[str, ...], _: Sequence[Document]) -> Cause:
    webhook, what = found.groups()
    if webhook.endswith("knative.dev"):
        message = f"Knative's own validation refuses the endpoint: {short(what)}"
        step = "Change the setting that it names; if you set none of it, report this to KubeServe."
    else:
        message = f"The admission rule {webhook} of this cluster refuses it: {short(what)}"
        step = f"{OPERATOR}{webhook} must let KubeServe's objects pass."
    return Cause("WebhookDenied", False, message, facts, step)


def _unanswered(found: re.Match[str], facts: tuple[str, ...], _: Sequence[Document]) -> Cause:
    webhook, what = found.groups()
    message = f"The admission webhook {webhook} does not answer: {short(what)}"
    step = f"{OPERATOR}what answers for {webhook} is down, and nothing can be changed meanwhile."
    return Cause("WebhookUnavailable", False, message, facts, step)


def _rights(found: re.Match[str], facts: tuple[str, ...], _: Sequence[Document]) -> Cause:
    user, verb, resource = found.groups()
    message = f"KubeServe's account may not {verb} {resource} in this cluster."
    step = f"{OPERATOR}`kubeserve admin preflight` lists the rights that {user} lacks."
    return Cause("RightsMissing", False, message, facts, step)
