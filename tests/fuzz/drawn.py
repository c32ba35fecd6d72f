"""Requests drawn by Schemathesis from the API's own reference, and what is wrong with answers."""

import contextlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy, datetimes, sampled_from
from joserfc.jwk import ECKey
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks

from tests.fuzz.principals import Headers

Operation = APIOperation[Any, Any, Any, Any]
ANSWERED_WITHIN_S = 30
# Drawn names hardly ever name something.
KNOWN = {
    "model": "iris",
    "version": "1",
    "alias": "production",
    "endpoint": "iris",
    "tenant": "default",
    "name": "conflict",
}
ENDS_TOKENS = "/v1/admin/keys/rotate"
PUBLIC_KEY = ECKey.generate_key("P-256").as_dict(private=False)
# The ends of the calendar too: in UTC some of them are no times.
schemathesis.openapi.format(
    "date-time",
    sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"])
    | datetimes().map(lambda time: f"{time.isoformat()}Z"),
)
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
STARTS_PODS = ("min_scale", "initial_scale", "activation_scale")


@dataclass
class Findings:
    """How many requests were sent, what they were answered, and each kind of fault once."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)

    def note(self, case: Case, failures: list[Failure], principal: str) -> None:
        """Keep the first example of each kind of fault."""
        for failure in failures:
            key = (case.operation.label, failure.title)
            self.faults.setdefault(key, f"as {principal}: {failure.message}\n{shown(case)}")


def shown(case: Case) -> str:
    """Describe a request without its credentials."""
    return f"{case.method} {case.formatted_path} {case.query} {case.headers} {case.body!r}"[:600]


def operations(url: str) -> list[Operation]:
    """Give every operation; what deletes, or ends every token, comes last.

    The others would find nothing, or be nobody.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    return sorted(found, key=_is_last)


def _is_last(operation: Operation) -> int:
    if operation.path == ENDS_TOKENS:
        return 2
    return int(operation.method.upper() == "DELETE")


def strategies(operation: Operation) -> Iterator[SearchStrategy[Case]]:
    """Give the ways to draw: what fits and what does not, of things there are, then of others."""
    named = [one.name for one in operation.path_parameters]
    known = {name: KNOWN[name] for name in named if name in KNOWN}
    for names in (known, {}) if known else ({},):
        for mode in (POSITIVE, NEGATIVE):
            query = {"follow": False} if names and "logs" in operation.path else None
            yield operation.as_strategy(
                generation_mode=mode, path_parameters=names or None, query=query
            ).map(tamed)


def tamed(case: Case) -> Case:
    """Keep a release from starting a hundred workers, and let some find their model.

    What is drawn of a client's keys is put into one that is good otherwise.
    """
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("jwks"), dict):
        keys = {"keys": [{**PUBLIC_KEY, "kid": "k", **body["jwks"]}]}
        case.body = {**body, "jwks": keys, "public": False}
    if isinstance(body, dict) and case.path.endswith("/releases"):
        scaling = body.get("scaling")
        if isinstance(scaling, dict):
            low = {n: 1 for n in STARTS_PODS if type(scaling.get(n)) is int and scaling[n] > 1}
            body = {**body, "scaling": {**scaling, **low}}
        if isinstance(body.get("model"), str):
            body = {**body, "model": KNOWN["model"]}
        case.body = body
    return case


def drawn(operation: Operation, cases: int) -> list[Case]:
    """Draw about so many requests of one operation: drawing takes longer than the answer."""
    ways = list(strategies(operation))[:cases]
    found: list[Case] = []
    for way in ways:

        @seed(0)
        @settings(
            max_examples=math.ceil(cases / len(ways)),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=way)
        def draw(case: Case) -> None:
            found.append(case)

        # What takes nothing cannot be asked wrongly.
        with contextlib.suppress(Unsatisfiable):
            draw()
    return found


def send(
    case: Case, principal: str, headers: Headers, session: requests.Session, findings: Findings
) -> None:
    """Send one request as one principal and note what is wrong with the answer."""
    response = case.call(session=session, headers=headers, timeout=ANSWERED_WITHIN_S)
    findings.cases += 1
    findings.statuses[response.status_code] += 1
    try:
        case.validate_response(response, checks=checks_of(response))
    except FailureGroup as group:
        findings.note(case, list(group.exceptions), principal)


def checks_of(response: Response) -> list[Any]:
    """Give what an answer is held to; who is sent to sign in first was not looked at yet."""
    to = urlsplit(response.headers.get("location", [""])[0]).path
    sent_on = response.status_code == HTTPStatus.SEE_OTHER and to == "/login"
    return [check for check in CHECKS if not (sent_on and check is NEGATIVE_CHECK)]


NEGATIVE_CHECK = checks.negative_data_rejection
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    NEGATIVE_CHECK,
]
