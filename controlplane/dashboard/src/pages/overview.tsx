import { useQueries } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useApi, useCan, useList, usePath, useTenant } from "../api/hooks";
import { loadOf, TestStatus, type LoadTest } from "../parts/loadtests";
import { EndpointStatus, VersionStatus } from "../parts/states";
import type { Webhook } from "../parts/webhooks";
import { Why } from "../parts/why";
import { Button, ButtonLink, Card, DocumentTitle, Empty, Figure, Figures, PageHead, Problem, Skeleton, Time } from "../ui/basics";
import { count, digits, plural, seconds } from "../ui/format";
import { Spark } from "../ui/spark";
import { Table } from "../ui/table";

type Endpoint = Schemas["Endpoint"];
type Model = Schemas["Model"];

const SHOWN = 8;
/** Endpoints whose cause is asked for; those that say themselves that something is wrong come first. */
const ASKED = 12;

/** What a tenant has, and what of it wants somebody. */
export default function Overview() {
  const tenant = useTenant();
  const path = usePath();
  const can = useCan();
  const endpoints = useList<Endpoint>(can("endpoints:read") ? "/v1/endpoints?limit=100" : null, 5000);
  const models = useList<Model>(can("models:read") ? "/v1/models?limit=200" : null, 5000);
  const tests = useList<LoadTest>(can("endpoints:read") ? "/v1/loadtests?limit=5" : null, 5000);
  const upload = can("models:write") && (
    <ButtonLink to={path("upload")} look="main" icon="upload">
      Upload a model
    </ButtonLink>
  );
  const problem = endpoints.error ?? models.error;
  return (
    <>
      <DocumentTitle>{tenant}</DocumentTitle>
      <PageHead title={tenant}>{upload}</PageHead>
      {problem !== null && endpoints.data === undefined ? (
        <Problem problem={problem} retry={() => void endpoints.refetch()} />
      ) : endpoints.data === undefined || models.data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <div className="grid gap-5">
          <Totals endpoints={endpoints.items} models={models.items} />
          <Wrong endpoints={endpoints.items} models={models.items} />
          <Serving
            endpoints={endpoints.items}
            empty={
              <Empty
                icon="endpoint"
                title="Nothing is served yet"
                command={"pip install kubeserve\nkubeserve push model.joblib --name my-model\nkubeserve deploy my-model"}
                action={upload || undefined}
              >
                Upload what joblib wrote. It is built within seconds; then it can be deployed to an address of its own, which
                costs nothing while nobody asks.
              </Empty>
            }
          />
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <Builds models={models.items} />
            <Tests tests={tests.items} any={endpoints.items.length > 0} />
          </div>
          {(endpoints.more !== null || models.more !== null) && (
            <p className="text-soft">
              The figures are of the first {count(endpoints.items.length)} endpoints and {count(models.items.length)} models.{" "}
              <Button
                look="quiet"
                onClick={() => {
                  endpoints.more?.();
                  models.more?.();
                }}
              >
                Count more
              </Button>
            </p>
          )}
        </div>
      )}
    </>
  );
}

function Totals({ endpoints, models }: { endpoints: Endpoint[]; models: Model[] }) {
  const sum = (of: (one: Endpoint) => number) => endpoints.reduce((all, one) => all + of(one), 0);
  const failed = models.filter(({ latest_state }) => latest_state === "failed").length;
  const building = models.filter(({ latest_state }) => latest_state === "building" || latest_state === "uploaded").length;
  return (
    <Figures>
      <Figure name="Endpoints" value={count(endpoints.length)} says={`${count(endpoints.filter(({ replicas }) => replicas > 0).length)} with replicas`} />
      <Figure name="Replicas" value={count(sum(({ replicas }) => replicas))} says={`${count(sum((one) => one.desired_replicas))} wanted`} />
      <Figure name="Requests" value={count(sum(({ requests_total }) => requests_total))} says="since the endpoints began" />
      <Figure
        name="Models"
        value={count(models.length)}
        says={building > 0 ? `${plural(building, "build")} under way` : failed === 0 ? "none failed to build" : `${plural(failed, "newest version")} failed`}
      />
    </Figures>
  );
}

