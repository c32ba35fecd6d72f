import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useList, usePath, useSession } from "../api/hooks";
import { LinkOnce } from "../parts/secret";
import { Badge, Button, Card, DocumentTitle, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/form";
import { Table } from "../ui/table";

type Tenant = Schemas["Tenant"];

export default function Tenants() {
  const path = usePath();
  const { me } = useSession();
  const tenants = useList<Tenant>("/v1/tenants?limit=100");
  const [making, setMaking] = useState(false);
  return (
    <>
      <DocumentTitle>Tenants</DocumentTitle>
      <PageHead
        title="Tenants"
        says="Each has models, endpoints, members, keys and quotas of its own, and sees nothing of the others."
      >
        <Button look="main" icon="tenant" onClick={() => setMaking(true)}>
          New tenant
        </Button>
      </PageHead>
      <Loaded of={tenants}>
        {() => (
          <Card flush>
            <Table
              label="Tenants"
              rows={tenants.items}
              rowKey={({ id }) => id}
              more={tenants.more}
              columns={[
                {
                  head: "Tenant",
                  cell: ({ name }) => (
                    <Link to={path("tenants", name)} className="hover:text-main hover:underline">
                      {name}
                    </Link>
                  ),
                },
                {
                  head: "You are",
                  cell: ({ name }) => {
                    const role = me.tenants.find((one) => one.name === name)?.role;
                    return role === undefined ? <span className="text-soft">no member</span> : <Badge tone="main">{role}</Badge>;
                  },
                },
                { head: "Made", right: true, cell: ({ created_at }) => <Time at={created_at} /> },
              ]}
            />
          </Card>
        )}
      </Loaded>
      {making && <Make onClose={() => setMaking(false)} />}
    </>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const { me } = useSession();
  const [name, setName] = useState("");
  const [owner, setOwner] = useState(me.email ?? "");
  const make = useAct(
    (api) =>
      api.post<Tenant & { invitation?: string }>("/v1/tenants", {
        name: name.trim(),
        owner: owner.trim() === "" ? null : owner.trim(),
      }),
    {
      touches: ["/v1/tenants"],
      quiet: true,
      says: ({ name: made }) => `The tenant ${made} is made.`,
      then: ({ invitation }) => invitation === undefined && onClose(),
    },
  );
  const made = make.data;
  if (made?.invitation !== undefined)
    return (
      <LinkOnce title={`The tenant ${made.name} is made`} link={made.invitation} onClose={onClose}>
        Whoever opens this link as {owner.trim()} owns it. {owner.trim() === me.email && (
          <a href={made.invitation} className="text-main underline">
            Open it now
          </a>
        )}
      </LinkOnce>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New tenant" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField label="Name" hint="Small letters, digits and hyphens. It is part of addresses, and stays." required value={name} onChange={({ target }) => setName(target.value)} />
        <TextField
          label="E-mail address of its owner"
          type="email"
          hint="They get a link, from you. Left empty, programs alone use it until somebody is invited."
          value={owner}
          onChange={({ target }) => setOwner(target.value)}
        />
        {make.error !== null && <Problem problem={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={make.isPending}>
            Make the tenant
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
