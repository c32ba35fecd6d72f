import { useState, type FormEvent } from "react";
import { useParams } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useGet, usePath, useSession } from "../api/hooks";
import { Invite } from "../parts/inviting";
import { Limits, QUOTAS } from "../parts/quota";
import { Button, ButtonLink, Card, Code, DocumentTitle, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/form";

export default function Tenant() {
  const { named = "" } = useParams();
  const path = usePath();
  const { me } = useSession();
  const at = `/v1/tenants/${encodeURIComponent(named)}`;
  const tenant = useGet<Schemas["Tenant"]>(at);
  const quota = useGet<Schemas["Quota"]>(`${at}/quota`, 15_000);
  const [inviting, setInviting] = useState(false);
  const [changing, setChanging] = useState(false);
  const member = me.tenants.some(({ name }) => name === named);
  return (
    <Loaded of={tenant}>
      {(found) => (
        <>
          <DocumentTitle>{found.name}</DocumentTitle>
          <PageHead
            back={{ to: path("tenants"), label: "Tenants" }}
            title={found.name}
            says={
              <>
                Made <Time at={found.created_at} />. {!member && "You are no member: what is in it is not shown to you."}
              </>
            }
          >
            {member && <ButtonLink to={`/dashboard/${encodeURIComponent(found.name)}`}>Go to it</ButtonLink>}
            <Button look="main" icon="members" onClick={() => setInviting(true)}>
              Invite
            </Button>
          </PageHead>
          <div className="grid gap-5">
            <Card title="Quotas" action={<Button onClick={() => setChanging(true)}>Change</Button>}>
              <Loaded of={quota} lines={8}>
                {(one) => <Limits quota={one} />}
              </Loaded>
            </Card>
            <Code label="The same from the command line">{`kubeserve quota --tenant ${found.name}`}</Code>
          </div>
          {inviting && <Invite tenant={found.name} role="owner" onClose={() => setInviting(false)} />}
          {changing && quota.data !== undefined && <Change at={`${at}/quota`} quota={quota.data} onClose={() => setChanging(false)} />}
        </>
      )}
    </Loaded>
  );
}

function Change({ at, quota, onClose }: { at: string; quota: Schemas["Quota"]; onClose: () => void }) {
  const [limits, setLimits] = useState<Record<string, string>>(() =>
    Object.fromEntries(QUOTAS.map(({ name }) => [name, quota[name]?.own ? String(quota[name].limit) : ""])),
  );
  const put = useAct(
    (api) => {
      const body = Object.fromEntries(
        Object.entries(limits).flatMap(([name, text]) => (text.trim() === "" ? [] : [[name, Number(text)]])),
      );
      const etag = api.etag(at);
      return api.put(at, body, etag === undefined ? {} : { headers: { "if-match": etag } });
    },
    { touches: ["/v1/tenants", "/v1/quota"], says: `The quotas of ${quota.tenant} are set.`, quiet: true, then: onClose },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    put.mutate();
  };
  return (
    <Dialog title={`Quotas of ${quota.tenant}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-soft">Left empty, it is the installation's. They hold at once; what is there already stays.</p>
        <div className="grid gap-4 sm:grid-cols-2">
          {QUOTAS.filter(({ name }) => quota[name] !== undefined).map(({ name, label }) => (
            <TextField
              key={name}
              label={name === "storage_bytes" ? `${label}, bytes` : label}
              type="number"
              min={0}
              placeholder={quota[name].own ? "the installation's" : String(quota[name].limit)}
              value={limits[name] ?? ""}
              onChange={({ target }) => setLimits({ ...limits, [name]: target.value })}
            />
          ))}
        </div>
        {put.error !== null && <Problem problem={put.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={put.isPending}>
            Set the quotas
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