/** Whatever is wrong: its cause, on what evidence, and what to do. Nothing, where nothing is. */
function Wrong({ endpoints, models }: { endpoints: Endpoint[]; models: Model[] }) {
  const api = useApi();
  const path = usePath();
  const can = useCan();
  const webhooks = useList<Webhook>(can("admin") ? "/v1/webhooks?limit=100" : null, 30_000);
  const first = [...endpoints].sort((a, b) => urgency(b) - urgency(a)).slice(0, ASKED);
  const causes = useQueries({
    queries: first.map(({ name }) => ({
      queryKey: [api.tenant, `/v1/endpoints/${name}/why`],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get<Schemas["Why"]>(`/v1/endpoints/${name}/why`, { signal }),
      refetchInterval: 10_000,
    })),
  });
  const failed = models
    .filter(({ latest_state }) => latest_state === "failed")
    .sort((a, b) => (b.latest_at ?? "").localeCompare(a.latest_at ?? ""));
  const builds = useQueries({
    queries: failed.slice(0, 3).map(({ name, versions }) => ({
      queryKey: [api.tenant, `/v1/models/${name}/versions/${versions}/why`],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get<Schemas["Why"]>(`/v1/models/${name}/versions/${versions}/why`, { signal }),
    })),
  });
  // Those that get nothing any more come first.
  const failing = webhooks.items
    .filter((one) => one.failing_since !== null || (!one.enabled && one.disabled_because !== null))
    .sort((a, b) => Number(a.enabled) - Number(b.enabled));
  const arriving = useQueries({
    queries: failing.slice(0, 3).map(({ id }) => ({
      queryKey: [api.tenant, `/v1/webhooks/${id}/why`],
      queryFn: ({ signal }: { signal: AbortSignal }) => api.get<Schemas["Why"]>(`/v1/webhooks/${id}/why`, { signal }),
    })),
  });
  const unheard = arriving.flatMap(({ data }, at) => (data === undefined || data.ok ? [] : [{ why: data, hook: failing[at]! }]));
  const wrong = causes.flatMap(({ data }, at) => (data === undefined || data.ok ? [] : [{ why: data, name: first[at]!.name }]));
  const told = builds.flatMap(({ data }, at) => (data === undefined || data.ok ? [] : [{ why: data, ...failed[at]! }]));
  if (wrong.length + told.length + unheard.length === 0) return null;
  const unasked = failing.length - arriving.length;
  return (
    <section aria-labelledby="wrong" className="grid gap-3">
      <h2 id="wrong" className="font-semibold">
        Wants attention
      </h2>
      {wrong.map(({ why, name }) => (
        <Why
          key={name}
          why={why}
          title={
            <>
              Endpoint <Link to={path("endpoints", name)} className="text-main underline">{name}</Link>
            </>
          }
        />
      ))}
      {told.map(({ why, name, versions }) => (
        <Why
          key={name}
          why={why}
          title={
            <>
              Version <Link to={path("models", name, versions)} className="text-main underline">{name}:{versions}</Link>
            </>
          }
        />
      ))}
      {unheard.map(({ why, hook }) => (
        <Why
          key={hook.id}
          why={why}
          title={
            <>
              Webhook <Link to={path("webhooks", hook.id)} className="text-main underline">{new URL(hook.url).host}</Link>
            </>
          }
        />
      ))}
      <More many={failed.length - builds.length} what="model" to={path("models")} says="could not be built" />
      <More many={unasked} what="webhook" to={path("webhooks")} says={`${unasked === 1 ? "fails or is" : "fail or are"} switched off`} />
    </section>
  );
}

/** That there is more of a kind than is told of each. */
function More({ many, what, to, says }: { many: number; what: string; to: string; says: string }) {
  if (many <= 0) return null;
  return (
    <p>
      <Link to={to} className="text-main underline">
        {plural(many, `more ${what}`)}
      </Link>{" "}
      {says}.
    </p>
  );
}

function urgency({ ready, slo, requests_total }: Endpoint): number {
  const by = { False: 4, Unknown: 2, True: 0 }[ready.status];
  return by + (slo !== null ? 1 : 0) + (requests_total > 0 ? 0.5 : 0);
}

