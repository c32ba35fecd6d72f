import { useState, type FormEvent } from "react";
import { useNavigate } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useCan, useList, usePath } from "../api/hooks";
import { Button, Code, Problem } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { Check, TextField } from "../ui/form";
import { NAME, NAME_HINT } from "./names";

type Version = Schemas["Version"];

export function DeployButton({ version }: { version: Version }) {
  const [open, setOpen] = useState(false);
  const can = useCan();
  if (!can("endpoints:write")) return null;
  return (
    <>
      <Button look="main" icon="endpoint" onClick={() => setOpen(true)}>
        Deploy
      </Button>
      {open && <Deploy version={version} onClose={() => setOpen(false)} />}
    </>
  );
}

/** Make an endpoint of a version, or give one this version: at once, or in guarded steps. */
function Deploy({ version, onClose }: { version: Version; onClose: () => void }) {
  const go = useNavigate();
  const path = usePath();
  const endpoints = useList<Schemas["Endpoint"]>("/v1/endpoints?limit=200");
  const [name, setName] = useState(version.model);
  const [minScale, setMinScale] = useState("");
  const [maxScale, setMaxScale] = useState("");
  const [guarded, setGuarded] = useState(false);
  const known = endpoints.items.find((one) => one.name === name);
  const careful = guarded && known !== undefined;
  const deploy = useAct<void>(
    (api) => {
      const scaling = {
        ...(minScale === "" ? {} : { min_scale: Number(minScale) }),
        ...(maxScale === "" ? {} : { max_scale: Number(maxScale) }),
      };
      const body = { model: version.model, version: version.number };
      return careful
        ? api.post(`/v1/endpoints/${name}/rollouts`, { ...body, slo: known.slo === null ? null : "endpoint" })
        : api.post(`/v1/endpoints/${name}/releases`, { ...body, scaling });
    },
    {
      touches: ["/v1/endpoints"],
      quiet: true,
      says: careful ? `The rollout of version ${version.number} has begun` : `${name} gets version ${version.number}`,
      then: () => void go(careful ? path("endpoints", name, "traffic") : path("endpoints", name)),
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    deploy.mutate();
  };
  return (
    <Dialog title={`Deploy ${version.model} version ${version.number}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField
          label="Endpoint"
          name="endpoint"
          required
          list="endpoints"
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={name !== "" && !NAME.test(name) ? NAME_HINT : undefined}
          hint={
            known === undefined
              ? "It is made, with an address of its own."
              : `It serves ${known.revisions.map((one) => `version ${one.version} (${one.percent} %)`).join(", ") || "nothing yet"}. No request is lost when that changes.`
          }
        />
        <datalist id="endpoints">
          {endpoints.items.map((one) => (
            <option key={one.id} value={one.name} />
          ))}
        </datalist>
        {known !== undefined && (
          <Check
            label="Guarded rollout"
            hint={`5, 25, then 100 % of the traffic, each step judged on errors and latency${known.slo === null ? "" : " and the endpoint’s objectives"}; a version that is not as good gives it back.`}
            checked={guarded}
            onChange={(event) => setGuarded(event.target.checked)}
          />
        )}
        {!careful && (
          <div className="grid grid-cols-2 gap-3">
            <TextField
              label="Replicas, at least"
              type="number" min={0} max={100}
              placeholder={String(known?.scaling.min_scale ?? 0)}
              value={minScale}
              onChange={(event) => setMinScale(event.target.value)}
              hint="0: none while nobody asks"
            />
            <TextField
              label="At most"
              type="number" min={1} max={100}
              placeholder={known === undefined ? "default" : String(known.scaling.max_scale)}
              value={maxScale}
              onChange={(event) => setMaxScale(event.target.value)}
            />
          </div>
        )}
        {deploy.error !== null && <Problem problem={deploy.error} />}
        <Code label="Command line">
          {`kubeserve deploy ${version.model}:${version.number} --endpoint ${name}${careful ? " --canary 5,25,100" : ""}`}
        </Code>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={deploy.isPending} disabled={!NAME.test(name)}>
            {careful ? "Start the rollout" : "Deploy"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
