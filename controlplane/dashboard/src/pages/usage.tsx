import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import type { Api, ApiProblem, Schemas } from "../api/client";
import { useApi, usePath } from "../api/hooks";
import { Button, Card, DocumentTitle, Empty, Figure, Figures, Loaded, PageHead, Time } from "../ui/basics";
import { Chart } from "../ui/chart";
import { count, digits, lasting, percent } from "../ui/format";
import { SelectField } from "../ui/form";
import { Table } from "../ui/table";

type Usage = Schemas["Usage"];
type Page = Schemas["UsagePage"];

const DAY_MS = 86_400_000;
const MOST_PAGES = 30;
const MEASURES: Record<string, { label: string; names: Record<string, string>; of: (row: Usage) => Record<string, number | null>; format: (value: number) => string }> = {
  requests: { label: "Requests", names: { requests: "Requests" }, of: ({ requests }) => ({ requests }), format: count },
  rows: { label: "Rows", names: { rows: "Rows" }, of: ({ rows }) => ({ rows }), format: count },
  seconds: {
    label: "Replica time",
    names: { busy: "Busy", idle: "Idle", starting: "Starting" },
    of: ({ busy_s, idle_s, starting_s }) => ({ busy: busy_s, idle: idle_s, starting: starting_s }),
    format: lasting,
  },
  wakes: { label: "Wakes from zero", names: { wakes: "Wakes" }, of: ({ wakes }) => ({ wakes }), format: count },
};

