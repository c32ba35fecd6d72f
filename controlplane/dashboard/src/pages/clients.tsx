import { useState, type FormEvent } from "react";
import type { Schemas } from "../api/client";
import { useAct, useList } from "../api/hooks";
import { inOrder, Scopes } from "../parts/scopes";
import { SecretOnce } from "../parts/secret";
import { Badge, Button, Card, Code, DocumentTitle, Empty, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Confirm, Dialog } from "../ui/dialog";
import { SelectField, TextArea, TextField } from "../ui/form";
import { Table } from "../ui/table";

type Client = Schemas["Client"];
type Kind = "program" | "application" | "public";

export default function Clients() {
  const clients = useList<Client>("/v1/clients?limit=100");
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Client | null>(null);
  const make = (
    <Button look="main" icon="client" onClick={() => setMaking(true)}>
      New client
    </Button>
  );
  return (
    <>
      <DocumentTitle>Clients</DocumentTitle>
      <PageHead
        title="Clients"
        says="Service accounts, which are programs of their own, and applications that people sign in to (OAuth 2.1, OpenID Connect)."
      >
        {make}
      </PageHead>
      <Loaded of={clients}>
        {() => (
          <Card flush>
            {clients.items.length === 0 ? (
              <Empty icon="client" title="No client yet" action={make} command="kubeserve keys create ci --scope predict">
                A service account belongs to the tenant, not to a person: it stays when people leave. For something small, an API
                key is simpler.
              </Empty>
            ) : (
              <Table
                label="Clients"
                rows={clients.items}
                rowKey={({ id }) => id}
                more={clients.more}
                columns={[
                  {
                    head: "Client",
                    cell: (one) => (
                      <>
                        {one.name}
                        <code className="block text-xs font-normal wrap-anywhere text-soft">{one.id}</code>
                      </>
                    ),
                  },
                  {
                    head: "Scopes",
                    from: "sm",
                    cell: (one) => (
                      <span className="flex flex-wrap gap-1">
                        {inOrder(one.scopes).map((scope) => (
                          <Badge key={scope} tone={scope === "admin" ? "warn" : "plain"}>
                            {scope}
                          </Badge>
                        ))}
                      </span>
                    ),
                  },
                  {
                    head: "Kind",
                    from: "md",
                    cell: (one) => (one.redirect_uris.length > 0 ? "Application" : "Service account"),
                  },
                  { head: "Shows who it is by", from: "lg", cell: ({ auth_method }) => METHODS[auth_method] },
                  { head: "Made", right: true, from: "sm", cell: (one) => <Time at={one.created_at} /> },
                  {
                    head: "Actions",
                    right: true,
                    cell: (one) => (
                      <Button look="quiet" onClick={() => setRevoking(one)}>
                        Delete<span className="sr-only"> {one.name}</span>
                      </Button>
                    ),
                  },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
      {making && <Make onClose={() => setMaking(false)} />}
      {revoking !== null && <Revoke client={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

const METHODS: Record<Client["auth_method"], string> = {
  client_secret_basic: "a secret",
  private_key_jwt: "a key of its own",
  none: "PKCE alone",
};

const KINDS: Record<Kind, string> = {
  program: "Service account: a program with a secret",
  application: "Application with a server: people sign in, it keeps a secret",
  public: "Application without a server: people sign in, it keeps none",
};

function Make({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Kind>("program");
  const [redirects, setRedirects] = useState("");
  const [scopes, setScopes] = useState<string[]>(["predict", "models:read", "endpoints:read"]);
  const make = useAct(
    (api) =>
      api.post<Schemas["ClientWithSecret"]>("/v1/clients", {
        name: name.trim(),
        scopes: inOrder(scopes),
        ...(kind === "program" ? {} : { redirect_uris: redirects.split(/\s+/).filter((one) => one !== "") }),
        ...(kind === "public" ? { public: true } : {}),
      }),
    { touches: ["/v1/clients"], quiet: true },
  );
  const made = make.data;
  if (made !== undefined) {
    const how = (
      <Code label="Use it">{`export KUBESERVE_URL=${location.origin}\nexport KUBESERVE_CLIENT_ID=${made.id}${made.secret === null ? "" : "\nexport KUBESERVE_CLIENT_SECRET=…"}`}</Code>
    );
    if (made.secret !== null)
      return (
        <SecretOnce title={`Client ${made.name}`} label="Client secret" secret={made.secret} onClose={onClose}>
          {how}
        </SecretOnce>
      );
    return (
      <Dialog title={`Client ${made.name}`} onClose={onClose}>
        <div className="grid gap-4">
          <p>It has no secret. This is its id:</p>
          <Code label="Client id">{made.id}</Code>
          <div className="flex justify-end">
            <Button look="main" onClick={onClose}>
              Done
            </Button>
          </div>
        </div>
      </Dialog>
    );
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New client" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField label="Name" required maxLength={200} hint="People see it when it asks for their consent." value={name} onChange={({ target }) => setName(target.value)} />
        <SelectField label="Kind" value={kind} onChange={({ target }) => setKind(target.value as Kind)}>
          {(Object.keys(KINDS) as Kind[]).map((one) => (
            <option key={one} value={one}>
              {KINDS[one]}
            </option>
          ))}
        </SelectField>
        {kind !== "program" && (
          <TextArea
            label="Redirect addresses"
            hint="One a line, each exactly as the application sends it."
            rows={3}
            required
            value={redirects}
            onChange={({ target }) => setRedirects(target.value)}
          />
        )}
        <Scopes chosen={scopes} choose={setScopes} />
        {make.error !== null && <Problem problem={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={make.isPending}>
            Make the client
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Revoke({ client, onClose }: { client: Client; onClose: () => void }) {
  const revoke = useAct((api) => api.delete(`/v1/clients/${encodeURIComponent(client.id)}`), {
    touches: ["/v1/clients"],
    says: `The client ${client.name} is deleted.`,
    quiet: true,
    then: onClose,
  });
  return (
    <Confirm
      title={`Delete the client ${client.name}?`}
      action="Delete the client"
      typed={client.scopes.includes("admin") ? client.name : undefined}
      busy={revoke.isPending}
      problem={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    >
      Its tokens end within a second, and whatever uses it is refused. What it made stays. That cannot be undone.
    </Confirm>
  );
}
