import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useCan, useList, usePath, useTenant } from "../api/hooks";
import { Button, ButtonLink, Card, DocumentTitle, Empty, Figure, Figures, PageHead, Problem, Skeleton, Time } from "../ui/basics";
import { count, ms, plural } from "../ui/format";
import { Table } from "../ui/table";
import { EndpointStatus } from "../parts/states";

/** What a tenant has, and what of it wants somebody. */
export default function Overview() {
  const tenant = useTenant();
  const path = usePath();
  const can = useCan();
  const endpoints = useList<Schemas["Endpoint"]>("/v1/endpoints?limit=100", 5000);
  const models = useList<Schemas["Model"]>("/v1/models?limit=100", 10_000);
  const busy = endpoints.items.filter(({ replicas }) => replicas > 0).length;
  const newest = [...models.items].sort((a, b) => b.created_at.localeCompare(a.created_at)).slice(0, 5);
  const failed = models.items.filter(({ latest_state }) => latest_state === "failed");
  const problem = endpoints.error ?? models.error;
  return (
    <>
      <DocumentTitle>{tenant}</DocumentTitle>
      <PageHead title={tenant}>
        {can("models:write") && (
          <ButtonLink to={path("upload")} look="main" icon="upload">
            Upload a model
          </ButtonLink>
        )}
      </PageHead>
      {problem !== null && endpoints.data === undefined ? (
        <Problem problem={problem} retry={() => void endpoints.refetch()} />
      ) : endpoints.data === undefined || models.data === undefined ? (
        <Skeleton lines={6} />
      ) : (
        <div className="grid gap-5">
          <Figures>
            <Figure name="Endpoints" value={count(endpoints.items.length)} says={`${count(busy)} with replicas`} />
            <Figure
              name="Replicas"
              value={count(endpoints.items.reduce((sum, one) => sum + one.replicas, 0))}
              says={`${count(endpoints.items.reduce((sum, one) => sum + one.desired_replicas, 0))} wanted`}
            />
            <Figure
              name="Requests"
              value={count(endpoints.items.reduce((sum, one) => sum + one.requests_total, 0))}
              says="since the endpoints began"
            />
            <Figure
              name="Models"
              value={count(models.items.length)}
              says={failed.length === 0 ? "none failed to build" : `${plural(failed.length, "newest version")} failed`}
            />
          </Figures>
          <Card
            flush
            title="Endpoints"
            action={endpoints.items.length > 0 && <Link to={path("endpoints")} className="text-main">All endpoints</Link>}
          >
            {endpoints.items.length === 0 ? (
              <Empty
                icon="endpoint"
                title="Nothing is served yet"
                command={"pip install kubeserve\nkubeserve push model.joblib --name my-model\nkubeserve deploy my-model"}
                action={
                  can("models:write") ? (
                    <ButtonLink to={path("upload")} look="main" icon="upload">
                      Upload a model
                    </ButtonLink>
                  ) : undefined
                }
              >
                Upload what joblib wrote. It is built within seconds; then it can be deployed to an address of
                its own, which costs nothing while nobody asks.
              </Empty>
            ) : (
              <Table
                label="Endpoints"
                rows={endpoints.items.slice(0, 8)}
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
                  { head: "Replicas", right: true, cell: (row) => `${row.replicas} / ${row.desired_replicas}` },
                  { head: "Requests", right: true, from: "sm", cell: (row) => count(row.requests_total) },
                  { head: "Cold start", right: true, from: "md", cell: (row) => ms(row.cold_start?.total_ms) },
                ]}
              />
            )}
          </Card>
          {newest.length > 0 && (
            <Card flush title="Newest models" action={<Link to={path("models")} className="text-main">All models</Link>}>
              <Table
                label="Newest models"
                rows={newest}
                rowKey={({ name }) => name}
                columns={[
                  {
                    head: "Name",
                    cell: ({ name }) => (
                      <Link to={path("models", name)} className="hover:text-main hover:underline">
                        {name}
                      </Link>
                    ),
                  },
                  { head: "Versions", right: true, cell: ({ versions }) => count(versions) },
                  { head: "Made", right: true, cell: ({ created_at }) => <Time at={created_at} /> },
                ]}
              />
            </Card>
          )}
          {(endpoints.more !== null || models.more !== null) && (
            <p className="text-soft">
              The figures are of the first hundred.{" "}
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
