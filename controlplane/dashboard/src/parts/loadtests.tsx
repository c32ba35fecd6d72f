import type { Schemas } from "../api/client";
import { Status, type Tone } from "../ui/basics";
import { count, ms, percent } from "../ui/format";

export type LoadTest = Schemas["LoadTest"];
export type Kind = Schemas["NewLoadTest"]["shape"]["kind"];

/** What a test says of one objective; as `loadtests.slo` has it. */
export interface Verdict {
  objective: string;
  outcome: "passed" | "failed" | "inconclusive";
  unit: "s" | "share" | "1/s";
  limit: number;
  measured: number | null;
  low: number | null;
  high: number | null;
  samples: number;
  margin: number | null;
  because: string;
}

export const SHAPES: Record<Kind, { label: string; load: string; shows: string }> = {
  steady: { label: "Steady", load: "One rate all the time.", shows: "Latency, errors, throughput." },
  ramp: { label: "Ramp", load: "From one rate to another in a straight line.", shows: "The same, and how replicas follow." },
  spike: { label: "Spike", load: "A rate with sudden peaks.", shows: "How long it takes to scale up." },
  soak: { label: "Soak", load: "One rate for long.", shows: "Whether the last tenth is slower than the first." },
  knee: { label: "Knee", load: "Rates that grow step by step until it does not hold.", shows: "The greatest rate that holds." },
  wake: { label: "Wake", load: "Bursts, each once nothing runs.", shows: "Cold starts by phase." },
};

const STATES: Record<LoadTest["state"], { tone: Tone; says: string; live?: boolean }> = {
  queued: { tone: "plain", says: "Waiting", live: true },
  running: { tone: "main", says: "Running", live: true },
  finished: { tone: "plain", says: "Finished" },
  failed: { tone: "bad", says: "Could not be run" },
  interrupted: { tone: "warn", says: "Interrupted" },
};
const OUTCOMES: Record<Verdict["outcome"], { tone: Tone; says: string }> = {
  passed: { tone: "good", says: "Passed" },
  failed: { tone: "bad", says: "Failed" },
  inconclusive: { tone: "warn", says: "Inconclusive" },
};

/** Its verdict once it has one, its state before. */
export function TestStatus({ test }: { test: LoadTest }) {
  if (test.state === "finished" && test.verdict !== null) return <Outcome outcome={test.verdict} />;
  const { tone, says, live = false } = STATES[test.state];
  return (
    <Status tone={tone} live={live}>
      {says}
    </Status>
  );
}

export function Outcome({ outcome }: { outcome: Verdict["outcome"] }) {
  const { tone, says } = OUTCOMES[outcome];
  return <Status tone={tone}>{says}</Status>;
}

export function isLive(test: LoadTest | undefined): boolean {
  return test !== undefined && (test.state === "queued" || test.state === "running");
}

/** A plan's load in words: `200/s for 60s`. */
export function loadOf(plan: LoadTest["plan"]): string {
  const shape = plan["shape"] as Record<string, string | number> & { kind: Kind };
  const at = (name: string) => shape[name] ?? "?";
  switch (shape.kind) {
    case "steady":
    case "soak":
      return `${at("rate")}/s for ${at("duration")}`;
    case "ramp":
      return `${at("start")} to ${at("rate")}/s in ${at("duration")}`;
    case "spike":
      return `${at("rate")}/s, ${at("times")} × ${at("peak")}/s for ${at("duration")}`;
    case "knee":
      return `from ${at("start")}/s, × ${at("factor")} every ${at("step")}`;
    case "wake":
      return `${at("times")} × ${at("burst")} at once`;
  }
}

export function figure(value: number | null | undefined, unit: Verdict["unit"]): string {
  if (value === null || value === undefined) return "–";
  if (unit === "s") return ms(value * 1000);
  return unit === "share" ? percent(value, value > 0 && value < 0.001 ? 3 : 2) : `${count(value)}/s`;
}

const NAMES: Record<string, string> = {
  error_rate: "Errors",
  throughput: "Throughput",
  cold_start: "Cold start",
  scale_up: "Scale-up",
};

export function nameOf(objective: string): string {
  return NAMES[objective] ?? objective;
}

/** Seconds since the start of a test, on an axis. */
export function atSecond(at: number): string {
  return at >= 120 ? `${Math.floor(at / 60)}:${String(Math.round(at % 60)).padStart(2, "0")}` : `${Math.round(at)} s`;
}

export function tookS(test: LoadTest): number | null {
  if (test.started_at === null || test.ended_at === null) return null;
  return (Date.parse(test.ended_at) - Date.parse(test.started_at)) / 1000;
}
