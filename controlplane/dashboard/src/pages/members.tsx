import { useState } from "react";
import type { Invitation, Member, Role } from "../api/documents";
import { useAct, useList, useSession, useTenant } from "../api/hooks";
import { Invite, ROLES } from "../parts/inviting";
import { Badge, Button, Card, DocumentTitle, Empty, Loaded, PageHead, Time } from "../ui/basics";
import { Confirm } from "../ui/dialog";
import { Table } from "../ui/table";

export default function Members() {
  const tenant = useTenant();
  const { me } = useSession();
  const members = useList<Member>("/v1/members?limit=100");
  const invitations = useList<Invitation>("/v1/invitations?limit=100");
  const [inviting, setInviting] = useState(false);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [revoking, setRevoking] = useState<Invitation | null>(null);
  const invite = (
    <Button look="main" icon="members" onClick={() => setInviting(true)}>
      Invite
    </Button>
  );
  return (
    <>
      <DocumentTitle>Members</DocumentTitle>
      <PageHead title="Members" says={`Who may see and change what is in ${tenant}. Each role can do what those above it can, and more.`}>
        {invite}
      </PageHead>
      <div className="grid gap-5">
        <Loaded of={members}>
          {() => (
            <Card flush>
              {members.items.length === 0 ? (
                <Empty icon="members" title="Nobody is a member yet" action={invite} command="kubeserve invite ada@example.com --role developer">
                  Programs alone use this tenant so far.
                </Empty>
              ) : (
                <Table
                  label="Members"
                  rows={members.items}
                  rowKey={({ id }) => id}
                  more={members.more}
                  columns={[
                    {
                      head: "Member",
                      cell: (one) => (
                        <>
                          {one.name} {me.email === one.email && <Badge>You</Badge>}
                          <span className="block text-xs font-normal wrap-anywhere text-soft">{one.email}</span>
                        </>
                      ),
                    },
                    { head: "Role", cell: (one) => <RoleOf key={one.role} member={one} /> },
                    { head: "Joined", right: true, from: "sm", cell: (one) => <Time at={one.joined_at} /> },
                    {
                      head: "Actions",
                      right: true,
                      cell: (one) => (
                        <Button look="quiet" onClick={() => setLeaving(one)}>
                          {me.email === one.email ? "Leave" : "Remove"}
                          <span className="sr-only"> {one.email}</span>
                        </Button>
                      ),
                    },
                  ]}
                />
              )}
            </Card>
          )}
        </Loaded>
        <Card title="What roles may">
          <dl className="grid gap-x-6 gap-y-2 sm:grid-cols-2">
            {(Object.keys(ROLES) as Role[]).map((role) => (
              <div key={role} className="flex gap-2">
                <dt className="w-20 shrink-0 font-medium">{role}</dt>
                <dd className="text-soft">{ROLES[role]}</dd>
              </div>
            ))}
          </dl>
        </Card>
        <Loaded of={invitations}>
          {() => (
            <Card title="Open invitations" flush={invitations.items.length > 0}>
              {invitations.items.length === 0 ? (
                <p className="text-soft">Nobody is invited. An invitation is a link that works once, for a week.</p>
              ) : (
                <Table
                  label="Open invitations"
                  rows={invitations.items}
                  rowKey={({ id }) => id}
                  more={invitations.more}
                  columns={[
                    { head: "For", cell: (one) => <span className="wrap-anywhere">{one.email ?? "Whoever has the link"}</span> },
                    { head: "Role", cell: (one) => <Badge>{one.role}</Badge> },
                    { head: "Ends", right: true, from: "sm", cell: (one) => <Time at={one.expires_at} /> },
                    {
                      head: "Actions",
                      right: true,
                      cell: (one) => (
                        <Button look="quiet" onClick={() => setRevoking(one)}>
                          Revoke<span className="sr-only"> the invitation of {one.email ?? "whoever has the link"}</span>
                        </Button>
                      ),
                    },
                  ]}
                />
              )}
            </Card>
          )}
        </Loaded>
      </div>
      {inviting && <Invite onClose={() => setInviting(false)} />}
      {leaving !== null && <Remove member={leaving} oneself={leaving.email === me.email} onClose={() => setLeaving(null)} />}
      {revoking !== null && <Revoke invitation={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

function RoleOf({ member }: { member: Member }) {
  const change = useAct((api, role: Role) => api.patch<Member>(`/v1/members/${member.id}`, { role }), {
    touches: ["/v1/members", "/v1/me"],
    says: ({ email, role }) => `${email} is ${role} now.`,
  });
  return (
    <select
      aria-label={`Role of ${member.email}`}
      title={ROLES[member.role]}
      value={change.isPending ? change.variables : member.role}
      disabled={change.isPending}
      onChange={({ target }) => change.mutate(target.value as Role)}
      className="h-8 rounded-md border border-edge bg-card px-2"
    >
      {(Object.keys(ROLES) as Role[]).map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

function Remove({ member, oneself, onClose }: { member: Member; oneself: boolean; onClose: () => void }) {
  const tenant = useTenant();
  const remove = useAct((api) => api.delete(`/v1/members/${member.id}`), {
    touches: oneself ? [] : ["/v1/members"],
    says: oneself ? `You have left ${tenant}.` : `${member.email} is no member any more.`,
    quiet: true,
    then: () => (oneself ? location.assign("/dashboard") : onClose()),
  });
  return (
    <Confirm
      title={oneself ? `Leave ${tenant}?` : `Remove ${member.email}?`}
      action={oneself ? "Leave" : "Remove"}
      busy={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {oneself ? "You" : member.name} can do nothing in {tenant} from then on; tokens end at once, and so do API keys made by{" "}
      {oneself ? "you" : "them"}. Models and endpoints stay.
    </Confirm>
  );
}

function Revoke({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const revoke = useAct((api) => api.delete(`/v1/invitations/${invitation.id}`), {
    touches: ["/v1/invitations"],
    says: "The invitation is revoked.",
    quiet: true,
    then: onClose,
  });
  return (
    <Confirm title="Revoke the invitation?" action="Revoke" busy={revoke.isPending} problem={revoke.error} onConfirm={() => revoke.mutate()} onClose={onClose}>
      The link of {invitation.email ?? "whoever has it"} does not work any more. You can make another.
    </Confirm>
  );
}
