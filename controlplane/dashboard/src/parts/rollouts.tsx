import { useState } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useCan, useList, usePath } from "../api/hooks";
import { Badge, Button, Card, Code, Problem, Status, Time, type Tone } from "../ui/basics";
import { Confirm } from "../ui/dialog";
import { count, percent } from "../ui/format";
import { Start } from "./rollout_start";
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
            {`kubeserve deploy ${endpoint.model ?? "my-model"}:N --endpoint ${endpoint.name} --canary 5,25,100${endpoint.slo === null ? "" : " --slo endpoint"}`}
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
  const path = usePath();
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
      {rollout.difference !== null && <Differs of={rollout.difference} where="of live requests" />}
      {rollout.replay !== null && <Differs of={rollout.replay.difference} where="that were replayed" />}
      {rollout.loadtest?.id != null && (
        <p className="text-soft">
          A load test came first:{" "}
          <Link to={path("loadtests", rollout.loadtest.id)} className="text-main underline">
            see what it measured
          </Link>
          .
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

/** How the predictions of both versions differ, and the rows in which they differ most. */
function Differs({ of, where }: { of: Schemas["Difference"]; where: string }) {
  if (of.rows === 0) return null;
  return (
    <div className="text-soft">
      <p>
        Predictions for {count(of.rows)} rows {where} were compared: {percent(of.flips / of.rows, 2)} flipped, mean shift{" "}
        {of.mean_shift.toPrecision(2)}.
      </p>
      {of.worst.length > 0 && (
        <details className="mt-1">
          <summary className="rounded">Rows that differ most</summary>
          <ul className="mt-1 grid gap-2">
            {of.worst.map((one, index) => (
              <li key={index} className="grid gap-0.5 text-xs wrap-anywhere">
                <code>{one.row === null ? "a row too wide to be shown" : JSON.stringify(one.row)}</code>
                <span>
                  running <code>{JSON.stringify(one.running)}</code>, candidate <code>{JSON.stringify(one.candidate)}</code>
                </span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
