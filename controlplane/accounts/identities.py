"""Whom an external provider's word makes: a person it is linked with, or who has been invited."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from controlplane.accounts import repository, service
from controlplane.accounts.applications import Applications
from controlplane.accounts.openid import Claims
from controlplane.accounts.service import Person
from controlplane.audit import service as audit
from controlplane.callers import Caller
from controlplane.database import Taken, transaction
from runtime.problems import Conflict, Forbidden

Invited = Callable[[str, datetime], Awaitable[bool]]


async def person_of(
    claims: Claims,
    invited: Invited,
    caller_of: Callable[[Person], Caller],
    applications: Applications,
    now: datetime,
) -> Person:
    """Give the person of an identity; at first use it is linked by its verified e-mail address.

    Nobody had shown until then that an account's address is theirs: its password ends, and all that
    was begun with it. Everybody with an account was invited once; who has none needs an invitation.
    Raises Forbidden.
    """
    try:
        async with transaction():
            row = await repository.known_elsewhere_as(claims.issuer, claims.subject)
            if row is not None:
                return _allowed(await service.find(row.id))
            person, unproved = await _first_time(claims, invited, now)
            if unproved:
                person = await service.hand_over(caller_of(person), person, applications, now)
            await repository.link(person.id, claims.issuer, claims.subject)
            await audit.record(
                caller_of(person), "account.link", person.subject, issuer=claims.issuer
            )
            return person
    except Taken as error:
        raise Conflict("You are signing in twice at once; try again.") from error


async def _first_time(claims: Claims, invited: Invited, now: datetime) -> tuple[Person, bool]:
    """Give the person, and whether there was an account that no provider had vouched for."""
    if claims.email is None:
        raise Forbidden(
            "Your e-mail address is not verified there, so it cannot be told whether you were "
            "invited. Verify it, or sign in with a password."
        )
    email = service.checked_email(claims.email)
    row = await repository.by_email(email)
    if row is not None:
        person = _allowed(await service.find(row.id))
        return person, not await repository.links_of(person.id)
    if not await invited(email, now):
        raise Forbidden(f"Nobody has invited {email}. Ask an owner or administrator to.")
    return await service.create(email, service.checked_name(claims.name), None), False


def _allowed(person: Person | None) -> Person:
    if person is None:
        raise Forbidden("This account may not sign in.")
    return person
