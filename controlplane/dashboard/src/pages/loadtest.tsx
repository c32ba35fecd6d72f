import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { Link, useParams } from "react-router";
import type { ApiProblem, Schemas } from "../api/client";
import { useAct, useApi, useCan, useGet, useList, usePath } from "../api/hooks";
import {
  atSecond,
  figure,
  isLive,
  loadOf,
  nameOf,
  Outcome,
  SHAPES,
  TestStatus,
  type Kind,
  type LoadTest,
  type Verdict,
} from "../parts/loadtests";
import { Why } from "../parts/why";
import { useTold, type Heard, type Progress } from "../parts/told";
import { Button, ButtonLink, Card, DocumentTitle, Figure, Figures, Loaded, PageHead, Problem, Time } from "../ui/basics";
import { Bar } from "../ui/bar";
import { Chart } from "../ui/chart";
import { Confirm } from "../ui/dialog";
import { count, digits, ms, percent, plural, seconds } from "../ui/format";
import { SelectField } from "../ui/form";
import { Table } from "../ui/table";

interface Latency {
  name: string;
  seconds: number | null;
}

interface Totals {
  seconds: number;
  rate: number;
  sent: number;
  good: number;
  missed: number;
  errors: Record<string, number>;
  latencies: Latency[];
}

/** Of `report.json`, what is shown here. */
interface Report {
  started_at: string;
  plan: LoadTest["plan"];
  totals: Totals;
  environment: Record<string, string>;
  wakes: { at: number; first: number | null; median: number | null; last: number | null }[];
  cold_starts: { at: string; total_ms: number; phases_ms: Record<string, number> }[];
}

export default function Page() {
  const { loadtest = "" } = useParams();
  const test = useGet<LoadTest>(`/v1/loadtests/${loadtest}`, (now) => (isLive(now) ? 2000 : false));
  return <Loaded of={test}>{(found) => <Test key={found.id} test={found} />}</Loaded>;
}

function Test({ test }: { test: LoadTest }) {
  const path = usePath();
  const queries = useQueryClient();
  const heard = useTold(test.id);
  const ended = heard.last["ended"] !== undefined;
  const stale = ended && isLive(test);
  useEffect(() => {
    // It is told here before the next look at the list, or at the test itself.
    if (stale)
      void queries.invalidateQueries({
        predicate: ({ queryKey: [, at] }) => typeof at === "string" && at.startsWith("/v1/loadtests"),
      });
  }, [stale, queries]);
  const finished = heard.last["finished"];
  const shape = test.plan["shape"] as { kind: Kind };
  const title = `Load test #${test.number}`;
  return (
    <>
      <DocumentTitle>{`${title} of ${test.endpoint}`}</DocumentTitle>
      <PageHead
        back={{ to: path("loadtests"), label: "Load tests" }}
        title={
          <>
            {title} of {test.endpoint}
            <TestStatus test={test} />
          </>
        }
        says={
          <>
            {SHAPES[shape.kind].label}: {loadOf(test.plan)}. Asked for <Time at={test.created_at} /> by{" "}
            {test.created_by_name ?? test.created_by}.
          </>
        }
      >
        <Actions test={test} />
      </PageHead>
      <div className="grid gap-5">
        {heard.problem !== null && <Problem problem={heard.problem} />}
        <Standing test={test} heard={heard} />
        {finished !== undefined && <Sums totals={finished["totals"] as Totals} knee={finished["knee"]} />}
        {finished !== undefined && (finished["verdicts"] as Verdict[]).length > 0 && (
          <Verdicts verdicts={finished["verdicts"] as Verdict[]} />
        )}
        {finished !== undefined && <Notes notes={finished["notes"] as string[]} />}
        <Charts test={test} progress={heard.progress} />
        {test.reports.includes("json") && <FromReport test={test} />}
      </div>
    </>
  );
}