export default function UsagePageShown() {
  const api = useApi();
  const [query, setQuery] = useSearchParams();
  const days = [1, 7, 30, 90].includes(Number(query.get("days"))) ? Number(query.get("days")) : 30;
  const endpoint = query.get("endpoint") ?? "";
  const usage = useQuery<Read, ApiProblem>({
    queryKey: [api.tenant, "/v1/usage", days, endpoint],
    queryFn: ({ signal }) => read(api, days, endpoint, signal),
    refetchInterval: 60_000,
  });
  const change = (name: string, value: string) => {
    const next = new URLSearchParams(query);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setQuery(next);
  };
  return (
    <>
      <DocumentTitle>Usage</DocumentTitle>
      <PageHead title="Usage" says="What endpoints did and cost, deleted ones too. It is summed by the hour, so the newest hour still grows.">
        {usage.data !== undefined && usage.data.daily.length > 0 && (
          <Button onClick={() => save(usage.data)}>Download CSV</Button>
        )}
      </PageHead>
      <div className="mb-4 grid max-w-xl grid-cols-2 gap-3">
        <SelectField label="Period" value={days} onChange={({ target }) => change("days", target.value)}>
          <option value={1}>Today and yesterday, by hour</option>
          <option value={7}>7 days</option>
          <option value={30}>30 days</option>
          <option value={90}>90 days</option>
        </SelectField>
        <SelectField label="Endpoint" value={endpoint} onChange={({ target }) => change("endpoint", target.value)}>
          <option value="">All endpoints</option>
          {[...new Set([...(usage.data?.names ?? []), ...(endpoint === "" ? [] : [endpoint])])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
      </div>
      <Loaded of={usage} lines={8}>
        {(found) => <Shown read={found} days={days} />}
      </Loaded>
    </>
  );
}

interface Read {
  total: Usage[];
  daily: Usage[];
  names: string[];
  page: Page;
  cut: boolean;
}

/** All pages of it: a chart of some of the days would be wrong. */
async function read(api: Api, days: number, endpoint: string, signal: AbortSignal): Promise<Read> {
  const from = new Date(Date.now() - days * DAY_MS).toISOString();
  const of = endpoint === "" ? "" : `&endpoint=${encodeURIComponent(endpoint)}`;
  const [all, total, daily] = await Promise.all([
    pages(api, `/v1/usage?limit=200&interval=total&from=${encodeURIComponent(from)}`, signal),
    endpoint === "" ? null : pages(api, `/v1/usage?limit=200&interval=total&from=${encodeURIComponent(from)}${of}`, signal),
    pages(api, `/v1/usage?limit=200&interval=${days === 1 ? "hour" : "day"}&from=${encodeURIComponent(from)}${of}`, signal),
  ]);
  return {
    total: (total ?? all).items,
    daily: daily.items,
    names: all.items.map((one) => one.endpoint),
    page: all.page,
    cut: all.cut || daily.cut,
  };
}

async function pages(api: Api, path: string, signal: AbortSignal): Promise<{ items: Usage[]; page: Page; cut: boolean }> {
  let page = await api.get<Page>(path, { signal });
  const items = [...page.items];
  for (let number = 1; page.next !== null && number < MOST_PAGES; number += 1) {
    page = await api.get<Page>(`${path}&cursor=${encodeURIComponent(page.next)}`, { signal });
    items.push(...page.items);
  }
  return { items, page, cut: page.next !== null };
}

function Shown({ read: { total, daily, page, cut }, days }: { read: Read; days: number }) {
  const path = usePath();
  const [measure, setMeasure] = useState("requests");
  if (total.length === 0)
    return (
      <Card flush>
        <Empty icon="usage" title="Nothing was used in this time" command="kubeserve usage --by day">
          Deploy a model and send it a request; what it used is here within a minute.
        </Empty>
      </Card>
    );
  const sum = (of: (row: Usage) => number | null) => total.reduce((all, row) => all + (of(row) ?? 0), 0);
  const used = sum(({ cost }) => cost.used.replica_s);
  const warm = sum(({ cost }) => cost.kept_warm.replica_s);
  const money = page.prices !== null;
  return (
    <div className="grid gap-5">
      <Figures>
        <Figure name="Requests" value={count(sum(({ requests }) => requests))} says={`${count(sum(({ rows }) => rows))} rows`} />
        <Figure name="Replica time" value={lasting(used)} says={`${lasting(sum(({ busy_s }) => busy_s))} of it busy`} />
        <Figure name="Wakes from zero" value={count(sum(({ wakes }) => wakes))} says={`${count(sum(({ starts }) => starts))} replicas started`} />
        <Figure
          name="Saved by scaling to zero"
          value={warm === 0 ? "–" : percent(Math.max(0, 1 - used / warm), 0)}
          says={
            money
              ? `${digits(sum(({ cost }) => cost.used.money ?? 0))} instead of ${digits(sum(({ cost }) => cost.kept_warm.money ?? 0))}`
              : `${lasting(used)} instead of ${lasting(warm)}`
          }
        />
      </Figures>
      <Card
        title={days === 1 ? "By hour" : "By day"}
        action={
          <label className="flex items-center gap-2">
            <span className="sr-only">What is drawn</span>
            <select value={measure} onChange={({ target }) => setMeasure(target.value)} className="h-8 rounded-md border border-edge bg-card px-2">
              {Object.entries(MEASURES).map(([name, { label }]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </label>
        }
      >
        <Drawn measure={measure} daily={daily} days={days} />
        {cut && <p className="mt-2 text-warn">There is more than is drawn here: choose an endpoint, or fewer days.</p>}
      </Card>
      <Card flush title="By endpoint">
        <Table
          label="Usage by endpoint"
          rows={total}
          rowKey={({ endpoint_id }) => endpoint_id}
          columns={[
            {
              head: "Endpoint",
              cell: ({ endpoint }) => (
                <Link to={path("endpoints", endpoint)} className="hover:text-main hover:underline">
                  {endpoint}
                </Link>
              ),
            },
            { head: "Requests", right: true, cell: ({ requests }) => count(requests) },
            { head: "Rows", right: true, from: "sm", cell: ({ rows }) => count(rows) },
            { head: "Wakes", right: true, from: "sm", cell: ({ wakes }) => count(wakes) },
            { head: "Busy", right: true, from: "md", cell: ({ busy_s }) => lasting(busy_s) },
            { head: "Idle", right: true, from: "md", cell: ({ idle_s }) => lasting(idle_s) },
            { head: "Starting", right: true, from: "lg", cell: ({ starting_s }) => lasting(starting_s) },
            {
              head: "Cost",
              right: true,
              cell: ({ cost }) => (money ? digits(cost.used.money) : lasting(cost.used.replica_s)),
            },
            {
              head: "Kept warm",
              right: true,
              from: "sm",
              cell: ({ cost }) => (money ? digits(cost.kept_warm.money) : lasting(cost.kept_warm.replica_s)),
            },
          ]}
        />
      </Card>
      <p className="text-xs text-soft">
        “Kept warm” is what it would have cost with one replica running all the time.{" "}
        {money
          ? `Priced at ${page.prices?.cpu_hour} for a CPU and ${page.prices?.gib_hour} for a GiB of memory an hour.`
          : "This installation has no prices, so it is told in replica time."}{" "}
        A dash: the engine does not count it. {page.since !== null && (
          <>
            Counted by the hour; the first began <Time at={page.since} />.
          </>
        )}
      </p>
    </div>
  );
}

function Drawn({ measure, daily, days }: { measure: string; daily: Usage[]; days: number }) {
  const { label, names, of, format } = MEASURES[measure]!;
  const sums = new Map<string, Record<string, number | null>>();
  for (const row of daily) {
    const values = of(row);
    const now = sums.get(row.start) ?? {};
    for (const name of Object.keys(names)) {
      const value = values[name];
      if (value !== null && value !== undefined) now[name] = (now[name] ?? 0) + value;
      else now[name] ??= null;
    }
    sums.set(row.start, now);
  }
  // Days on which there was nothing are days too.
  const step = days === 1 ? 3_600_000 : DAY_MS;
  const starts = [...sums.keys()].map(Date.parse).sort((a, b) => a - b);
  const at: number[] = [];
  for (let start = starts[0] ?? 0; start <= (starts[starts.length - 1] ?? -1); start += step) at.push(start);
  const known = new Map([...sums].map(([start, values]) => [Date.parse(start), values]));
  const values = Object.fromEntries(
    Object.keys(names).map((name) => [name, at.map((start) => (known.has(start) ? (known.get(start)?.[name] ?? null) : 0))]),
  );
  const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
  const hour = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
  return (
    <Chart
      title={label}
      kind="bars"
      height={200}
      format={format}
      names={names}
      x={(start) => (days === 1 ? hour : day).format(start)}
      series={{ at, values }}
    />
  );
}

const COLUMNS = [
  "start", "endpoint", "endpoint_id", "requests", "rows", "wakes", "starts", "busy_s", "idle_s", "starting_s", "ready_s", "active_s", "lasted_s",
] as const;

function save({ daily }: Read): void {
  const lines = [
    [...COLUMNS, "used_replica_s", "used_money", "kept_warm_replica_s", "kept_warm_money"].join(","),
    ...daily.map((row) =>
      [
        ...COLUMNS.map((name) => row[name] ?? ""),
        row.cost.used.replica_s,
        row.cost.used.money ?? "",
        row.cost.kept_warm.replica_s,
        row.cost.kept_warm.money ?? "",
      ].join(","),
    ),
  ];
  const address = URL.createObjectURL(new Blob([`${lines.join("\r\n")}\r\n`], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = "usage.csv";
  link.click();
  URL.revokeObjectURL(address);
}
