import { Link, useSearchParams } from "react-router";
import type { Schemas } from "../api/client";
import { useCan, useList, usePath } from "../api/hooks";
import { isLive, loadOf, SHAPES, TestStatus, tookS, type Kind, type LoadTest } from "../parts/loadtests";
import { ButtonLink, Card, DocumentTitle, Empty, Loaded, PageHead, Time } from "../ui/basics";
import { seconds } from "../ui/format";
import { SelectField } from "../ui/form";
import { Table } from "../ui/table";

export default function LoadTests() {
  const path = usePath();
  const can = useCan();
  const [query, setQuery] = useSearchParams();
  const endpoint = query.get("endpoint") ?? "";
  const endpoints = useList<Schemas["Endpoint"]>("/v1/endpoints?limit=200");
  const asked = endpoint === "" ? "" : `&endpoint=${encodeURIComponent(endpoint)}`;
  const tests = useList<LoadTest>(`/v1/loadtests?limit=50${asked}`, 3000);
  const names = [...new Set([...endpoints.items.map(({ name }) => name), ...(endpoint === "" ? [] : [endpoint])])];
  const start = can("endpoints:write") && (
    <ButtonLink
      to={`${path("loadtests", "new")}${endpoint === "" ? "" : `?endpoint=${encodeURIComponent(endpoint)}`}`}
      look="main"
      icon="play"
    >
      New load test
    </ButtonLink>
  );
  return (
    <>
      <DocumentTitle>Load tests</DocumentTitle>
      <PageHead
        title="Load tests"
        says="Requests are sent when they are due, answered or not, so a slow server cannot hide. The last 200 are kept, for 90 days."
      >
        {start}
      </PageHead>
      <div className="mb-4 max-w-64">
        <SelectField
          label="Endpoint"
          value={endpoint}
          onChange={({ target }) => setQuery(target.value === "" ? {} : { endpoint: target.value })}
        >
          <option value="">All endpoints</option>
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </SelectField>
      </div>
      <Loaded of={tests}>
        {() => (
          <Card flush>
            {tests.items.length === 0 ? (
              <Empty
                icon="loadtest"
                title={endpoint === "" ? "No load test yet" : `No load test of ${endpoint} yet`}
                action={start || undefined}
                command={`kubeserve loadtest ${endpoint || "my-endpoint"} --rate 50 --duration 30s --p95 50ms --remote`}
              >
                Send a load, follow it live, and read whether the endpoint keeps what it promises.
              </Empty>
            ) : (
              <Table
                label="Load tests"
                rows={tests.items}
                rowKey={({ id }) => id}
                more={tests.more}
                columns={[
                  {
                    head: "Test",
                    cell: (test) => (
                      <Link to={path("loadtests", test.id)} className="hover:text-main hover:underline">
                        #{test.number} {test.endpoint}
                        {typeof test.plan["tag"] === "string" && <span className="text-soft"> ({test.plan["tag"]})</span>}
                      </Link>
                    ),
                  },
                  { head: "Result", cell: (test) => <TestStatus test={test} /> },
                  {
                    head: "Load",
                    from: "sm",
                    cell: ({ plan }) => (
                      <>
                        <span className="text-soft">{SHAPES[(plan["shape"] as { kind: Kind }).kind].label}:</span> {loadOf(plan)}
                      </>
                    ),
                  },
                  {
                    head: "Took",
                    right: true,
                    from: "md",
                    cell: (test) => (isLive(test) ? "…" : seconds(tookS(test))),
                  },
                  { head: "By", from: "lg", cell: (test) => test.created_by_name ?? test.created_by },
                  { head: "Asked for", right: true, from: "sm", cell: ({ created_at }) => <Time at={created_at} /> },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
    </>
  );
}