function Actions({ test }: { test: LoadTest }) {
  const path = usePath();
  const api = useApi();
  const can = useCan();
  const [asks, setAsks] = useState(false);
  const cancel = useAct((a) => a.post<LoadTest>(`/v1/loadtests/${test.id}/cancel`), {
    touches: ["/v1/loadtests"],
    says: "The load test is being ended.",
    quiet: true,
    then: () => setAsks(false),
  });
  const report = (form: string) => api.href(`/v1/loadtests/${test.id}/report?format=${form}`);
  const name = `loadtest-${test.endpoint}-${test.number}`;
  const files = { json: "json", junit: "xml", csv: "csv" } as const;
  return (
    <>
      {can("endpoints:write") && isLive(test) && (
        <Button look="danger" icon="stop" onClick={() => setAsks(true)}>
          Cancel
        </Button>
      )}
      {test.reports.includes("html") && (
        <a
          href={report("html")}
          target="_blank"
          rel="noreferrer"
          className="inline-flex min-h-8 items-center rounded-md border border-edge bg-card px-3 py-1 font-medium hover:bg-sunk"
        >
          Open the report<span className="sr-only"> in a new tab</span>
        </a>
      )}
      {Object.entries(files)
        .filter(([form]) => test.reports.includes(form as keyof typeof files))
        .map(([form, suffix]) => (
          <a
            key={form}
            href={report(form)}
            download={`${name}.${suffix}`}
            className="inline-flex min-h-8 items-center rounded-md border border-edge bg-card px-3 py-1 font-medium hover:bg-sunk"
          >
            <span className="sr-only">Download </span>
            {{ json: "JSON", junit: "JUnit", csv: "CSV" }[form as keyof typeof files]}
          </a>
        ))}
      {can("endpoints:write") && !isLive(test) && (
        <ButtonLink look="main" icon="play" to={`${path("loadtests", "new")}?like=${test.id}`}>
          Run again
        </ButtonLink>
      )}
      {asks && (
        <Confirm
          title={`Cancel load test #${test.number}?`}
          action="Cancel the test"
          busy={cancel.isPending}
          problem={cancel.error}
          onConfirm={() => cancel.mutate()}
          onClose={() => setAsks(false)}
        >
          It stops sending at once. What it measured until then is kept, with a report.
        </Confirm>
      )}
    </>
  );
}

/** How far it is, or how it ended. */
function Standing({ test, heard }: { test: LoadTest; heard: Heard }) {
  const now = heard.progress[heard.progress.length - 1];
  const waiting = heard.last["waiting"];
  const why = useGet<Schemas["Why"]>(`/v1/loadtests/${test.id}/why`, (now) =>
    // Until it says how the test ended.
    isLive(test) ? 3000 : now?.reason === "Running" || now?.reason === "Waiting" ? 1000 : false,
  );
  if (test.state === "queued") return why.data === undefined ? null : <Why why={why.data} />;
  if (isLive(test)) {
    const share = now?.of_s ? Math.min(1, now.at_s / now.of_s) : null;
    const doing =
      now === undefined
        ? waiting?.["for"] === "zero"
          ? `Waiting until nothing runs (burst ${waiting["at"]} of ${waiting["of"]})`
          : "Starting the generators"
        : `${now.phase}, ${atSecond(now.at_s)}${now.of_s ? ` of ${atSecond(now.of_s)}` : ""}`;
    return (
      <Card>
        <div className="grid gap-2">
          <p className="flex flex-wrap justify-between gap-2">
            <span className="font-medium">{doing}</span>
            <span className="text-soft">
              {now !== undefined && `${count(now.sent)} sent, ${plural(now.errors, "error")}`}
            </span>
          </p>
          <Bar label="Progress of the load test" share={share} />
          {test.cancelled_at !== null && <p className="text-soft">It was cancelled and is ending.</p>}
        </div>
      </Card>
    );
  }
  if (why.data === undefined || why.data.ok) return null;
  // Each objective's reason stands in the table of verdicts.
  return <Why why={heard.last["finished"] === undefined ? why.data : { ...why.data, evidence: [] }} />;
}

