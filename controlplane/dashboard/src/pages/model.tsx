import { useState, type FormEvent } from "react";
import { Link, useParams } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useCan, useGet, useList, usePath } from "../api/hooks";
import { DeleteCard } from "../parts/deleting";
import { DeployButton } from "../parts/deploy";
import { NAME, NAME_HINT } from "../parts/names";
import { VersionStatus } from "../parts/states";
import { Badge, Button, ButtonLink, Card, DocumentTitle, Empty, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/form";
import { bytes } from "../ui/format";
import { Table } from "../ui/table";

type Model = Schemas["Model"];
type Version = Schemas["Version"];

export default function ModelPage() {
  const { model: name = "" } = useParams();
  const path = usePath();
  const can = useCan();
  const model = useGet<Model>(`/v1/models/${name}`, 5000);
  const versions = useList<Version>(`/v1/models/${name}/versions?limit=50`, 3000);
  const newest = versions.items.find(({ state }) => state === "ready");
  return (
    <>
      <DocumentTitle>{name}</DocumentTitle>
      <PageHead title={name} back={{ to: path("models"), label: "Models" }} says={model.data?.description || undefined}>
        {newest !== undefined && <DeployButton version={newest} />}
        {can("models:write") && (
          <ButtonLink to={`${path("upload")}?model=${name}`} icon="upload">
            New version
          </ButtonLink>
        )}
      </PageHead>
      <Loaded of={model}>
        {(found) => (
          <div className="grid gap-5">
            <Loaded of={versions}>
              {() => (
                <Card flush title="Versions">
                  {versions.items.length === 0 ? (
                    <Empty icon="model" title="No version yet" command={`kubeserve push model.joblib --name ${name}`}>
                      The model has a name and nothing to serve.
                    </Empty>
                  ) : (
                    <Table
                      label={`Versions of ${name}`}
                      rows={versions.items}
                      rowKey={({ number }) => number}
                      more={versions.more}
                      columns={[
                        {
                          head: "Version",
                          cell: ({ number }) => (
                            <Link to={path("models", name, number)} className="hover:text-main hover:underline">
                              {number}
                            </Link>
                          ),
                        },
                        { head: "Status", cell: ({ state }) => <VersionStatus state={state} /> },
                        {
                          head: "Served by",
                          from: "sm",
                          cell: ({ backend }) => (backend === null ? "–" : backend === "plan" ? "plan" : "scikit-learn"),
                        },
                        {
                          head: "Aliases",
                          from: "md",
                          cell: ({ aliases }) => (
                            <span className="flex flex-wrap gap-1">
                              {aliases.map((alias) => (
                                <Badge key={alias} tone="main">
                                  {alias}
                                </Badge>
                              ))}
                            </span>
                          ),
                        },
                        { head: "scikit-learn", from: "md", cell: ({ sklearn_version }) => sklearn_version ?? "–" },
                        { head: "Size", from: "lg", right: true, cell: ({ size_bytes }) => bytes(size_bytes) },
                        { head: "By", from: "lg", cell: (row) => row.created_by_name ?? row.created_by },
                        { head: "Uploaded", right: true, cell: ({ created_at }) => <Time at={created_at} /> },
                      ]}
                    />
                  )}
                </Card>
              )}
            </Loaded>
            <Aliases model={found} versions={versions.items} />
            {can("models:write") && <Delete model={found} />}
          </div>
        )}
      </Loaded>
    </>
  );
}

function Aliases({ model, versions }: { model: Model; versions: Version[] }) {
  const can = useCan();
  const [open, setOpen] = useState(false);
  const rows = Object.entries(model.aliases);
  const remove = useAct<string>((api, alias) => api.delete(`/v1/models/${model.name}/aliases/${alias}`), {
    touches: [`/v1/models`],
    says: (_, alias) => `The alias ${alias} is gone`,
  });
  return (
    <Card
      flush
      title="Aliases"
      action={can("models:write") && versions.length > 0 && <Button onClick={() => setOpen(true)}>Set an alias</Button>}
    >
      {rows.length === 0 ? (
        <p className="p-4 text-soft">
          None. An alias such as <code>production</code> names a version, so that{" "}
          <code>
            kubeserve deploy {model.name}:production
          </code>{" "}
          need not.
        </p>
      ) : (
        <Table
          label="Aliases"
          rows={rows}
          rowKey={([alias]) => alias}
          columns={[
            { head: "Alias", cell: ([alias]) => alias },
            { head: "Version", cell: ([, version]) => version },
            {
              head: "Action",
              right: true,
              cell: ([alias]) =>
                can("models:write") && (
                  <Button look="quiet" busy={remove.isPending} onClick={() => remove.mutate(alias)}>
                    Remove<span className="sr-only"> {alias}</span>
                  </Button>
                ),
            },
          ]}
        />
      )}
      {open && <SetAlias model={model} versions={versions} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function SetAlias({ model, versions, onClose }: { model: Model; versions: Version[]; onClose: () => void }) {
  const [alias, setAlias] = useState("");
  const [version, setVersion] = useState(String(versions[0]?.number ?? ""));
  const set = useAct<void>(
    (api) => api.put(`/v1/models/${model.name}/aliases/${alias}`, { version: Number(version) }),
    { touches: ["/v1/models"], quiet: true, says: `${alias} is version ${version}`, then: onClose },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    set.mutate();
  };
  return (
    <Dialog title="Set an alias" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField
          label="Alias"
          required
          value={alias}
          placeholder="production"
          onChange={(event) => setAlias(event.target.value)}
          error={alias !== "" && !NAME.test(alias) ? NAME_HINT : undefined}
        />
        <SelectField label="Version" value={version} onChange={(event) => setVersion(event.target.value)}>
          {versions.map(({ number, state }) => (
            <option key={number} value={number}>
              {number} ({state})
            </option>
          ))}
        </SelectField>
        {set.error !== null && <Problem problem={set.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={set.isPending} disabled={!NAME.test(alias)}>
            Set
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Delete({ model }: { model: Model }) {
  return (
    <DeleteCard
      what="model"
      name={model.name}
      list="models"
      says={`${model.name} is deleted`}
      about="All its versions and aliases go. A model that an endpoint serves is kept."
    >
      {model.versions === 1 ? "Its version goes" : `Its ${model.versions} versions go`} with it, and cannot be brought
      back.
    </DeleteCard>
  );
}
