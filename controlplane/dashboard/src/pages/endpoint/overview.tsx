import { useState } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { useGet, usePath } from "../../api/hooks";
import { latest, pick, useSeries } from "../../parts/series";
import { words } from "../../parts/states";
import { Words } from "../../parts/why";
import { Badge, Card, Code, Fact, Facts, Figure, Figures, Loaded, Time } from "../../ui/basics";
import { Chart } from "../../ui/chart";
import { count, digits, ms, percent, seconds } from "../../ui/format";
import { Icon } from "../../ui/icons";
import { Table } from "../../ui/table";
import { useEndpoint, type Endpoint } from "./layout";

export default function Overview() {
  const endpoint = useEndpoint();
  const [minutes, setMinutes] = useState(15);
  const series = useSeries(endpoint.name, minutes).data;
  const rate = latest(series, "rate");
  const p95 = latest(series, "p95");
  return (
    <div className="grid gap-5">
      <WhyCard name={endpoint.name} />
      <Figures>
        <Figure
          name="Replicas"
          value={`${endpoint.replicas} / ${endpoint.desired_replicas}`}
          says={endpoint.warm_replicas > 0 ? `ready / wanted, ${endpoint.warm_replicas} kept warm` : "ready / wanted"}
        />
        <Figure name="Rate" value={rate === null ? "–" : `${digits(rate)}/s`} says="requests, now" />
        <Figure name="In flight" value={digits(endpoint.concurrency)} says="requests, on average" />
        <Figure name="Latency, p95" value={seconds(p95)} says={`p50 ${seconds(latest(series, "p50"))}`} />
        <Figure name="Requests" value={count(endpoint.requests_total)} says={<>since <Time at={endpoint.created_at} /></>} />
        <Figure name="Starts" value={count(endpoint.starts_total)} says="of replicas" />
      </Figures>
      <Charts endpoint={endpoint} series={series} minutes={minutes} onMinutes={setMinutes} />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <ColdStart endpoint={endpoint} />
        <CostCard name={endpoint.name} />
      </div>
      <Revisions endpoint={endpoint} />
    </div>
  );
}

/** The same words as `kubeserve why` and the API. */
function WhyCard({ name }: { name: string }) {
  const asked = useGet<Schemas["Why"]>(`/v1/endpoints/${name}/why`, 3000);
  return (
    <Loaded of={asked} lines={2}>
      {(why) => (
        <section
          aria-labelledby="why"
          className={`rounded-lg border p-4 ${why.ok ? "border-line bg-card" : "border-bad bg-bad-tint"}`}
        >
          <h2 id="why" className="flex items-center gap-2 font-semibold">
            <Icon name={why.ok ? "check" : "warn"} className={why.ok ? "text-good" : "text-bad"} />
            {words(why.reason)}
          </h2>
          <p className="mt-1 wrap-anywhere">
            <Words>{why.message}</Words>
          </p>
          {why.evidence.length > 0 && (
            <details className="mt-2" open={!why.ok}>
              <summary className="text-soft hover:text-ink">Evidence</summary>
              <ul className="mt-1 list-disc pl-5">
                {why.evidence.map((one) => (
                  <li key={one} className="wrap-anywhere">
                    <Words>{one}</Words>
                  </li>
                ))}
              </ul>
            </details>
          )}
          {why.next_step !== "" && (
            <p className="mt-2 wrap-anywhere">
              <span className="font-medium">Next: </span>
              <Words>{why.next_step}</Words>
            </p>
          )}
        </section>
      )}
    </Loaded>
  );
}

const SPANS = [5, 15, 60];

function Charts({
  endpoint,
  series,
  minutes,
  onMinutes,
}: {
  endpoint: Endpoint;
  series: Schemas["Series"] | undefined;
  minutes: number;
  onMinutes: (minutes: number) => void;
}) {
  return (
    <section aria-labelledby="charts">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <h2 id="charts" className="font-semibold">
          Over time
        </h2>
        <div role="group" aria-label="Minutes shown" className="flex rounded-md border border-line bg-card">
          {SPANS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === minutes}
              onClick={() => onMinutes(one)}
              className={`rounded-md px-2.5 py-1 text-xs ${one === minutes ? "bg-tint font-medium text-main" : "text-soft hover:text-ink"}`}
            >
              {one} min
            </button>
          ))}
        </div>
      </div>
      <div className="grid gap-5 lg:grid-cols-2">
        <Card>
          <Chart
            title="Requests a second"
            kind="area"
            series={pick(series, ["rate", "errors"])}
            names={{ rate: "requests", errors: "errors" }}
          />
        </Card>
        <Card>
          <Chart title="Latency" series={pick(series, ["p50", "p95", "p99"])} format={seconds} limits={limits(endpoint.slo)} />
        </Card>
        <Card>
          <Chart
            title="Replicas"
            series={pick(series, ["replicas_ready", "replicas_desired"])}
            names={{ replicas_ready: "ready", replicas_desired: "wanted" }}
          />
        </Card>
        <Card>
          <Chart title="Cold starts" kind="bars" series={pick(series, ["cold_starts"])} names={{ cold_starts: "starts" }} />
        </Card>
      </div>
    </section>
  );
}

function limits(slo: Schemas["Objectives"] | null): { label: string; value: number }[] {
  return (["p50", "p95", "p99"] as const).flatMap((name) => {
    const told = slo?.[name];
    const value = told === undefined || told === null ? null : inSeconds(told);
    return value === null ? [] : [{ label: `${name} objective`, value }];
  });
}