function Sums({ totals, knee }: { totals: Totals; knee: unknown }) {
  const quantile = (name: string) => totals.latencies.find((one) => one.name === name)?.seconds ?? null;
  const bad = totals.sent - totals.good;
  return (
    <>
      <Figures>
        {typeof knee === "number" && <Figure name="Greatest rate that held" value={`${count(knee)}/s`} />}
        <Figure name="Requests" value={count(totals.sent)} says={`in ${seconds(totals.seconds)}`} />
        <Figure
          name="Errors"
          value={percent(totals.sent === 0 ? null : bad / totals.sent, 2)}
          says={bad === 0 ? "none" : `${count(bad)} of ${count(totals.sent)}`}
        />
        {["p50", "p95", "p99"].map((name) => (
          <Figure key={name} name={name} value={seconds(quantile(name))} />
        ))}
      </Figures>
      {Object.keys(totals.errors).length > 0 && (
        <Card title="What went wrong" flush>
          <Table
            label="Errors by kind"
            rows={Object.entries(totals.errors).sort((a, b) => b[1] - a[1])}
            rowKey={([what]) => what}
            columns={[
              { head: "Error", cell: ([what]) => <span className="wrap-anywhere">{what}</span> },
              { head: "Requests", right: true, cell: ([, many]) => count(many) },
            ]}
          />
        </Card>
      )}
    </>
  );
}

function Verdicts({ verdicts }: { verdicts: Verdict[] }) {
  const open = verdicts.some(({ outcome }) => outcome === "inconclusive");
  return (
    <Card flush title="Objectives">
      <Table
        label="Objectives and verdicts"
        rows={verdicts}
        rowKey={({ objective }) => objective}
        columns={[
          { head: "Objective", cell: ({ objective }) => nameOf(objective) },
          { head: "Verdict", cell: ({ outcome }) => <Outcome outcome={outcome} /> },
          {
            head: "Limit",
            right: true,
            cell: ({ objective, limit, unit }) => (
              <span className="whitespace-nowrap">{`${objective === "throughput" ? "≥" : "≤"} ${figure(limit, unit)}`}</span>
            ),
          },
          { head: "Measured", right: true, cell: ({ measured, unit }) => figure(measured, unit) },
          { head: "Margin", right: true, cell: ({ margin }) => <Margin margin={margin} /> },
          {
            head: "95 % confidence",
            right: true,
            from: "md",
            cell: ({ low, high, unit }) => (
              <span className="whitespace-nowrap">{low === null && high === null ? "–" : `${figure(low, unit)} to ${figure(high, unit)}`}</span>
            ),
          },
          { head: "Samples", right: true, from: "lg", cell: ({ samples }) => count(samples) },
          { head: "Because", from: "sm", cell: ({ because }) => <span className="text-soft">{because}</span> },
        ]}
      />
      {open && (
        <div className="border-t border-line p-4">
          <p className="font-medium">What “inconclusive” means</p>
          <p className="max-w-prose text-soft">
            The samples do not tell with 95 % confidence on which side of the limit the endpoint is, or the load that
            was asked for was not sent. It is no pass. Send more requests (a longer test, or a higher rate), or ask for a
            limit that is further from what was measured; the reason is beside each objective.
          </p>
          <ul className="mt-2 list-disc pl-5 sm:hidden">
            {verdicts
              .filter(({ outcome }) => outcome === "inconclusive")
              .map(({ objective, because }) => (
                <li key={objective}>
                  {nameOf(objective)}: {because}
                </li>
              ))}
          </ul>
        </div>
      )}
    </Card>
  );
}

/** How far within its limit: to the right and green, or beyond it: to the left and red. */
function Margin({ margin }: { margin: number | null }) {
  if (margin === null) return <>–</>;
  const wide = Math.min(1, Math.abs(margin)) * 24;
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <svg width="50" height="8" aria-hidden="true" className="hidden sm:block">
        <rect x="0" y="3" width="50" height="2" fill="var(--line)" />
        <rect x={margin < 0 ? 25 - wide : 25} y="0" width={wide} height="8" rx="1" fill={margin < 0 ? "var(--bad)" : "var(--good)"} />
        <rect x="24.500" y="0" width="1" height="8" fill="var(--ink)" />
      </svg>
      {margin < -9.99 ? "beyond −999 %" : `${margin > 0 ? "+" : ""}${(margin * 100).toFixed(0)} %`}
    </span>
  );
}

