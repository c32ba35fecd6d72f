import { useParams } from "react-router";
import type { Schemas } from "../api/client";
import { useGet, usePath } from "../api/hooks";
import { DeployButton } from "../parts/deploy";
import { VersionStatus } from "../parts/states";
import { Built, SignatureCard, VersionFacts } from "../parts/version";
import { Badge, Card, Copy, DocumentTitle, Fact, Facts, Loaded, PageHead, Time } from "../ui/basics";
import { seconds } from "../ui/format";

type Version = Schemas["Version"];

export default function VersionPage() {
  const { model = "", version: number = "" } = useParams();
  const path = usePath();
  const asked = useGet<Version>(`/v1/models/${model}/versions/${number}`, (data) =>
    data === undefined || data.state === "uploaded" || data.state === "building" ? 1000 : false,
  );
  return (
    <>
      <DocumentTitle>{`${model} version ${number}`}</DocumentTitle>
      <PageHead
        back={{ to: path("models", model), label: model }}
        title={
          <>
            Version {number}
            {asked.data !== undefined && <VersionStatus state={asked.data.state} />}
            {asked.data?.aliases.map((alias) => (
              <Badge key={alias} tone="main">
                {alias}
              </Badge>
            ))}
          </>
        }
      >
        {asked.data?.state === "ready" && <DeployButton version={asked.data} />}
      </PageHead>
      <Loaded of={asked} lines={8}>
        {(version) => (
          <div className="grid gap-5">
            <Card title="Build">
              {version.state === "ready" || version.state === "failed" ? (
                <div className="grid gap-5">
                  <Built version={version} />
                  {version.state === "ready" && <VersionFacts version={version} />}
                </div>
              ) : (
                <p role="status" className="text-soft">
                  {version.reason ??
                    (version.state === "uploaded"
                      ? "Waiting for a builder."
                      : "Being loaded in a locked sandbox, compiled and compared. This page follows it.")}
                </p>
              )}
            </Card>
            {version.signature !== null && <SignatureCard signature={version.signature} />}
            <div className="grid items-start gap-5 lg:grid-cols-2">
              <Loads version={version} />
              <Phases version={version} />
            </div>
            <Card title="File">
              <Facts>
                <Fact name="Uploaded">
                  <Time at={version.created_at} />
                </Fact>
                <Fact name="By">{version.created_by_name ?? version.created_by}</Fact>
                <Fact name="Ready">
                  <Time at={version.ready_at} />
                </Fact>
                <Fact name="Packages of its own">{version.packages.join(", ") || "none"}</Fact>
              </Facts>
              <dl className="mt-4 grid gap-3">
                <Digest name="SHA-256 of the file" digest={version.sha256} />
                {version.plan_sha256 !== null && <Digest name="SHA-256 of the plan" digest={version.plan_sha256} />}
              </dl>
            </Card>
          </div>
        )}
      </Loaded>
    </>
  );
}

function Digest({ name, digest }: { name: string; digest: string }) {
  return (
    <div>
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="flex items-center gap-1">
        <code className="min-w-0 text-xs wrap-anywhere">{digest}</code>
        <Copy text={digest} label={`Copy: ${name}`} />
      </dd>
    </div>
  );
}

/** The names that the pickle asks for, found without loading it. */
function Loads({ version }: { version: Version }) {
  return (
    <Card title="What the file loads">
      {version.imports === null ? (
        <p className="text-soft">Not looked at yet.</p>
      ) : version.imports.length === 0 ? (
        <p className="text-soft">Nothing but data.</p>
      ) : (
        <>
          <p className="mb-2 text-soft">
            Read from the pickle without running it. It was loaded once, to be built, in a process that has{" "}
            {version.sandbox === null || version.sandbox.length === 0 ? "its own limits" : version.sandbox.join(", ")}.
          </p>
          <ul className="max-h-64 overflow-y-auto" tabIndex={0} aria-label="Names that the pickle asks for">
            {version.imports.map((name) => (
              <li key={name} className="border-t border-line py-1 first:border-0">
                <code className="text-xs wrap-anywhere">{name}</code>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  );
}

const ORDER = ["prepare", "inspect", "load", "compile", "lower", "verify"];
const place = (phase: string) =>
  phase === "total" ? ORDER.length + 1 : ORDER.includes(phase) ? ORDER.indexOf(phase) : ORDER.length;

function Phases({ version }: { version: Version }) {
  const took = version.build_seconds ?? {};
  const phases = Object.entries(took).sort(([a], [b]) => place(a) - place(b));
  const most = Math.max(...phases.map(([, one]) => one), 0.001);
  return (
    <Card title="How long the build took">
      {phases.length === 0 ? (
        <p className="text-soft">It has not ended.</p>
      ) : (
        <dl className="grid gap-2">
          {phases.map(([phase, one]) => (
            <div key={phase} className="grid grid-cols-[7rem_1fr_4.500rem] items-center gap-3">
              <dt className="truncate text-soft">{phase}</dt>
              <dd aria-hidden="true" className="h-2 rounded-full bg-sunk">
                <div className="h-2 rounded-full bg-main" style={{ width: `${(one / most) * 100}%` }} />
              </dd>
              <dd className="text-right">{seconds(one)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}