function Serving({ endpoints, empty }: { endpoints: Endpoint[]; empty: ReactNode }) {
  const api = useApi();
  const path = usePath();
  // Those that are asked most stand first; all of them are a page of their own.
  const shown = [...endpoints].sort((a, b) => b.replicas - a.replicas || b.requests_total - a.requests_total).slice(0, SHOWN);
  const series = useQueries({
    queries: shown.map(({ name }) => ({
      queryKey: [api.tenant, `/v1/endpoints/${name}/series?minutes=15`],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get<Schemas["Series"]>(`/v1/endpoints/${name}/series?minutes=15`, { signal }),
      refetchInterval: 10_000,
    })),
  });
  const of = new Map(shown.map(({ name }, at) => [name, series[at]?.data]));
  const last = (name: string, value: keyof Schemas["SeriesValues"]) => of.get(name)?.values[value].findLast((one) => one !== null) ?? null;
  return (
    <Card flush title="Endpoints" action={endpoints.length > 0 && <Link to={path("endpoints")} className="text-main">All endpoints</Link>}>
      {endpoints.length === 0 ? (
        empty
      ) : (
        <Table
          label="Endpoints"
          rows={shown}
          rowKey={({ id }) => id}
          columns={[
            {
              head: "Name",
              cell: ({ name }) => (
                <Link to={path("endpoints", name)} className="hover:text-main hover:underline">
                  {name}
                </Link>
              ),
            },
            { head: "Status", cell: (row) => <EndpointStatus endpoint={row} /> },
            { head: "Replicas", right: true, from: "sm", cell: (row) => `${row.replicas} / ${row.desired_replicas}` },
            {
              head: "Rate, 15 minutes",
              right: true,
              cell: ({ name }) => (
                <span className="inline-flex items-center gap-2 whitespace-nowrap">
                  <span className="hidden sm:inline">
                    <Spark values={of.get(name)?.values.rate ?? []} />
                  </span>
                  {last(name, "rate") === null ? "–" : `${digits(last(name, "rate"))}/s`}
                </span>
              ),
            },
            { head: "p95", right: true, from: "md", cell: ({ name }) => seconds(last(name, "p95")) },
            { head: "Requests", right: true, from: "md", cell: (row) => count(row.requests_total) },
          ]}
        />
      )}
    </Card>
  );
}

function Builds({ models }: { models: Model[] }) {
  const path = usePath();
  const recent = models
    .filter(({ latest_at }) => latest_at !== null)
    .sort((a, b) => (b.latest_at ?? "").localeCompare(a.latest_at ?? ""))
    .slice(0, 5);
  if (recent.length === 0) return null;
  return (
    <Card flush title="Recent builds" action={<Link to={path("models")} className="text-main">All models</Link>}>
      <Table
        label="Recent builds"
        rows={recent}
        rowKey={({ name }) => name}
        columns={[
          {
            head: "Version",
            cell: ({ name, versions }) => (
              <Link to={path("models", name, versions)} className="hover:text-main hover:underline">
                {name}:{versions}
              </Link>
            ),
          },
          { head: "Build", cell: ({ latest_state }) => latest_state !== null && <VersionStatus state={latest_state} /> },
          { head: "Uploaded", right: true, cell: ({ latest_at }) => <Time at={latest_at} /> },
        ]}
      />
    </Card>
  );
}

function Tests({ tests, any }: { tests: LoadTest[]; any: boolean }) {
  const path = usePath();
  if (!any && tests.length === 0) return null;
  return (
    <Card flush title="Load tests" action={<Link to={path("loadtests")} className="text-main">All load tests</Link>}>
      {tests.length === 0 ? (
        <p className="p-4 text-soft">
          None yet. A load test tells whether an endpoint keeps what it promises.{" "}
          <Link to={path("loadtests", "new")} className="text-main underline">
            Start one
          </Link>
        </p>
      ) : (
        <Table
          label="Load tests"
          rows={tests.slice(0, 5)}
          rowKey={({ id }) => id}
          columns={[
            {
              head: "Test",
              cell: (test) => (
                <Link to={path("loadtests", test.id)} className="hover:text-main hover:underline">
                  #{test.number} {test.endpoint}
                </Link>
              ),
            },
            { head: "Result", cell: (test) => <TestStatus test={test} /> },
            { head: "Load", from: "sm", cell: ({ plan }) => <span className="text-soft">{loadOf(plan)}</span> },
            { head: "Asked for", right: true, from: "sm", cell: ({ created_at }) => <Time at={created_at} /> },
          ]}
        />
      )}
    </Card>
  );
}
