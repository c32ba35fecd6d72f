import { useState, type FormEvent } from "react";
import type { Schemas } from "../../api/client";
import { useAct, useCan, useGet } from "../../api/hooks";
import { DeleteCard } from "../../parts/deleting";
import { Badge, Button, Card, Code, Loaded, Problem, Time } from "../../ui/basics";
import { SelectField, TextField } from "../../ui/form";
import { useEndpoint, type Endpoint } from "./layout";

export default function Settings() {
  const endpoint = useEndpoint();
  const can = useCan();
  const editable = can("endpoints:write");
  return (
    <div className="grid gap-5">
      <Scaling key={`scaling-${endpoint.release}`} endpoint={endpoint} editable={editable} />
      <Objectives endpoint={endpoint} editable={editable} />
      <Warm name={endpoint.name} editable={editable} />
      {editable && <Delete endpoint={endpoint} />}
    </div>
  );
}

type ScalingName = keyof Schemas["Scaling"];

interface Setting {
  name: ScalingName | "container_concurrency" | "timeout_s";
  label: string;
  hint: string;
  min: number;
  max?: number;
  whole?: boolean;
}

const USUAL: Setting[] = [
  { name: "min_scale", label: "Replicas, at least", hint: "0: none while nobody asks", min: 0, max: 100, whole: true },
  { name: "max_scale", label: "Replicas, at most", hint: "of each revision", min: 1, max: 100, whole: true },
  { name: "container_concurrency", label: "Requests at once", hint: "that one replica takes; 0: no limit", min: 0, max: 1000, whole: true },
  { name: "target", label: "Target of a replica", hint: "that the autoscaler aims at", min: 0.01 },
  { name: "window_s", label: "Stable window, s", hint: "that averages are over", min: 6, max: 3600 },
  { name: "scale_down_delay_s", label: "Delay of scaling down, s", hint: "that it waits before fewer run", min: 0, max: 3600 },
  { name: "scale_to_zero_grace_period_s", label: "Grace before zero, s", hint: "that the last replica stays", min: 0, max: 3600 },
  { name: "timeout_s", label: "Time of a request, s", hint: "after which it is refused", min: 0.001, max: 600 },
];
const MORE: Setting[] = [
  { name: "initial_scale", label: "Initial scale", hint: "of a new revision", min: 0, max: 100, whole: true },
  { name: "activation_scale", label: "Activation scale", hint: "when it wakes from zero", min: 1, max: 100, whole: true },
  { name: "target_utilization_percentage", label: "Utilisation, %", hint: "of the target", min: 1, max: 100 },
  { name: "target_burst_capacity", label: "Burst capacity", hint: "-1: the activator always stays in", min: -1 },
  { name: "panic_window_percentage", label: "Panic window, %", hint: "of the stable window", min: 1, max: 100 },
  { name: "panic_threshold_percentage", label: "Panic threshold, %", hint: "of what ready replicas take", min: 110, max: 1000 },
  { name: "scale_to_zero_pod_retention_period_s", label: "Retention at zero, s", hint: "at least, whatever the load", min: 0, max: 3600 },
  { name: "max_scale_up_rate", label: "Scale-up rate", hint: "times as many, at most", min: 1.001 },
  { name: "max_scale_down_rate", label: "Scale-down rate", hint: "times fewer, at most", min: 1.001 },
];
const SCALING = (name: Setting["name"]): name is ScalingName => name !== "container_concurrency" && name !== "timeout_s";

