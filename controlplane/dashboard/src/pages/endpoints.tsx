import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useCan, useList, usePath } from "../api/hooks";
import { useNewest } from "../parts/series";
import { EndpointStatus } from "../parts/states";
import { Badge, ButtonLink, Card, Copy, DocumentTitle, Empty, Loaded, PageHead } from "../ui/basics";
import { count, digits, ms, seconds } from "../ui/format";
import { Table } from "../ui/table";

export default function Endpoints() {
  const path = usePath();
  const can = useCan();
  const endpoints = useList<Schemas["Endpoint"]>("/v1/endpoints?limit=50", 3000);
  const newest = useNewest(endpoints.items.map(({ name }) => name));
  return (
    <>
      <DocumentTitle>Endpoints</DocumentTitle>
      <PageHead title="Endpoints" says="Each has an address, scales from zero with its requests, and keeps every release.">
        {can("endpoints:write") && (
          <ButtonLink to={path("models")} look="main" icon="endpoint">
            Deploy a model
          </ButtonLink>
        )}
      </PageHead>
      <Loaded of={endpoints}>
        {() => (
          <Card flush>
            {endpoints.items.length === 0 ? (
              <Empty
                icon="endpoint"
                title="No endpoint yet"
                command={"kubeserve deploy my-model\nkubeserve predict my-model rows.csv"}
                action={
                  <ButtonLink to={path("models")} look="main">
                    Choose a model
                  </ButtonLink>
                }
              >
                Deploy a version that is ready: it gets an address within seconds, and no replica runs while
                nobody asks.
              </Empty>
            ) : (
              <Table
                label="Endpoints"
                rows={endpoints.items}
                rowKey={({ id }) => id}
                more={endpoints.more}
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
                  { head: "Serves", from: "md", cell: (row) => <Serves endpoint={row} /> },
                  {
                    head: "URL",
                    from: "lg",
                    cell: ({ url, name }) =>
                      url === null ? (
                        "–"
                      ) : (
                        <span className="flex items-center gap-1">
                          <code className="max-w-56 truncate text-xs">{url}</code>
                          <Copy text={url} label={`Copy the URL of ${name}`} />
                        </span>
                      ),
                  },
                  { head: "Replicas", right: true, cell: (row) => `${row.replicas} / ${row.desired_replicas}` },
                  {
                    head: "Rate",
                    right: true,
                    from: "sm",
                    cell: ({ name }) => {
                      const rate = newest.get(name)?.rate ?? null;
                      return rate === null ? "–" : `${digits(rate)}/s`;
                    },
                  },
                  { head: "p95", right: true, from: "sm", cell: ({ name }) => seconds(newest.get(name)?.p95) },
                  { head: "Requests", right: true, from: "lg", cell: (row) => count(row.requests_total) },
                  { head: "Cold start", right: true, from: "md", cell: (row) => ms(row.cold_start?.total_ms) },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
    </>
  );
}

export function Serves({ endpoint }: { endpoint: Schemas["Endpoint"] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {endpoint.revisions.map((one) => (
        <Badge key={`${one.name}-${one.tag}`} tone={one.percent > 0 ? "main" : "plain"}>
          {one.model}:{one.version}
          {one.percent < 100 && ` ${one.percent} %`}
          {one.tag !== null && ` #${one.tag}`}
        </Badge>
      ))}
    </span>
  );
}
