"""Subjects as people read them: a program's name, a person's address, an API key's name."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

# Gives by ID the names that a tenant, given by name, may see.
NamesOf = Callable[[str, list[str]], Awaitable[dict[str, str]]]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Looks names up by the kind of a subject: `client:ID`, `user:UUID`, `key:ID`."""

    names_of: Mapping[str, NamesOf] = field(default_factory=dict)

    async def names(self, tenant: str, subjects: Iterable[str]) -> dict[str, str]:
        """Give the name of each subject that has one.

        tenant  whose things these subjects made or changed: it knows them, and no others
        """
        ids: dict[str, list[str]] = {}
        for subject in set(subjects):
            kind, _, name = subject.partition(":")
            ids.setdefault(kind, []).append(name)
        found: dict[str, str] = {}
        for kind, wanted in ids.items():
            if kind in self.names_of:
                names = await self.names_of[kind](tenant, wanted)
                found |= {f"{kind}:{key}": name for key, name in names.items()}
        return found


async def with_names(
    request: Request, tenant: str, documents: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Give documents with the name of each one's `created_by`, None where there is none."""
    subjects: Subjects = request.app.state.subjects
    names = await subjects.names(tenant, [one["created_by"] for one in documents])
    return [{**one, "created_by_name": names.get(one["created_by"])} for one in documents]
