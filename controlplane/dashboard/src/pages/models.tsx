import { Link } from "react-router";
import type { Schemas } from "../api/client";
import { useCan, useList, usePath } from "../api/hooks";
import { VersionStatus } from "../parts/states";
import { Badge, ButtonLink, Card, DocumentTitle, Empty, Loaded, PageHead, Time } from "../ui/basics";
import { count } from "../ui/format";
import { Table } from "../ui/table";

export default function Models() {
  const path = usePath();
  const can = useCan();
  const models = useList<Schemas["Model"]>("/v1/models?limit=50", 5000);
  const upload = can("models:write") && (
    <ButtonLink to={path("upload")} look="main" icon="upload">
      Upload
    </ButtonLink>
  );
  return (
    <>
      <DocumentTitle>Models</DocumentTitle>
      <PageHead title="Models" says="Each upload is an immutable version; aliases name the ones that matter.">
        {upload}
      </PageHead>
      <Loaded of={models}>
        {() => (
          <Card flush>
            {models.items.length === 0 ? (
              <Empty
                icon="model"
                title="No model yet"
                action={upload || undefined}
                command={"kubeserve push model.joblib --name my-model"}
              >
                Upload what joblib or pickle wrote. It is read in a locked sandbox, compiled to a plan, and
                checked against scikit-learn.
              </Empty>
            ) : (
              <Table
                label="Models"
                rows={models.items}
                rowKey={({ name }) => name}
                more={models.more}
                columns={[
                  {
                    head: "Name",
                    cell: ({ name, description }) => (
                      <>
                        <Link to={path("models", name)} className="hover:text-main hover:underline">
                          {name}
                        </Link>
                        {description !== "" && (
                          <span className="block max-w-80 truncate text-xs font-normal text-soft">{description}</span>
                        )}
                      </>
                    ),
                  },
                  {
                    head: "Newest version",
                    cell: ({ latest_state }) =>
                      latest_state === null ? <Badge>None yet</Badge> : <VersionStatus state={latest_state} />,
                  },
                  { head: "Versions", right: true, cell: ({ versions }) => count(versions) },
                  {
                    head: "Aliases",
                    from: "md",
                    cell: ({ aliases }) => (
                      <span className="flex flex-wrap gap-1">
                        {Object.entries(aliases).map(([alias, version]) => (
                          <Badge key={alias} tone="main">
                            {alias} → {version}
                          </Badge>
                        ))}
                      </span>
                    ),
                  },
                  { head: "Made", right: true, from: "sm", cell: ({ created_at }) => <Time at={created_at} /> },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
    </>
  );
}
