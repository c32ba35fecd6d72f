import { useState, type FormEvent, type ReactNode } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { useAct, useCan, useGet, usePath } from "../../api/hooks";
import { Words } from "../../parts/why";
import { Bar } from "../../ui/bar";
import { Button, Card, Empty, Loaded, Problem, Status, Time, type Tone } from "../../ui/basics";
import { Dialog } from "../../ui/dialog";
import { count, percent } from "../../ui/format";
import { SelectField, TextField } from "../../ui/form";
import { Table } from "../../ui/table";
import { useEndpoint } from "./layout";

type Drift = Schemas["Drift"];
type Column = Schemas["DriftColumn"];

const LEVELS: Record<Column["level"], { tone: Tone; says: string }> = {
  inconclusive: { tone: "plain", says: "Inconclusive" },
  stable: { tone: "good", says: "Stable" },
  moderate: { tone: "warn", says: "Moderate" },
  major: { tone: "bad", says: "Major" },
};
const KINDS: Record<Column["reference"], string> = {
  training: "training data",
  window: "a window that was chosen",
  first: "the first rows that were logged",
};

export default function DriftPage() {
  const endpoint = useEndpoint();
  const can = useCan();
  const path = usePath();
  const [hours, setHours] = useState(24);
  const [choosing, setChoosing] = useState(false);
  const at = `/v1/endpoints/${endpoint.name}/drift`;
  const drift = useGet<Drift>(`${at}?hours=${hours}`, 15_000);
  const forget = useAct((api) => api.delete(`${at}/reference`), {
    touches: [at],
    says: "Measured against training data again, or the first rows.",
  });
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap items-end gap-3">
        <div className="w-48">
          <SelectField label="Requests of the last" value={hours} onChange={({ target }) => setHours(Number(target.value))}>
            <option value={1}>hour</option>
            <option value={24}>24 hours</option>
            <option value={168}>7 days</option>
            <option value={720}>30 days</option>
          </SelectField>
        </div>
        {can("endpoints:write") && <Button onClick={() => setChoosing(true)}>Compare with a window</Button>}
        {can("endpoints:write") && drift.data?.references.some(({ kind }) => kind === "window") && (
          <Button busy={forget.isPending} onClick={() => forget.mutate()}>
            Forget the window
          </Button>
        )}
      </div>
      <Loaded of={drift} lines={6}>
        {(found) =>
          !found.logged && found.columns.length === 0 ? (
            <Card flush>
              <Empty
                icon="drift"
                title="Drift is measured by logged requests"
                command={`kubeserve payloads on ${endpoint.name} --sample 0.1`}
                action={
                  <Link to={path("endpoints", endpoint.name, "payloads")} className="text-main underline">
                    Go to logged requests
                  </Link>
                }
              >
                Once requests are logged, each column is compared with training data, or with a reference window.
              </Empty>
            </Card>
          ) : (
            <Measured drift={found} />
          )
        }
      </Loaded>
      {choosing && <Choose at={at} onClose={() => setChoosing(false)} />}
    </div>
  );
}

function Measured({ drift }: { drift: Drift }) {
  const open = drift.columns.some(({ level }) => level === "inconclusive");
  return (
    <>
      <Card>
        <p className="flex flex-wrap items-center gap-3">
          <Level level={drift.level} />
          <span className="font-medium wrap-anywhere">
            <Words>{drift.message}</Words>
          </span>
        </p>
        <p className="mt-1 text-soft">
          {drift.model}:{drift.version}, {count(drift.rows)} rows from <Time at={drift.since} /> to <Time at={drift.until} />. Compared with{" "}
          {drift.references.length === 0
            ? "nothing yet"
            : drift.references.map(
                (one, index): ReactNode => (
                  <span key={one.kind}>
                    {index > 0 && ", "}
                    {KINDS[one.kind]} ({one.ready ? `${count(one.rows)} rows` : "being made"})
                  </span>
                ),
              )}
          .
        </p>
      </Card>
      {drift.columns.length > 0 && (
        <Card flush title="Columns">
          <Table
            label="Drift by column"
            rows={drift.columns}
            rowKey={({ role, name }) => `${role} ${name}`}
            columns={[
              {
                head: "Column",
                cell: (one) => (
                  <details>
                    <summary className="rounded wrap-anywhere">
                      {one.name} {one.role === "output" && <span className="text-xs font-normal text-soft">answer</span>}
                    </summary>
                    <Detail column={one} />
                  </details>
                ),
              },
              { head: "Level", cell: ({ level }) => <Level level={level} /> },
              {
                head: "PSI",
                cell: (one) => <Psi column={one} levels={drift.levels} />,
              },
              {
                head: "Missing",
                right: true,
                from: "sm",
                cell: (one) => (
                  <span className={`whitespace-nowrap ${one.missing_level === "major" ? "text-bad" : one.missing_level === "moderate" ? "text-warn" : ""}`}>
                    {percent(one.missing_reference)} → {percent(one.missing)}
                  </span>
                ),
              },
              { head: "Unseen", right: true, from: "md", cell: ({ unseen }) => percent(unseen) },
              { head: "Rows", right: true, from: "md", cell: ({ rows }) => count(rows) },
            ]}
          />
          <div className="grid gap-2 border-t border-line p-4 text-soft">
            <p>
              PSI, the population stability index, is 0 where a column’s values are spread as in its reference; below{" "}
              {drift.levels.moderate} it is stable, from {drift.levels.major} on a major shift. The mark on each bar is what chance
              alone stays below in 95 of 100 cases.
            </p>
            {open && (
              <p>
                <b className="text-ink">Inconclusive:</b> the rows are too few to tell a shift from chance. Log a greater share, or look
                at a longer time.
              </p>
            )}
          </div>
        </Card>
      )}
    </>
  );
}

