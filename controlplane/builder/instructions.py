"""What a build elsewhere is told: one JSON document in one environment variable.

A builder that waits is told in its variable where that document will be.
"""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self
from urllib.parse import urlsplit

from controlplane.builder.report import Limits

VARIABLE: Final = "KUBESERVE_BUILD"
STANDBY: Final = "KUBESERVE_STANDBY"
ADDRESSES: Final = ("source", "answer", "instructions", "first", "told")


class NotInstructions(ValueError):
    """The document is not one; says where."""


class Words:
    """A document with the members that a dataclass says."""

    __slots__ = ()

    def write(self) -> str:
        """Give the document."""
        return json.dumps(asdict(self))  # type: ignore[call-overload]

    @classmethod
    def read(cls, text: str) -> Self:
        """Read the document; raises NotInstructions, which never repeats an address."""
        if not text:
            raise NotInstructions("is not set; this program is started by the control plane")
        try:
            document = json.loads(text)
        except ValueError as error:
            raise NotInstructions("is not JSON") from error
        if not isinstance(document, dict):
            raise NotInstructions("is not an object")
        known = {field.name: field.type for field in fields(cls)}  # type: ignore[arg-type]
        if set(document) != set(known):
            differing = sorted(set(document) ^ set(known))
            raise NotInstructions(f"has other members than it should: {differing}")
        return cls(**{name: _checked(name, kind, document[name]) for name, kind in known.items()})


@dataclass(frozen=True, slots=True)
class Form:
    """What one object is written with, up to a size: a signed POST policy of S3."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Standby(Words):
    """A builder that waits.

    instructions  signed address that the Instructions of its build will be at
    wait_s        how long it looks there
    """

    instructions: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Instructions(Words):
    """One build.

    source      signed address to GET the upload from; its digest and size are compared
    plan        form to POST the plan with; report: the same, last
    answer      signed address that what is asked in place of the report is answered at
    answer_s    within which
    work        an empty folder that is ours
    deadline_s  of everything but waiting for the answer, from start to sent report
    """

    source: str
    plan: Form
    report: Form
    answer: str
    answer_s: float
    sha256: str
    size_bytes: int
    work: str
    deadline_s: float
    memory_bytes: int
    cpu_s: int
    wall_s: float
    decompressed_bytes: int
    work_bytes: int
    file_bytes: int

    def limits(self) -> Limits:
        """Give the limits of the build: in a pod there are no user namespaces to use."""
        return Limits(
            memory_bytes=self.memory_bytes,
            cpu_s=self.cpu_s,
            wall_s=self.wall_s,
            decompressed_bytes=self.decompressed_bytes,
            work_bytes=self.work_bytes,
            file_bytes=self.file_bytes,
            namespaces=False,
        )


def _checked(name: str, kind: object, value: Any) -> Any:
    if kind in (str, "str"):
        if not isinstance(value, str) or not value:
            raise NotInstructions(f"{name} is not a text")
        if name in ADDRESSES and urlsplit(value).scheme not in ("http", "https"):
            raise NotInstructions(f"{name} is no http address")
        return value
    if kind in (Form, "Form"):
        return _form(name, value)
    wanted = (int,) if kind in (int, "int") else (int, float)
    if type(value) not in wanted or not 0 < value < float("inf"):
        raise NotInstructions(f"{name} is not a number above 0")
    return value


def _form(name: str, value: Any) -> Form:
    if not isinstance(value, dict) or set(value) != {"url", "fields"}:
        raise NotInstructions(f"{name} is no form")
    url, fields = value["url"], value["fields"]
    if not isinstance(fields, dict) or not all(isinstance(one, str) for one in fields.values()):
        raise NotInstructions(f"the fields of {name} are not texts")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise NotInstructions(f"{name} has no http address")
    return Form(url, fields)
