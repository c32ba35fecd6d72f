"""Members and invitations."""

from typing import Any

from controlplane.client.core import Core
from controlplane.client.results import Account, Identity, Invitation, Member, PasswordLink
from controlplane.client.steps import Flow, members


class People:
    """Flows of who is in a tenant."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def me(self) -> Flow[Identity]:
        """Tell who calls."""
        return Identity.read((yield from self._core.get(self._core.url("me"))))

    def members(self) -> Flow[list[Member]]:
        """List members."""
        return list(map(Member.read, (yield from self._core.listed("members"))))

    def change_role(self, member: str, role: str) -> Flow[Member]:
        """Give a member another role."""
        url = self._core.url("members", member)
        answer = yield from self._core.call("PATCH", url, {"role": role})
        return Member.read(members(answer, url))

    def remove_member(self, member: str) -> Flow[None]:
        """Take a member out."""
        yield from self._core.delete(self._core.url("members", member))

    def invite(self, email: str | None, role: str, tenant: str | None) -> Flow[Invitation]:
        """Make an invitation."""
        asked: dict[str, Any] = {"email": email, "role": role, "tenant": tenant}
        body = {name: value for name, value in asked.items() if value is not None}
        return Invitation.read((yield from self._core.post(self._core.url("invitations"), body)))

    def invitations(self) -> Flow[list[Invitation]]:
        """List invitations that nobody has accepted yet."""
        return list(map(Invitation.read, (yield from self._core.listed("invitations"))))

    def revoke_invitation(self, invitation: str) -> Flow[None]:
        """Take an invitation back."""
        yield from self._core.delete(self._core.url("invitations", invitation))

    def people(self) -> Flow[list[Account]]:
        """List everybody with an account."""
        return list(map(Account.read, (yield from self._core.listed("people"))))

    def disable(self, person: str, disabled: bool) -> Flow[Account]:
        """Keep somebody from signing in, or let them again."""
        url = self._core.url("people", person)
        answer = yield from self._core.call("PATCH", url, {"disabled": disabled})
        return Account.read(members(answer, url))

    def password_link(self, person: str) -> Flow[PasswordLink]:
        """Make a link with which somebody sets a password."""
        url = self._core.url("people", person, "password-link")
        return PasswordLink.read((yield from self._core.post(url, {})))
