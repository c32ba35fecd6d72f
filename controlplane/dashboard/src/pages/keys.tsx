import { useState, type FormEvent } from "react";
import type { Schemas } from "../api/client";
import type { Key } from "../api/documents";
import { useAct, useCan, useList } from "../api/hooks";
import { inOrder, Scopes } from "../parts/scopes";
import { SecretOnce } from "../parts/secret";
import { Badge, Button, Card, Code, DocumentTitle, Empty, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Confirm, Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/form";
import { Table } from "../ui/table";

export default function Keys() {
  const can = useCan();
  const keys = useList<Key>("/v1/keys?limit=100", 15_000);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Key | null>(null);
  const make = (
    <Button look="main" icon="key" onClick={() => setMaking(true)}>
      New API key
    </Button>
  );
  return (
    <>
      <DocumentTitle>API keys</DocumentTitle>
      <PageHead
        title="API keys"
        says={can("admin") ? "All keys of this tenant. A key never has more rights than who made it, and ends with them." : "Your own keys. A key never has more rights than you, and ends with your membership."}
      >
        {make}
      </PageHead>
      <Loaded of={keys}>
        {() => (
          <Card flush>
            {keys.items.length === 0 ? (
              <Empty icon="key" title="No API key yet" action={make} command="kubeserve keys create ci --scope models:write --scope endpoints:write">
                A key is for one program: for the API with scopes that you choose, or for a single endpoint, to which it is sent
                as it is.
              </Empty>
            ) : (
              <Table
                label="API keys"
                rows={keys.items}
                rowKey={({ id }) => id}
                more={keys.more}
                columns={[
                  {
                    head: "Key",
                    cell: (one) => (
                      <>
                        {one.name} {one.expired && <Badge tone="bad">Expired</Badge>}
                        <code className="block text-xs font-normal wrap-anywhere text-soft">{one.id}</code>
                      </>
                    ),
                  },
                  {
                    head: "Opens",
                    cell: (one) =>
                      one.endpoint !== null ? (
                        <Badge tone="main">endpoint {one.endpoint}</Badge>
                      ) : (
                        <span className="flex flex-wrap gap-1">
                          {inOrder(one.scopes).map((scope) => (
                            <Badge key={scope}>{scope}</Badge>
                          ))}
                        </span>
                      ),
                  },
                  { head: "By", from: "lg", cell: (one) => one.created_by_name ?? one.created_by },
                  { head: "Last used", right: true, from: "sm", cell: (one) => (one.last_used_at === null ? "never" : <Time at={one.last_used_at} />) },
                  { head: "Expires", right: true, from: "md", cell: (one) => <Time at={one.expires_at} /> },
                  {
                    head: "Actions",
                    right: true,
                    cell: (one) => (
                      <Button look="quiet" onClick={() => setRevoking(one)}>
                        Revoke<span className="sr-only"> {one.name}</span>
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
      {revoking !== null && <Revoke held={revoking} onClose={() => setRevoking(null)} />}
    </>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const can = useCan();
  const endpoints = useList<Schemas["Endpoint"]>(can("endpoints:read") ? "/v1/endpoints?limit=200" : null);
  const [name, setName] = useState("");
  const [endpoint, setEndpoint] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState<string[]>(["predict"]);
  const make = useAct(
    (api) =>
      api.post<Key & { key: string }>("/v1/keys", {
        name: name.trim(),
        expires_in_days: Number(days),
        ...(endpoint === "" ? { scopes: inOrder(scopes) } : { endpoint }),
      }),
    { touches: ["/v1/keys"], quiet: true },
  );
  const made = make.data;
  if (made !== undefined)
    return (
      <SecretOnce title={`API key ${made.name}`} label="API key" secret={made.key} onClose={onClose}>
        {made.endpoint === null ? (
          <Code label="Use it from Python">{`import kubeserve\n\nclient = kubeserve.Client("${location.origin}", api_key="…")`}</Code>
        ) : (
          <p className="text-soft">
            Send it to the endpoint as <code>Authorization: Bearer …</code>; it opens {made.endpoint} and nothing else.
          </p>
        )}
      </SecretOnce>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title="New API key" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField label="Name" hint="What it is for: nightly-batch, grafana." required maxLength={200} value={name} onChange={({ target }) => setName(target.value)} />
        <SelectField
          label="Opens"
          hint={endpoint === "" ? "A program exchanges it for tokens of minutes; the SDK does that." : "It is sent to the endpoint itself, by any HTTP client."}
          value={endpoint}
          onChange={({ target }) => setEndpoint(target.value)}
        >
          <option value="">The API and all endpoints, by scopes</option>
          {endpoints.items.map((one) => (
            <option key={one.id} value={one.name}>
              The endpoint {one.name} alone
            </option>
          ))}
        </SelectField>
        {/* Sessions are for the API, so `predict` is not among their scopes for certain: the API knows. */}
        {endpoint === "" && <Scopes chosen={scopes} choose={setScopes} may={(scope) => scope === "predict" || can(scope)} />}
        <TextField
          label="Expires in days"
          type="number"
          min={1}
          max={366}
          required
          hint="At most 366."
          value={days}
          onChange={({ target }) => setDays(target.value)}
        />
        {make.error !== null && <Problem problem={make.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={make.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Revoke({ held, onClose }: { held: Key; onClose: () => void }) {
  const revoke = useAct((api) => api.delete(`/v1/keys/${held.id}`), {
    touches: ["/v1/keys"],
    says: `The API key ${held.name} is revoked.`,
    quiet: true,
    then: onClose,
  });
  return (
    <Confirm title={`Revoke ${held.name}?`} action="Revoke the key" busy={revoke.isPending} problem={revoke.error} onConfirm={() => revoke.mutate()} onClose={onClose}>
      Whatever uses it is refused at once, its tokens too.{" "}
      {held.last_used_at === null ? (
        "It was never used."
      ) : (
        <>
          It was last used <Time at={held.last_used_at} />.
        </>
      )}{" "}
      That cannot be undone.
    </Confirm>
  );
}
