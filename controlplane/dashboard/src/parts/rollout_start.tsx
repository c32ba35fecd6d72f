import { useState, type FormEvent } from "react";
import type { Schemas } from "../api/client";
import { useAct, useList } from "../api/hooks";
import { Button, Problem } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { Check, SelectField, TextArea, TextField } from "../ui/form";
import { rowsTyped } from "./rows";

type Endpoint = Schemas["Endpoint"];
type Slo = "endpoint" | "own" | "none";

/** What a rollout is asked for: its steps, what they are held to, and what is proved before any traffic. */
export function Start({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
  const versions = useList<Schemas["Version"]>(
    endpoint.model === null ? null : `/v1/models/${endpoint.model}/versions?limit=50`,
  );
  const ready = versions.items.filter(({ state }) => state === "ready");
  const [chosen, setChosen] = useState("");
  const version = chosen === "" ? String(ready[0]?.number ?? "") : chosen;
  const [steps, setSteps] = useState("5, 25, 100");
  const [requests, setRequests] = useState("100");
  const [stepS, setStepS] = useState("60");
  const [slo, setSlo] = useState<Slo>(endpoint.slo === null ? "none" : "endpoint");
  const [p95, setP95] = useState("");
  const [errors, setErrors] = useState("");
  const [shadow, setShadow] = useState(false);
  const [replay, setReplay] = useState(false);
  const [rows, setRows] = useState("");
  const [flips, setFlips] = useState("1");
  const [load, setLoad] = useState(false);
  const [rate, setRate] = useState("50");
  const [lasts, setLasts] = useState("30s");
  const listed = steps.split(",").map((one) => Number(one.trim()));
  const instances = rowsTyped(rows, ready.find(({ number }) => String(number) === version)?.signature ?? null);
  const badRows = replay && instances === null;
  const most = { max_flips: Number(flips) / 100 };
  const loads = load && slo !== "none";
  const badSteps = listed.some((one) => !Number.isInteger(one) || one < 1 || one > 100);
  const start = useAct<void>(
    (api) =>
      api.post(`/v1/endpoints/${endpoint.name}/rollouts`, {
        model: endpoint.model,
        version: Number(version),
        steps: listed,
        requests: Number(requests),
        step_s: Number(stepS),
        ...(shadow ? { shadow: most } : {}),
        ...(replay ? { replay: { instances, ...most } } : {}),
        ...(loads ? { loadtest: { shape: { kind: "steady", rate: Number(rate), duration: lasts } } } : {}),
        slo:
          slo === "endpoint"
            ? "endpoint"
            : slo === "none"
              ? null
              : { ...(p95 === "" ? {} : { p95 }), ...(errors === "" ? {} : { error_rate: errors }) },
      }),
    { touches: ["/v1/endpoints"], quiet: true, says: "The rollout has begun", then: onClose },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  return (
    <Dialog title={`Roll out a version on ${endpoint.name}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <SelectField label="Candidate" value={version} onChange={(event) => setChosen(event.target.value)}>
          {ready.map(({ number, aliases }) => (
            <option key={number} value={number}>
              version {number}
              {aliases.length > 0 && ` (${aliases.join(", ")})`}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Steps, percent of the traffic"
          required
          value={steps}
          onChange={(event) => setSteps(event.target.value)}
          error={badSteps ? "Whole numbers from 1 to 100, such as 5, 25, 100." : undefined}
        />
        <div className="grid grid-cols-2 gap-3">
          <TextField
            label="Answers in a step"
            type="number" min={20} max={1_000_000}
            value={requests}
            onChange={(event) => setRequests(event.target.value)}
            hint="of the candidate, at least"
          />
          <TextField
            label="Seconds of a step"
            type="number" min={0} max={86_400}
            value={stepS}
            onChange={(event) => setStepS(event.target.value)}
            hint="at least"
          />
        </div>
        <SelectField
          label="Held to"
          value={slo}
          onChange={(event) => setSlo(event.target.value as Slo)}
          hint="Errors and latency are compared with the running version in any case."
        >
          <option value="endpoint" disabled={endpoint.slo === null}>
            what the endpoint promises{endpoint.slo === null ? " (nothing yet: see Settings)" : ""}
          </option>
          <option value="own">objectives of its own</option>
          <option value="none">the comparison alone</option>
        </SelectField>
        {slo === "own" && (
          <div className="grid grid-cols-2 gap-3">
            <TextField label="p95" placeholder="50ms" value={p95} onChange={(event) => setP95(event.target.value)} />
            <TextField label="Error rate" placeholder="0.1%" value={errors} onChange={(event) => setErrors(event.target.value)} />
          </div>
        )}
        <fieldset className="grid gap-3">
          <legend className="mb-1 font-medium">Proved before it gets traffic</legend>
          <Check
            label="Compare predictions of live requests"
            hint="Copies of a tenth of the requests go to the candidate, whose answers nobody gets, until enough agree."
            checked={shadow}
            onChange={({ target }) => setShadow(target.checked)}
          />
          <Check
            label="Compare predictions of rows of mine"
            hint="Both versions answer them; which rows differ is shown."
            checked={replay}
            onChange={({ target }) => setReplay(target.checked)}
          />
          {replay && (
            <TextArea
              label="Rows"
              rows={4}
              required
              placeholder="[[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]"
              hint="As JSON, or as CSV with or without the line of names."
              value={rows}
              onChange={({ target }) => setRows(target.value)}
              error={badRows && rows !== "" ? "A list of rows, such as [[5.1, 3.5, 1.4, 0.2]], or as CSV with a value for each column of the model." : undefined}
            />
          )}
          {(shadow || replay) && (
            <TextField
              label="Rows that may differ, %"
              type="number" min={0} max={99.99} step="any" required
              value={flips}
              onChange={({ target }) => setFlips(target.value)}
            />
          )}
          <Check
            label="Run a load test"
            hint={
              slo === "none"
                ? "Choose objectives under “Held to” first: a load test without any proves nothing."
                : "Sent to the candidate alone; it must keep what the rollout is held to."
            }
            disabled={slo === "none"}
            checked={loads}
            onChange={({ target }) => setLoad(target.checked)}
          />
          {loads && (
            <div className="grid grid-cols-2 gap-3">
              <TextField label="Requests a second" type="number" min={0.1} step="any" required value={rate} onChange={({ target }) => setRate(target.value)} />
              <TextField label="Duration" required value={lasts} hint="With its unit: 30s, 10m." onChange={({ target }) => setLasts(target.value)} />
            </div>
          )}
        </fieldset>
        {start.error !== null && <Problem problem={start.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={start.isPending} disabled={badSteps || badRows || version === ""}>
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
