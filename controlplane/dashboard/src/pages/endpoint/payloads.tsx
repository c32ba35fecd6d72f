import { useState, type FormEvent } from "react";
import type { Schemas } from "../../api/client";
import { useAct, useApi, useCan, useGet, useList } from "../../api/hooks";
import { Badge, Button, Card, Code, Empty, Fact, Facts, Loaded, Problem, Time } from "../../ui/basics";
import { Chart } from "../../ui/chart";
import { Confirm, Dialog } from "../../ui/dialog";
import { bytes, count, percent, plural } from "../../ui/format";
import { Check, TextArea, TextField } from "../../ui/form";
import { Table } from "../../ui/table";
import { useEndpoint, type Endpoint } from "./layout";

type Log = Schemas["PayloadLogShown"];
type Settings = Schemas["Settings"];
type Treated = "logged" | "hash" | "redact";
type Asks = "settings" | "off" | "delete" | null;

/** A form for each column; beyond it names are typed. */
const MOST_COLUMNS = 100;

export default function Payloads() {
  const endpoint = useEndpoint();
  const can = useCan();
  const at = `/v1/endpoints/${endpoint.name}/payload-log`;
  const log = useGet<Log>(at, 15_000);
  const [asks, setAsks] = useState<Asks>(null);
  const editable = can("endpoints:write");
  return (
    <div className="grid gap-5">
      <Loaded of={log}>
        {(found) => (
          <>
            {found.settings === null ? (
              <Card flush>
                <Empty
                  icon="drift"
                  title="Requests are not logged"
                  command={`kubeserve payloads on ${endpoint.name} --sample 0.1`}
                  action={
                    editable ? (
                      <Button look="main" onClick={() => setAsks("settings")}>
                        Log requests
                      </Button>
                    ) : undefined
                  }
                >
                  A share of the requests and answers becomes Parquet files in your bucket, without the columns that you leave
                  out. Drift is measured by them. Logging never makes an answer wait.
                </Empty>
              </Card>
            ) : (
              <Card
                title="What is logged"
                action={
                  editable && (
                    <span className="flex flex-wrap gap-2">
                      <Button onClick={() => setAsks("settings")}>Change</Button>
                      <Button look="danger" onClick={() => setAsks("off")}>
                        Stop logging
                      </Button>
                    </span>
                  )
                }
              >
                <Said settings={found.settings} />
              </Card>
            )}
            {found.days.length > 0 && <Days days={found.days} />}
            {asks === "settings" && <Change at={at} endpoint={endpoint} settings={found.settings} onClose={() => setAsks(null)} />}
          </>
        )}
      </Loaded>
      {can("payloads:read") ? (
        <Files endpoint={endpoint.name} onDelete={editable ? () => setAsks("delete") : null} />
      ) : (
        <p className="text-soft">What callers sent is shown to those alone who have the scope payloads:read.</p>
      )}
      {asks === "off" && <Off at={at} onClose={() => setAsks(null)} />}
      {asks === "delete" && <Delete endpoint={endpoint.name} onClose={() => setAsks(null)} />}
    </div>
  );
}

function Said({ settings }: { settings: Settings }) {
  const names = (some: string[]) =>
    some.length === 0 ? (
      "none"
    ) : (
      <span className="flex flex-wrap gap-1">
        {some.slice(0, 12).map((one) => (
          <Badge key={one}>{one}</Badge>
        ))}
        {some.length > 12 && <Badge>+{some.length - 12}</Badge>}
      </span>
    );
  return (
    <Facts>
      <Fact name="Share of requests">{percent(settings.sample, settings.sample < 0.01 ? 2 : 0)}</Fact>
      <Fact name="Answers">{settings.predictions ? "logged too" : "not logged"}</Fact>
      <Fact name="Columns never logged">{names(settings.redact)}</Fact>
      <Fact name="Columns logged as a hash">{names(settings.hash)}</Fact>
      <Fact name="Kept for">{plural(settings.retention_days, "day")}</Fact>
      <Fact name="A day, at most">{bytes(settings.max_bytes_per_day)}</Fact>
    </Facts>
  );
}

const DROPPED: Record<keyof Schemas["Dropped"], string> = {
  buffer_full: "the store took nothing for a while",
  too_large: "larger than 1 MiB, or of very many texts",
  lost: "in the memory of a replica that was killed",
  over_limit: "beyond the day's bytes, or the tenant's storage",
};