function Scaling({ endpoint, editable }: { endpoint: Endpoint; editable: boolean }) {
  const now = (name: Setting["name"]): string => {
    const value = SCALING(name) ? endpoint.scaling[name] : endpoint[name];
    return value === null || value === undefined ? "" : String(value);
  };
  const [texts, setTexts] = useState<Record<string, string>>({});
  const [metric, setMetric] = useState(endpoint.scaling.metric);
  const changed = [...USUAL, ...MORE].filter(({ name }) => {
    const text = texts[name];
    return text !== undefined && text !== "" && text !== now(name);
  });
  const dirty = changed.length > 0 || metric !== endpoint.scaling.metric;
  const path = `/v1/endpoints/${endpoint.name}`;
  const save = useAct<void>(
    (api) => {
      const scaling: Record<string, unknown> = metric === endpoint.scaling.metric ? {} : { metric };
      const body: Record<string, unknown> = { scaling };
      for (const { name } of changed) (SCALING(name) ? scaling : body)[name] = Number(texts[name]);
      const etag = api.etag(path);
      return api.post(
        `${path}/releases`,
        body,
        etag === undefined ? {} : { headers: { "if-match": etag } },
      );
    },
    { touches: ["/v1/endpoints"], quiet: true, says: "The settings are saved as a release" },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const field = ({ name, label, hint, min, max, whole = false }: Setting) => (
    <TextField
      key={name}
      label={label}
      hint={hint}
      type="number"
      min={min}
      max={max}
      step={whole ? 1 : "any"}
      disabled={!editable}
      placeholder="default"
      value={texts[name] ?? now(name)}
      onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
    />
  );
  const grid = "grid grid-cols-[repeat(auto-fill,minmax(8rem,1fr))] gap-4";
  return (
    <Card title="Scaling">
      <form onSubmit={submit} className="grid gap-4">
        <div className={grid}>
          {USUAL.map(field)}
          <SelectField
            label="Metric"
            hint="that the target is of"
            disabled={!editable}
            value={metric}
            onChange={(event) => setMetric(event.target.value as typeof metric)}
          >
            <option value="concurrency">concurrency</option>
            <option value="rps">requests a second</option>
          </SelectField>
        </div>
        <details>
          <summary className="text-soft hover:text-ink">More of the autoscaler’s settings</summary>
          <div className={`${grid} mt-3`}>{MORE.map(field)}</div>
        </details>
        {save.error !== null && <Problem problem={save.error} />}
        {editable && (
          <div className="flex flex-wrap items-center justify-end gap-3">
            <span className="text-soft">A change is a release: it can be rolled back.</span>
            <Button
              disabled={!dirty}
              onClick={() => {
                setTexts({});
                setMetric(endpoint.scaling.metric);
              }}
            >
              Reset
            </Button>
            <Button look="main" type="submit" busy={save.isPending} disabled={!dirty}>
              Save
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}

const PROMISES = [
  { name: "p50", label: "Latency, p50", placeholder: "10ms" },
  { name: "p95", label: "Latency, p95", placeholder: "50ms" },
  { name: "p99", label: "Latency, p99", placeholder: "100ms" },
  { name: "error_rate", label: "Error rate", placeholder: "0.1%" },
] as const;

/** What the endpoint promises; rollouts and load tests are held to it. */
function Objectives({ endpoint, editable }: { endpoint: Endpoint; editable: boolean }) {
  const slo = endpoint.slo as Record<string, unknown> | null;
  const told = (name: string) => {
    const value = slo?.[name];
    if (value === null || value === undefined) return "";
    return typeof value === "number" ? `${Number((value * 100).toPrecision(6))}%` : String(value);
  };
  const [texts, setTexts] = useState<Record<string, string>>({});
  const value = (name: string) => texts[name] ?? told(name);
  const dirty = PROMISES.some(({ name }) => value(name) !== told(name));
  const empty = PROMISES.every(({ name }) => value(name) === "");
  const others = Object.fromEntries(
    Object.entries(slo ?? {}).filter(([name, kept]) => kept !== null && !PROMISES.some((one) => one.name === name)),
  );
  const save = useAct<void>(
    (api) => {
      const path = `/v1/endpoints/${endpoint.name}/slo`;
      if (empty && Object.keys(others).length === 0) return api.delete(path);
      const wanted = PROMISES.filter(({ name }) => value(name) !== "").map(({ name }) => [name, value(name)]);
      return api.put(path, { ...others, ...Object.fromEntries(wanted) });
    },
    { touches: ["/v1/endpoints"], quiet: true, says: "The objectives are saved", then: () => setTexts({}) },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Card title="Objectives">
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-soft">What this endpoint promises. Rollouts and load tests are held to it.</p>
        <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
          {PROMISES.map(({ name, label, placeholder }) => (
            <TextField
              key={name}
              label={label}
              placeholder={placeholder}
              disabled={!editable}
              value={value(name)}
              onChange={(event) => setTexts({ ...texts, [name]: event.target.value })}
            />
          ))}
        </div>
        {save.error !== null && <Problem problem={save.error} />}
        {editable && (
          <div className="flex justify-end gap-2">
            <Button look="main" type="submit" busy={save.isPending} disabled={!dirty}>
              Save
            </Button>
          </div>
        )}
      </form>
    </Card>
  );
}

type Shown = Schemas["WarmWindowsShown"];
interface Window {
  cron: string;
  minutes: string;
  replicas: string;
  time_zone: string;
}

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Times in which replicas are there before anybody asks. */
function Warm({ name, editable }: { name: string; editable: boolean }) {
  const path = `/v1/endpoints/${name}/warm-windows`;
  const asked = useGet<Shown>(path);
  const [draft, setDraft] = useState<Window | null>(null);
  const save = useAct<Schemas["WarmWindow"][]>(
    (api, windows) =>
      api.put(path, {
        windows: windows.map(({ cron, minutes, replicas, time_zone }) => ({ cron, minutes, replicas, time_zone })),
      }),
    { touches: [path], quiet: true, says: "The warm windows are saved", then: () => setDraft(null) },
  );
  return (
    <Card
      title="Warm windows"
      action={
        editable &&
        draft === null && (
          <Button onClick={() => setDraft({ cron: "0 8 * * 1-5", minutes: "600", replicas: "1", time_zone: here })}>
            Add a window
          </Button>
        )
      }
    >
      <Loaded of={asked} lines={2}>
        {({ windows }) => (
          <div className="grid gap-4">
            {windows.length === 0 && draft === null && (
              <>
                <p className="text-soft">
                  None: the first request after a quiet time wakes a replica. In a warm window some are there before.
                </p>
                <Code label="Command line">{`kubeserve warm ${name} --cron '0 8 * * 1-5' --for 10h --zone ${here}`}</Code>
              </>
            )}
            {windows.length > 0 && (
              <ul className="grid gap-2">
                {windows.map((one, at) => (
                  <li key={at} className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line pt-2 first:border-0 first:pt-0">
                    <code>{one.cron}</code>
                    <span>
                      for {one.minutes} min, {one.replicas} {one.replicas === 1 ? "replica" : "replicas"}, {one.time_zone}
                    </span>
                    {one.open ? (
                      <Badge tone="good">open now</Badge>
                    ) : (
                      <span className="text-soft">
                        next <Time at={one.next_start} />
                      </span>
                    )}
                    {editable && (
                      <span className="ml-auto">
                        <Button look="quiet" busy={save.isPending} onClick={() => save.mutate(windows.filter((_, index) => index !== at))}>
                          Remove<span className="sr-only"> {one.cron}</span>
                        </Button>
                      </span>
                    )}
                  </li>
                ))}
              </ul>
            )}
            {draft !== null && (
              <form
                className="grid gap-4 rounded-lg bg-sunk p-4"
                onSubmit={(event) => {
                  event.preventDefault();
                  const added = { ...draft, minutes: Number(draft.minutes), replicas: Number(draft.replicas) };
                  save.mutate([...windows, added]);
                }}
              >
                <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
                  <TextField label="Begins (cron)" required value={draft.cron} hint="minute hour day month weekday" onChange={(event) => setDraft({ ...draft, cron: event.target.value })} />
                  <TextField label="Minutes" required type="number" min={1} max={10_080} value={draft.minutes} onChange={(event) => setDraft({ ...draft, minutes: event.target.value })} />
                  <TextField label="Replicas" required type="number" min={1} max={100} value={draft.replicas} onChange={(event) => setDraft({ ...draft, replicas: event.target.value })} />
                  <TextField label="Time zone" required value={draft.time_zone} onChange={(event) => setDraft({ ...draft, time_zone: event.target.value })} />
                </div>
                <div className="flex justify-end gap-2">
                  <Button onClick={() => setDraft(null)}>Cancel</Button>
                  <Button look="main" type="submit" busy={save.isPending}>
                    Add
                  </Button>
                </div>
              </form>
            )}
            {save.error !== null && <Problem problem={save.error} />}
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function Delete({ endpoint }: { endpoint: Endpoint }) {
  return (
    <DeleteCard
      what="endpoint"
      name={endpoint.name}
      list="endpoints"
      says={`${endpoint.name} is being deleted`}
      about="Its address answers no more. The model and its versions stay."
    >
      Requests that are under way are answered; after that callers at {endpoint.url ?? "its address"} reach nobody.
    </DeleteCard>
  );
}
