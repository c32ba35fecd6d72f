import { useState } from "react";
import type { Person } from "../api/documents";
import { useAct, useList, useSession } from "../api/hooks";
import { LinkOnce } from "../parts/secret";
import { Badge, Button, Card, DocumentTitle, Loaded, PageHead, Status, Time } from "../ui/basics";
import { Confirm } from "../ui/dialog";
import { Table } from "../ui/table";

/** Everybody with an account, of all tenants. */
export default function People() {
  const { me } = useSession();
  const people = useList<Person>("/v1/people?limit=100");
  const [disabling, setDisabling] = useState<Person | null>(null);
  const [resetting, setResetting] = useState<Person | null>(null);
  const enable = useAct((api, one: Person) => api.patch<Person>(`/v1/people/${one.id}`, { disabled: false }), {
    touches: ["/v1/people"],
    says: ({ email }) => `${email} may sign in again.`,
  });
  return (
    <>
      <DocumentTitle>People</DocumentTitle>
      <PageHead title="People" says="Everybody with an account on this installation, whatever tenants they are in." />
      <Loaded of={people}>
        {() => (
          <Card flush>
            <Table
              label="People"
              rows={people.items}
              rowKey={({ id }) => id}
              more={people.more}
              columns={[
                {
                  head: "Person",
                  cell: (one) => (
                    <>
                      {one.name} {one.email === me.email && <Badge>You</Badge>}
                      <span className="block text-xs font-normal wrap-anywhere text-soft">{one.email}</span>
                    </>
                  ),
                },
                {
                  head: "Sign-in",
                  cell: (one) => (one.disabled ? <Status tone="bad">Disabled</Status> : <Status tone="good">Allowed</Status>),
                },
                { head: "Since", right: true, from: "md", cell: (one) => <Time at={one.created_at} /> },
                {
                  head: "Actions",
                  right: true,
                  cell: (one) => (
                    <span className="inline-flex flex-wrap justify-end">
                      <Button look="quiet" onClick={() => setResetting(one)}>
                        Password link<span className="sr-only"> for {one.email}</span>
                      </Button>
                      {one.disabled ? (
                        <Button look="quiet" busy={enable.isPending} onClick={() => enable.mutate(one)}>
                          Allow<span className="sr-only"> {one.email}</span>
                        </Button>
                      ) : (
                        <Button look="quiet" onClick={() => setDisabling(one)}>
                          Disable<span className="sr-only"> {one.email}</span>
                        </Button>
                      )}
                    </span>
                  ),
                },
              ]}
            />
          </Card>
        )}
      </Loaded>
      {disabling !== null && <Disable person={disabling} onClose={() => setDisabling(null)} />}
      {resetting !== null && <Reset person={resetting} onClose={() => setResetting(null)} />}
    </>
  );
}

function Disable({ person, onClose }: { person: Person; onClose: () => void }) {
  const disable = useAct((api) => api.patch<Person>(`/v1/people/${person.id}`, { disabled: true }), {
    touches: ["/v1/people"],
    says: `${person.email} cannot sign in any more.`,
    quiet: true,
    then: onClose,
  });
  return (
    <Confirm title={`Disable ${person.email}?`} action="Disable" busy={disable.isPending} problem={disable.error} onConfirm={() => disable.mutate()} onClose={onClose}>
      They are signed out everywhere; their tokens and API keys end. What they made stays, and it can be undone.
    </Confirm>
  );
}

function Reset({ person, onClose }: { person: Person; onClose: () => void }) {
  const make = useAct(
    (api) => api.post<{ link: string; expires_at: string }>(`/v1/people/${person.id}/password-link`),
    { touches: [], quiet: true },
  );
  if (make.data !== undefined)
    return (
      <LinkOnce title={`A way back in for ${person.email}`} link={make.data.link} onClose={onClose}>
        Whoever opens it sets {person.name}'s password. It works once, until <Time at={make.data.expires_at} />.
      </LinkOnce>
    );
  return (
    <Confirm title={`Make a password link for ${person.email}?`} action="Make the link" busy={make.isPending} problem={make.error} onConfirm={() => make.mutate()} onClose={onClose}>
      Give it to nobody but them: whoever has it becomes {person.name}. It is in the audit log that you made it.
    </Confirm>
  );
}