function Level({ level }: { level: Column["level"] }) {
  const { tone, says } = LEVELS[level];
  return <Status tone={tone}>{says}</Status>;
}

/** The index on a scale to twice the major level, with the levels and the noise as marks. */
function Psi({ column, levels }: { column: Column; levels: Drift["levels"] }) {
  const { psi, noise, level } = column;
  if (psi === null) return <>–</>;
  const most = levels.major * 2;
  const x = (value: number) => Math.min(1, value / most) * 100;
  const fill = { inconclusive: "var(--edge)", stable: "var(--good)", moderate: "var(--warn)", major: "var(--bad)" }[level];
  return (
    <span className="flex items-center gap-2">
      <svg width="100" height="12" aria-hidden="true" className="hidden shrink-0 sm:block">
        <rect x="0" y="4" width="100" height="4" rx="2" fill="var(--line)" />
        <rect x="0" y="4" width={Math.max(1, x(psi))} height="4" rx="2" fill={fill} />
        {[levels.moderate, levels.major].map((one) => (
          <rect key={one} x={x(one)} y="2" width="1" height="8" fill="var(--edge)" />
        ))}
        {noise !== null && <path d={`M${x(noise)},4 l-3,-4 h6 z`} fill="var(--ink)" />}
      </svg>
      {psi < 0.001 ? psi.toFixed(4) : psi.toFixed(3)}
      {noise !== null && <span className="sr-only">, chance alone stays below {noise.toFixed(3)}</span>}
    </span>
  );
}

function Detail({ column }: { column: Column }) {
  return (
    <div className="mt-2 grid gap-2 font-normal">
      <p className="text-xs wrap-anywhere">{column.evidence}</p>
      <p className="text-xs text-soft">
        Against {KINDS[column.reference]}, {count(column.reference_rows)} rows. Missing: {percent(column.missing_reference)} then,{" "}
        {percent(column.missing)} now.
      </p>
      {column.bins.length > 0 && (
        <ul className="grid gap-2" aria-label={`Values of ${column.name} that changed most`}>
          {column.bins.map((bin) => (
            <li key={bin.label} className="text-xs">
              <p className="flex flex-wrap justify-between gap-x-3">
                <code className="wrap-anywhere">{bin.label}</code>
                <span>
                  {percent(bin.reference)} → <b>{percent(bin.current)}</b>
                </span>
              </p>
              <div className="grid gap-0.5">
                <div className="opacity-50">
                  <Bar share={bin.reference} />
                </div>
                <Bar share={bin.current} />
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Choose({ at, onClose }: { at: string; onClose: () => void }) {
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const put = useAct(
    (api) =>
      api.put<Schemas["Reference"]>(`${at}/reference`, {
        since: new Date(since).toISOString(),
        ...(until === "" ? {} : { until: new Date(until).toISOString() }),
      }),
    { touches: [at], says: "The reference is made of that window within a minute or so.", quiet: true, then: onClose },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    put.mutate();
  };
  return (
    <Dialog title="Compare with a window of logged requests" onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <p className="text-soft">A time in which all was well. It takes the place of training data until it is forgotten.</p>
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField label="From" type="datetime-local" required value={since} onChange={({ target }) => setSince(target.value)} />
          <TextField label="Until" type="datetime-local" hint="Left empty: now." value={until} onChange={({ target }) => setUntil(target.value)} />
        </div>
        {put.error !== null && <Problem problem={put.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={put.isPending}>
            Compare with it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
