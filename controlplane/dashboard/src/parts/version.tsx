import type { Schemas } from "../api/client";
import { Badge, Card, Fact, Facts } from "../ui/basics";
import { bytes, ms } from "../ui/format";
import { Icon } from "../ui/icons";
import { Table } from "../ui/table";

type Version = Schemas["Version"];

/** What a build came to: a plan, the fallback and why, or the reason that it failed. */
export function Built({ version }: { version: Version }) {
  if (version.state === "failed") {
    return (
      <div role="alert" className="rounded-lg border border-bad bg-bad-tint p-4">
        <p className="flex items-start gap-2 font-medium text-bad">
          <Icon name="warn" className="mt-0.5" />
          {version.reason ?? "The build failed."}
        </p>
        {version.advice !== null && <p className="mt-1">{version.advice}</p>}
      </div>
    );
  }
  if (version.backend === null) return null;
  const plan = version.backend === "plan";
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <Badge tone={plan ? "good" : "warn"}>{plan ? "Compiled to a plan" : "Served by scikit-learn"}</Badge>
        {version.estimator !== null && <code className="text-xs wrap-anywhere">{version.estimator}</code>}
      </div>
      {plan ? (
        <p className="text-soft">
          It runs on numpy alone: no pickle is loaded where it is served, and it starts in milliseconds.
        </p>
      ) : (
        <p>
          {version.fallback_because ?? "It has no plan."}{" "}
          <span className="text-soft">
            It is served by scikit-learn {version.sklearn_version} itself, in a locked process; answers are the same,
            starts are slower.
          </span>
        </p>
      )}
      {version.advice !== null && <p className="text-soft">{version.advice}</p>}
    </div>
  );
}

const EXACTNESS: Record<string, string> = {
  bitwise: "bit-equal to scikit-learn, alone and in any batch",
  batch: "bit-equal to scikit-learn in the same batch, within 1e-12 in others",
  tolerance: "within 1e-12 of scikit-learn",
};

export function VersionFacts({ version }: { version: Version }) {
  return (
    <Facts>
      <Fact name="scikit-learn">{version.sklearn_version ?? "–"}</Fact>
      <Fact name="Exactness" says={version.exactness === null ? undefined : EXACTNESS[version.exactness]}>
        {version.exactness ?? "–"}
      </Fact>
      <Fact name="Cost of a call" says={version.cost_us === null ? undefined : `and ${ms(version.cost_us.row / 1000)} for each row`}>
        {version.cost_us === null ? "–" : ms(version.cost_us.call / 1000)}
      </Fact>
      <Fact name="File">{bytes(version.size_bytes)}</Fact>
      <Fact name="Plan">{version.plan_size_bytes === null ? "none" : bytes(version.plan_size_bytes)}</Fact>
      <Fact name="Families">{version.families?.join(", ") || "–"}</Fact>
    </Facts>
  );
}

export function SignatureCard({ signature }: { signature: Schemas["Signature"] }) {
  return (
    <Card flush title={`Signature: ${signature.columns.length} columns in, ${signature.outputs.length} outputs`}>
      <div className="max-h-96 overflow-y-auto" tabIndex={0} role="group" aria-label="Columns that it takes, scrollable">
        <Table
          label="Columns that it takes"
          rows={signature.columns}
          rowKey={({ name }) => name}
          columns={[
            { head: "Column", cell: ({ name }) => <code className="wrap-anywhere">{name}</code> },
            { head: "Type", cell: ({ kind }) => kind },
            { head: "Missing values", cell: ({ missing }) => (missing ? "taken" : "refused") },
          ]}
        />
      </div>
      <div className="border-t border-line">
        <Table
          label="Outputs that it gives"
          rows={signature.outputs}
          rowKey={({ name }) => name}
          columns={[
            { head: "Output", cell: ({ name }) => <code>{name}</code> },
            { head: "Type", cell: ({ datatype }) => datatype },
            { head: "Width", right: true, cell: ({ width }) => width ?? 1 },
            {
              head: "Columns",
              from: "md",
              cell: ({ columns }) => <span className="block max-w-md truncate">{columns.join(", ") || "–"}</span>,
            },
          ]}
        />
      </div>
      {!signature.named && (
        <p className="border-t border-line px-4 py-2 text-xs text-soft">
          It was fitted without column names: rows are lists, in this order.
        </p>
      )}
    </Card>
  );
}
