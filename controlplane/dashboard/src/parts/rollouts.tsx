import { useState, type FormEvent } from "react";
import type { Schemas } from "../api/client";
import { useAct, useCan, useList } from "../api/hooks";
import { Badge, Button, Card, Code, Problem, Status, Time, type Tone } from "../ui/basics";
import { Confirm, Dialog } from "../ui/dialog";
import { Check, SelectField, TextField } from "../ui/form";
import { count, percent } from "../ui/format";
import { words } from "./states";
import { Words } from "./why";

type Endpoint = Schemas["Endpoint"];
type Rollout = Schemas["Rollout"];

const STATES: Record<Rollout["state"], { tone: Tone; says: string; live?: boolean }> = {
  running: { tone: "main", says: "Under way", live: true },
  done: { tone: "good", says: "Done" },
  "rolled-back": { tone: "bad", says: "Given back" },
  cancelled: { tone: "plain", says: "Cancelled" },
  superseded: { tone: "plain", says: "Overtaken" },
};
const VERDICTS: Record<string, { tone: Tone; says: string }> = {
  passed: { tone: "good", says: "passed" },
  failed: { tone: "bad", says: "failed" },
  unsure: { tone: "plain", says: "unsure yet" },
};

/** Rollouts: a candidate gets traffic in steps, each judged; one that is not as good gives it back. */
export function Rollouts({ endpoint }: { endpoint: Endpoint }) {
  const can = useCan();
  const [open, setOpen] = useState(false);
  const rollouts = useList<Rollout>(`/v1/endpoints/${endpoint.name}/rollouts?limit=10`, 2000);
  const running = rollouts.items.find(({ state }) => state === "running");
  return (
    <Card
      title="Guarded rollouts"
      action={
        can("endpoints:write") &&
        running === undefined && (
          <Button icon="play" onClick={() => setOpen(true)}>
            Start a rollout
          </Button>
        )
      }
    >
      {rollouts.error !== null && rollouts.data === undefined && <Problem problem={rollouts.error} />}
      {rollouts.items.length === 0 ? (
        <div className="grid gap-3">
          <p className="text-soft">
            None yet. A rollout gives a version 5, 25, then 100 % of the traffic, and judges each step on errors,
            latency and the endpoint’s objectives. A version that is not as good gives the traffic back by itself.
          </p>
          <Code label="Command line">
            {`kubeserve deploy ${endpoint.model ?? "my-model"}:2 --endpoint ${endpoint.name} --canary 5,25,100 --slo endpoint`}
          </Code>
        </div>
      ) : (
        <ol className="grid gap-5">
          {rollouts.items.map((rollout) => (
            <li key={rollout.number} className="border-t border-line pt-4 first:border-0 first:pt-0">
              <One endpoint={endpoint} rollout={rollout} />
            </li>
          ))}
        </ol>
      )}
      {rollouts.more !== null && (
        <Button look="quiet" onClick={rollouts.more}>
          Show more
        </Button>
      )}
      {open && <Start endpoint={endpoint} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function One({ endpoint, rollout }: { endpoint: Endpoint; rollout: Rollout }) {
  const can = useCan();
  const [asking, setAsking] = useState(false);
  const cancel = useAct<void>(
    (api) => api.post(`/v1/endpoints/${endpoint.name}/rollouts/${rollout.number}/cancel`),
    { touches: ["/v1/endpoints"], quiet: true, says: "The rollout is cancelled", then: () => setAsking(false) },
  );
  const { tone, says, live = false } = STATES[rollout.state];
  const { answers, candidate, running, steps } = rollout;
  return (
    <article aria-label={`Rollout ${rollout.number}`} className="grid gap-3">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-semibold">Rollout {rollout.number}</h3>
        <Status tone={tone} live={live}>
          {says}
        </Status>
        <span className="text-soft">
          {candidate.model}:{candidate.version} in place of {running.model}:{running.version},{" "}
          <Time at={rollout.created_at} /> by {rollout.created_by_name ?? rollout.created_by}
        </span>
        {live && can("endpoints:write") && (
          <span className="ml-auto">
            <Button look="danger" onClick={() => setAsking(true)}>
              Abort
            </Button>
          </span>
        )}
      </header>
      <ol aria-label="Steps" className="flex flex-wrap gap-2">
        {steps.map((share, index) => {
          const passed = rollout.passed.find(({ step }) => step === index + 1);
          const current = live && rollout.step === index + 1;
          const failed = rollout.state === "rolled-back" && rollout.step === index + 1;
          return (
            <li key={index} aria-current={current ? "step" : undefined} className="min-w-24 flex-1">
              <div
                className={`h-1.5 rounded-full ${failed ? "bg-bad" : passed !== undefined ? "bg-good" : current ? "animate-pulse bg-main" : "bg-line"}`}
              />
              <span className="font-medium">{share} %</span>{" "}
              <span className="text-xs text-soft">
                {failed ? "failed" : passed !== undefined ? "passed" : current ? "being judged" : ""}
              </span>
            </li>
          );
        })}
      </ol>
      {rollout.reason !== null && <p className="wrap-anywhere">
          <Words>{rollout.reason}</Words>
        </p>}
      {live && (
        <p role="status" className="text-soft">
          {count(answers.candidate)} of {count(answers.needed)} answers of the candidate in this step;{" "}
          {count(answers.candidate_in_all)} in all, {count(answers.running_in_all)} of the running version.
        </p>
      )}
      {rollout.checks.length > 0 && (
        <ul aria-label="Checks of the step" className="grid gap-1">
          {rollout.checks.map((check) => {
            const verdict = VERDICTS[check.verdict] ?? { tone: "plain" as const, says: check.verdict };
            return (
              <li key={check.name} className="grid grid-cols-[5.500rem_minmax(0,1fr)] items-start gap-2">
                <span>
                  <Badge tone={verdict.tone}>{verdict.says}</Badge>
                </span>
                <span className="wrap-anywhere">
                  <b className="font-medium">{words(check.name)}</b> <span className="text-soft">{check.message}</span>
                </span>
              </li>
            );
          })}
        </ul>
      )}
      {rollout.difference !== null && rollout.difference.rows > 0 && (
        <p className="text-soft">
          Predictions of {count(rollout.difference.rows)} rows were compared:{" "}
          {percent(rollout.difference.flips / rollout.difference.rows, 2)} flipped, mean shift{" "}
          {rollout.difference.mean_shift.toPrecision(2)}.
        </p>
      )}
      {asking && (
        <Confirm
          title={`Abort rollout ${rollout.number}?`}
          action="Abort the rollout"
          busy={cancel.isPending}
          problem={cancel.error}
          onConfirm={() => cancel.mutate()}
          onClose={() => setAsking(false)}
        >
          All traffic goes back to {running.model}:{running.version}. No request is lost.
        </Confirm>
      )}
    </article>
  );
}

type Slo = "endpoint" | "own" | "none";

function Start({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }) {
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
  const [flips, setFlips] = useState("1");
  const listed = steps.split(",").map((one) => Number(one.trim()));
  const badSteps = listed.some((one) => !Number.isInteger(one) || one < 1 || one > 100);
  const start = useAct<void>(
    (api) =>
      api.post(`/v1/endpoints/${endpoint.name}/rollouts`, {
        model: endpoint.model,
        version: Number(version),
        steps: listed,
        requests: Number(requests),
        step_s: Number(stepS),
        ...(shadow ? { shadow: { max_flips: Number(flips) / 100 } } : {}),
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
        <Check
          label="Compare predictions first"
          hint="Copies of a tenth of the requests go to the candidate, whose answers nobody gets; it has no traffic until enough agree."
          checked={shadow}
          onChange={(event) => setShadow(event.target.checked)}
        />
        {shadow && (
          <TextField
            label="Rows that may differ, %"
            type="number" min={0} max={99.99} step="any" required
            value={flips}
            onChange={(event) => setFlips(event.target.value)}
          />
        )}
        {start.error !== null && <Problem problem={start.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={start.isPending} disabled={badSteps || version === ""}>
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