/** `50ms`, `1.5s` → seconds. */
function inSeconds(text: string): number | null {
  const found = /^([\d.]+)(us|ms|s|m)$/.exec(text);
  const unit = { us: 1e-6, ms: 0.001, s: 1, m: 60 }[found?.[2] ?? ""];
  return found === null || unit === undefined ? null : Number(found[1]) * unit;
}

const PHASES: Record<string, string> = {
  fork: "the worker is forked",
  spawn: "it is set up",
  import: "code is loaded",
  fetch: "the plan is fetched",
  verify: "its digest is compared",
  load: "the plan is read",
  warm: "one row is predicted",
  answer: "the first answer",
};

function ColdStart({ endpoint: { cold_start: start } }: { endpoint: Endpoint }) {
  if (start === null) {
    return (
      <Card title="Newest cold start">
        <p className="text-soft">
          None yet. With no replica running, the next request starts one: its phases are shown here.
        </p>
      </Card>
    );
  }
  const phases = Object.entries(start.phases_ms);
  const most = Math.max(...phases.map(([, took]) => took), 0.001);
  return (
    <Card title="Newest cold start">
      <p className="mb-3">
        <b className="text-lg font-semibold">{ms(start.total_ms)}</b>{" "}
        <span className="text-soft">
          from the first byte to the first answer, <Time at={start.at} />
        </span>
      </p>
      <dl className="grid gap-2">
        {phases.map(([phase, took]) => (
          <div key={phase} className="grid grid-cols-[minmax(6rem,11rem)_1fr_4.500rem] items-center gap-3">
            <dt>
              {phase}
              {PHASES[phase] !== undefined && <span className="block text-xs text-soft">{PHASES[phase]}</span>}
            </dt>
            <dd aria-hidden="true" className="h-2 rounded-full bg-sunk">
              <div className="h-2 rounded-full bg-main" style={{ width: `${(took / most) * 100}%` }} />
            </dd>
            <dd className="text-right">{ms(took)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

interface UsagePage {
  items: Schemas["Usage"][];
  prices: { cpu_hour: number; gib_hour: number } | null;
}

/** What it used, against one replica that always runs. */
function CostCard({ name }: { name: string }) {
  const asked = useGet<UsagePage>(`/v1/usage?endpoint=${name}`, 15_000);
  return (
    <Card title="Cost: as used, against kept warm">
      <Loaded of={asked}>
        {({ items }) => {
          const used = items[0];
          if (used === undefined)
            return <p className="text-soft">Nothing is metered yet; the first figures come within a minute.</p>;
          const { used: real, kept_warm: warm } = used.cost;
          const share = warm.replica_s === 0 ? null : real.replica_s / warm.replica_s;
          const money = (value: number | null | undefined) =>
            value === null || value === undefined ? null : digits(value);
          return (
            <div className="grid gap-4">
              <Bar name="As used" value={real.replica_s} of={warm.replica_s} says={money(real.money)} />
              <Bar name="One replica kept warm" value={warm.replica_s} of={warm.replica_s} says={money(warm.money)} />
              <p className="text-soft">
                {share !== null && share < 1 && <>Scaling to zero saved {percent(1 - share)} of the replica time. </>}
                In the last 30 days.
              </p>
              <Facts>
                <Fact name="Rows">{count(used.rows)}</Fact>
                <Fact name="Woken">{count(used.wakes)} times</Fact>
                <Fact name="Busy">{seconds(used.busy_s)}</Fact>
                <Fact name="Idle">{seconds(used.idle_s)}</Fact>
              </Facts>
            </div>
          );
        }}
      </Loaded>
    </Card>
  );
}

function Bar({ name, value, of, says }: { name: string; value: number; of: number; says: string | null }) {
  return (
    <div>
      <div className="flex justify-between gap-3">
        <span>{name}</span>
        <span>
          {hours(value)}
          {says !== null && <span className="text-soft"> · {says}</span>}
        </span>
      </div>
      <div aria-hidden="true" className="mt-1 h-2 rounded-full bg-sunk">
        <div className="h-2 rounded-full bg-main" style={{ width: `${of === 0 ? 0 : Math.min(100, (value / of) * 100)}%` }} />
      </div>
    </div>
  );
}

function hours(replicaSeconds: number): string {
  if (replicaSeconds < 120) return `${digits(replicaSeconds)} replica seconds`;
  if (replicaSeconds < 7200) return `${digits(replicaSeconds / 60)} replica minutes`;
  return `${digits(replicaSeconds / 3600)} replica hours`;
}

function Revisions({ endpoint }: { endpoint: Endpoint }) {
  const path = usePath();
  return (
    <Card flush title="Served now" action={<span className="text-soft">release {endpoint.release}</span>}>
      <Table
        label="Revisions that are served"
        rows={endpoint.revisions}
        rowKey={(one) => `${one.name}-${one.tag}`}
        columns={[
          { head: "Revision", cell: ({ name }) => name },
          {
            head: "Version",
            cell: ({ model, version }) => (
              <Link to={path("models", model, version)} className="text-main hover:underline">
                {model}:{version}
              </Link>
            ),
          },
          { head: "Traffic", right: true, cell: (one) => `${one.percent} %` },
          { head: "Tag", from: "sm", cell: ({ tag }) => (tag === null ? "–" : <Badge tone="main">{tag}</Badge>) },
          { head: "Served by", from: "sm", cell: ({ backend }) => (backend === "plan" ? "plan" : "scikit-learn") },
        ]}
      />
      <div className="border-t border-line p-4">
        <Code label="Command line">{`kubeserve predict ${endpoint.name} rows.csv\nkubeserve why ${endpoint.name}`}</Code>
      </div>
    </Card>
  );
}