function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null;
  return (
    <Card title="Notes">
      <ul className="list-disc pl-5">
        {notes.map((note) => (
          <li key={note} className="wrap-anywhere">
            {note}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Charts({ test, progress }: { test: LoadTest; progress: Progress[] }) {
  if (progress.length === 0 && !isLive(test)) return null;
  const at = progress.map((one) => one.at_s);
  const all = <K extends keyof Progress>(name: K) => progress.map((one) => (one[name] as number | null | undefined) ?? null);
  const asked = (test.plan["objectives"] ?? {}) as Record<string, string>;
  const limits = ["p50", "p95", "p99"].flatMap((name) => {
    const value = milliseconds(asked[name]);
    return value === null ? [] : [{ label: `${name} ≤ ${asked[name]}`, value }];
  });
  // Errors are told as a sum so far.
  const failing = progress.map((one, index) => {
    const before = progress[index - 1];
    const passed = one.at_s - (before?.at_s ?? 0);
    return passed > 0 ? Math.max(0, one.errors - (before?.errors ?? 0)) / passed : null;
  });
  return (
    <div className="grid gap-4 md:grid-cols-2">
      <Card>
        <Chart title="Requests a second" kind="area" x={atSecond} series={{ at, values: { sent: all("rate") } }} names={{ sent: "Sent" }} />
      </Card>
      <Card>
        <Chart
          title="Latency"
          x={atSecond}
          format={ms}
          limits={limits}
          series={{ at, values: { p50: all("p50_ms"), p95: all("p95_ms"), p99: all("p99_ms") } }}
        />
      </Card>
      <Card>
        <Chart title="Errors a second" kind="area" x={atSecond} format={digits} series={{ at, values: { errors: failing } }} names={{ errors: "Errors" }} />
      </Card>
      <Card>
        <Chart
          title="Replicas"
          x={atSecond}
          series={{ at, values: { ready: all("replicas"), desired: all("desired") } }}
          names={{ ready: "Ready", desired: "Wanted" }}
        />
      </Card>
    </div>
  );
}

const UNITS: Record<string, number> = { us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(written: string | undefined): number | null {
  const found = /^([\d.]+)\s*(us|ms|s|m|h)$/.exec(written ?? "");
  return found === null ? null : Number(found[1]) * (UNITS[found[2] ?? ""] ?? 1);
}

function useReport(test: LoadTest | undefined) {
  const api = useApi();
  return useQuery<Report, ApiProblem>({
    queryKey: [api.tenant, `/v1/loadtests/${test?.id}/report`],
    queryFn: ({ signal }) => api.get<Report>(`/v1/loadtests/${test?.id}/report?format=json`, { signal }),
    enabled: test !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

function FromReport({ test }: { test: LoadTest }) {
  const report = useReport(test);
  return (
    <Loaded of={report}>
      {(found) => (
        <>
          {found.cold_starts.length > 0 && <ColdStarts starts={found.cold_starts} />}
          <Compared test={test} now={found} />
        </>
      )}
    </Loaded>
  );
}

function ColdStarts({ starts }: { starts: Report["cold_starts"] }) {
  const phases = [...new Set(starts.flatMap(({ phases_ms }) => Object.keys(phases_ms)))];
  return (
    <Card flush title="Cold starts by phase">
      <Table
        label="Cold starts by phase"
        rows={starts.slice(0, 20)}
        rowKey={({ at }) => at}
        columns={[
          { head: "At", cell: ({ at }) => <Time at={at} /> },
          { head: "In all", right: true, cell: ({ total_ms }) => ms(total_ms) },
          ...phases.map((phase) => ({
            head: phase.replaceAll("_", " "),
            right: true,
            from: "sm" as const,
            cell: ({ phases_ms }: Report["cold_starts"][number]) => ms(phases_ms[phase]),
          })),
        ]}
      />
    </Card>
  );
}

function Compared({ test, now }: { test: LoadTest; now: Report }) {
  const [chosen, setChosen] = useState("");
  const list = useList<LoadTest>(`/v1/loadtests?limit=100&endpoint=${encodeURIComponent(test.endpoint)}`);
  const others = list.items.filter((one) => one.id !== test.id && one.reports.includes("json"));
  const other = others.find(({ id }) => id === chosen);
  const then = useReport(other);
  return (
    <Card title="Compare with another test">
      {others.length === 0 ? (
        <p className="text-soft">There is no other test of {test.endpoint} with a report.</p>
      ) : (
        <div className="grid gap-4">
          <div className="max-w-96">
            <SelectField label="Test" value={chosen} onChange={({ target }) => setChosen(target.value)}>
              <option value="">Choose one</option>
              {others.map((one) => (
                <option key={one.id} value={one.id}>
                  #{one.number}, {loadOf(one.plan)}
                  {one.verdict === null ? "" : `, ${one.verdict}`}
                </option>
              ))}
            </SelectField>
          </div>
          {other !== undefined && <Loaded of={then}>{(found) => <Changes then={found} now={now} other={other} />}</Loaded>}
        </div>
      )}
    </Card>
  );
}

function Changes({ then, now, other }: { then: Report; now: Report; other: LoadTest }) {
  const rows: { name: string; before: number | null; after: number | null; write: (value: number | null) => string; lessIsBetter: boolean | null }[] = [
    ...now.totals.latencies.map((one) => ({
      name: one.name,
      before: then.totals.latencies.find(({ name }) => name === one.name)?.seconds ?? null,
      after: one.seconds,
      write: seconds,
      lessIsBetter: true,
    })),
    { name: "Errors", before: errorsOf(then), after: errorsOf(now), write: (value) => percent(value, 2), lessIsBetter: true },
    { name: "Rate asked for", before: then.totals.rate, after: now.totals.rate, write: (value) => figure(value, "1/s"), lessIsBetter: null },
  ];
  const path = usePath();
  const differ = JSON.stringify(then.plan["shape"]) !== JSON.stringify(now.plan["shape"]);
  const revisions: ReactNode = (
    <>
      Then: {then.environment["revisions"] ?? "unknown"}. Now: {now.environment["revisions"] ?? "unknown"}.
    </>
  );
  return (
    <div className="grid gap-2">
      <p className="text-soft">
        <Link to={path("loadtests", other.id)} className="text-main underline">
          Test #{other.number}
        </Link>
        . {revisions}
      </p>
      {differ && <p className="text-warn">The loads differ: this is no comparison of what served.</p>}
      <Table
        label="Then and now"
        rows={rows}
        rowKey={({ name }) => name}
        columns={[
          { head: "Figure", cell: ({ name }) => name },
          { head: "Then", right: true, cell: ({ before, write }) => write(before) },
          { head: "Now", right: true, cell: ({ after, write }) => write(after) },
          { head: "Change", right: true, cell: ({ before, after, lessIsBetter }) => <Change before={before} after={after} lessIsBetter={lessIsBetter} /> },
        ]}
      />
      <p className="text-xs text-soft">
        Whether a change is more than chance is told by the report of a test that was started with “compare with”.
      </p>
    </div>
  );
}

function Change({ before, after, lessIsBetter }: { before: number | null; after: number | null; lessIsBetter: boolean | null }) {
  if (before === null || after === null || before === 0) return <>–</>;
  const change = after / before - 1;
  const tone =
    lessIsBetter === null || Math.abs(change) < 0.05 ? "" : change < 0 === lessIsBetter ? "text-good" : "text-bad";
  return <span className={tone}>{`${change > 0 ? "+" : ""}${(change * 100).toFixed(0)} %`}</span>;
}

function errorsOf({ totals }: Report): number | null {
  return totals.sent === 0 ? null : (totals.sent - totals.good) / totals.sent;
}