function Days({ days }: { days: Log["days"] }) {
  const ordered = [...days].sort((a, b) => a.day.localeCompare(b.day));
  const sum = (of: (day: Log["days"][number]) => number) => days.reduce((all, day) => all + of(day), 0);
  const dropped = (Object.keys(DROPPED) as (keyof Schemas["Dropped"])[])
    .map((why) => ({ why, many: sum(({ dropped: some }) => some[why]) }))
    .filter(({ many }) => many > 0);
  const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
  return (
    <Card title="By day">
      <Chart
        title="Requests"
        kind="bars"
        x={(at) => day.format(at)}
        names={{ sampled: "Chosen", logged: "In files" }}
        format={count}
        series={{
          at: ordered.map((one) => Date.parse(`${one.day}T00:00:00Z`)),
          values: { sampled: ordered.map(({ sampled }) => sampled), logged: ordered.map(({ logged }) => logged) },
        }}
      />
      <p className="mt-3 text-soft">
        {count(sum(({ seen }) => seen))} seen, {count(sum(({ sampled }) => sampled))} chosen, {count(sum(({ logged }) => logged))} in
        files of {bytes(sum(({ size_bytes }) => size_bytes))}.
      </p>
      {dropped.length > 0 && (
        <ul className="mt-1 list-disc pl-5 text-warn">
          {dropped.map(({ why, many }) => (
            <li key={why}>
              {plural(many, "request")} dropped: {DROPPED[why]}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Files({ endpoint, onDelete }: { endpoint: string; onDelete: (() => void) | null }) {
  const api = useApi();
  const files = useList<Schemas["PayloadFile"]>(`/v1/endpoints/${endpoint}/payloads?limit=50`, 15_000);
  return (
    <Card
      flush
      title="Files"
      action={
        onDelete !== null &&
        files.items.length > 0 && (
          <Button look="danger" onClick={onDelete}>
            Delete
          </Button>
        )
      }
    >
      <Loaded of={files}>
        {() =>
          files.items.length === 0 ? (
            <p className="p-4 text-soft">There is no file yet. One is written every minute or so while requests are logged.</p>
          ) : (
            <>
              <Table
                label="Files of logged requests"
                rows={files.items}
                rowKey={({ id }) => id}
                more={files.more}
                columns={[
                  {
                    head: "Requests of",
                    cell: (one) => (
                      <>
                        <Time at={one.first_at} />
                        <span className="block text-xs font-normal text-soft">
                          {one.model}:{one.version}
                        </span>
                      </>
                    ),
                  },
                  { head: "Requests", right: true, cell: ({ requests }) => count(requests) },
                  { head: "Rows", right: true, from: "sm", cell: ({ rows }) => count(rows) },
                  { head: "Size", right: true, from: "sm", cell: ({ size_bytes }) => bytes(size_bytes) },
                  { head: "Expires", right: true, from: "md", cell: ({ expires_at }) => <Time at={expires_at} /> },
                  {
                    head: "Parquet",
                    right: true,
                    cell: (one) => (
                      <a href={api.href(`/v1/endpoints/${endpoint}/payloads/${one.id}`)} download className="rounded text-main underline">
                        Download<span className="sr-only"> the file of {one.first_at}</span>
                      </a>
                    ),
                  },
                ]}
              />
              <div className="border-t border-line p-4">
                <p className="mb-2 text-soft">Every download is in the audit log. All of them at once; a folder has files of the same columns:</p>
                <Code label="All files from the command line">{`kubeserve payloads get ${endpoint} --out payloads\npython -c "import glob, pandas; print(pandas.concat(map(pandas.read_parquet, glob.glob('payloads/${endpoint}/*'))))"`}</Code>
              </div>
            </>
          )
        }
      </Loaded>
    </Card>
  );
}

function Change({ at, endpoint, settings, onClose }: { at: string; endpoint: Endpoint; settings: Settings | null; onClose: () => void }) {
  const served = endpoint.revisions.find(({ percent: share }) => share > 0) ?? endpoint.revisions[0];
  const version = useGet<Schemas["Version"]>(served === undefined ? null : `/v1/models/${served.model}/versions/${served.version}`);
  const columns = version.data?.signature?.columns.map(({ name }) => name) ?? [];
  const [share, setShare] = useState(String((settings?.sample ?? 0.1) * 100));
  const [treated, setTreated] = useState<Record<string, Treated>>(() => ({
    ...Object.fromEntries((settings?.hash ?? []).map((name): [string, Treated] => [name, "hash"])),
    ...Object.fromEntries((settings?.redact ?? []).map((name): [string, Treated] => [name, "redact"])),
  }));
  const [predictions, setPredictions] = useState(settings?.predictions ?? true);
  const [days, setDays] = useState(String(settings?.retention_days ?? 30));
  const [megabytes, setMegabytes] = useState(String(Math.round((settings?.max_bytes_per_day ?? 1 << 30) / (1 << 20))));
  const of = (how: Treated) => Object.keys(treated).filter((name) => treated[name] === how);
  const put = useAct(
    (api) =>
      api.put<Log>(at, {
        sample: Number(share) / 100,
        redact: of("redact"),
        hash: of("hash"),
        predictions,
        retention_days: Number(days),
        max_bytes_per_day: Number(megabytes) * (1 << 20),
      }),
    { touches: ["/v1/endpoints"], says: "New replicas log like this.", quiet: true, then: onClose },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    put.mutate();
  };
  const typed = (how: Treated) => ({
    value: of(how).join("\n"),
    onChange: ({ target }: { target: HTMLTextAreaElement }) =>
      setTreated({
        ...Object.fromEntries(Object.entries(treated).filter(([, one]) => one !== how)),
        ...Object.fromEntries(target.value.split("\n").filter((name) => name !== "").map((name): [string, Treated] => [name, how])),
      }),
  });
  return (
    <Dialog title={`Log requests of ${endpoint.name}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField
          label="Share of requests, %"
          type="number"
          min={0.0001}
          max={100}
          step="any"
          required
          hint="Chosen by chance. Drift is told from about a thousand rows on."
          value={share}
          onChange={({ target }) => setShare(target.value)}
        />
        {columns.length > 0 && columns.length <= MOST_COLUMNS ? (
          <fieldset>
            <legend className="mb-1 font-medium">Columns</legend>
            <p className="mb-2 text-xs text-soft">A hash is alike for like values, and cannot be turned back.</p>
            <div className="grid max-h-60 gap-1 overflow-y-auto rounded-md border border-line p-2">
              {columns.map((name) => (
                <label key={name} className="flex items-center justify-between gap-2">
                  <span className="min-w-0 truncate">{name}</span>
                  <select
                    value={treated[name] ?? "logged"}
                    onChange={({ target }) => setTreated({ ...treated, [name]: target.value as Treated })}
                    className="h-7 rounded border border-edge bg-card px-1"
                  >
                    <option value="logged">logged</option>
                    <option value="hash">as a hash</option>
                    <option value="redact">never</option>
                  </select>
                </label>
              ))}
            </div>
          </fieldset>
        ) : (
          <>
            <TextArea label="Columns never logged" rows={3} hint="One a line." {...typed("redact")} />
            <TextArea label="Columns logged as a hash" rows={3} hint="One a line; alike for like values." {...typed("hash")} />
          </>
        )}
        <Check label="Log what was answered too" checked={predictions} onChange={({ target }) => setPredictions(target.checked)} />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField label="Kept for, days" type="number" min={1} max={3650} required value={days} onChange={({ target }) => setDays(target.value)} />
          <TextField label="A day at most, MiB" type="number" min={1} required value={megabytes} onChange={({ target }) => setMegabytes(target.value)} />
        </div>
        {put.error !== null && <Problem problem={put.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={put.isPending}>
            Log requests
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Off({ at, onClose }: { at: string; onClose: () => void }) {
  const off = useAct((api) => api.delete(at), { touches: ["/v1/endpoints"], says: "Nothing is logged any more.", quiet: true, then: onClose });
  return (
    <Confirm title="Stop logging requests?" action="Stop logging" busy={off.isPending} problem={off.error} onConfirm={() => off.mutate()} onClose={onClose}>
      Files that are there stay until they expire.
    </Confirm>
  );
}

function Delete({ endpoint, onClose }: { endpoint: string; onClose: () => void }) {
  const [before, setBefore] = useState("");
  const remove = useAct(
    async (api) => {
      const asked = before === "" ? "" : `?before=${encodeURIComponent(new Date(before).toISOString())}`;
      const answer = await api.send("DELETE", `/v1/endpoints/${endpoint}/payloads${asked}`);
      return (await answer.json()) as Schemas["Deleted"];
    },
    { touches: ["/v1/endpoints"], says: ({ files }) => `${plural(files, "file")} deleted.`, quiet: true, then: onClose },
  );
  return (
    <Confirm title="Delete logged requests?" action="Delete the files" typed={endpoint} busy={remove.isPending} problem={remove.error} onConfirm={() => remove.mutate()} onClose={onClose}>
      <div className="grid gap-4">
        <p>Files are deleted for good, also from the bucket. What drift was measured from stays.</p>
        <TextField label="Requests before" type="datetime-local" hint="Left empty: all of them." value={before} onChange={({ target }) => setBefore(target.value)} />
      </div>
    </Confirm>
  );
}
