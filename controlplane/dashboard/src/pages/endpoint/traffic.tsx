import { useState, type FormEvent } from "react";
import type { Schemas } from "../../api/client";
import { useAct, useCan, useList } from "../../api/hooks";
import { Button, Card, Code, Loaded, Problem } from "../../ui/basics";
import { SelectField, TextField } from "../../ui/form";
import { NAME } from "../../parts/names";
import { Rollouts } from "../../parts/rollouts";
import { useEndpoint, type Endpoint } from "./layout";

/** Who gets how much: by hand, or in steps that are judged. */
export default function Traffic() {
  const endpoint = useEndpoint();
  return (
    <div className="grid gap-5">
      {/* A release from elsewhere makes the form anew: it shows what is. */}
      <Shares key={endpoint.release} endpoint={endpoint} />
      <Rollouts endpoint={endpoint} />
    </div>
  );
}

interface Line {
  revision: string | null; // null: of the version that is added
  label: string;
  version: number;
  percent: string;
  tag: string;
}

function Shares({ endpoint }: { endpoint: Endpoint }) {
  const can = useCan();
  const editable = can("endpoints:write");
  const start = endpoint.revisions.map((one) => ({
    revision: one.name,
    label: `${one.model}:${one.version}`,
    version: one.version,
    percent: String(one.percent),
    tag: one.tag ?? "",
  }));
  const [lines, setLines] = useState<Line[]>(start);
  const versions = useList<Schemas["Version"]>(
    endpoint.model === null ? null : `/v1/models/${endpoint.model}/versions?limit=50`,
  );
  const others = versions.items.filter(
    ({ state, number }) => state === "ready" && !lines.some(({ version }) => version === number),
  );
  const sum = lines.reduce((all, { percent }) => all + (Number(percent) || 0), 0);
  const added = lines.find(({ revision }) => revision === null);
  const changed = JSON.stringify(lines) !== JSON.stringify(start);
  const badTag = lines.some(({ tag }) => tag !== "" && !NAME.test(tag));
  const save = useAct<void>(
    (api) =>
      api.post(
        `/v1/endpoints/${endpoint.name}/releases`,
        {
          ...(added === undefined ? {} : { model: endpoint.model, version: added.version }),
          traffic: lines.map(({ revision, version, percent, tag }) => ({
            ...(revision === null ? { version } : { revision }),
            percent: Number(percent),
            ...(tag === "" ? {} : { tag }),
          })),
        },
        // Whoever moved traffic meanwhile is not overruled: the API refuses, and the form shows why.
        { headers: etagOf(api.etag(`/v1/endpoints/${endpoint.name}`)) },
      ),
    { touches: ["/v1/endpoints"], quiet: true, says: "The traffic is moved" },
  );
  const change = (at: number, part: Partial<Line>) =>
    setLines(lines.map((line, index) => (index === at ? { ...line, ...part } : line)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Card title="Traffic by revision">
      <form onSubmit={submit} className="grid gap-4">
        <ul className="grid gap-4">
          {lines.map((line, at) => (
            <li
              key={line.revision ?? `new-${line.version}`}
              className="grid grid-cols-[5.500rem_minmax(0,1fr)] items-start gap-3 sm:grid-cols-[minmax(0,1fr)_7rem_12rem_auto]"
            >
              <div className="col-span-2 sm:col-span-1 sm:pt-6">
                <p className="font-medium wrap-anywhere">{line.label}</p>
                <p className="text-xs text-soft">{line.revision ?? "gets a revision of its own"}</p>
              </div>
              <TextField
                label={<Of what="Percent" of={line.label} />}
                type="number" min={0} max={100} step={1}
                required
                disabled={!editable}
                value={line.percent}
                onChange={(event) => change(at, { percent: event.target.value })}
              />
              <TextField
                label={<Of what="Tag" of={line.label} />}
                placeholder="none"
                disabled={!editable}
                value={line.tag}
                onChange={(event) => change(at, { tag: event.target.value })}
                hint="An address of its own"
                error={line.tag !== "" && !NAME.test(line.tag) ? "Lower-case letters, digits, dashes" : undefined}
              />
              {editable && lines.length > 1 && (
                <div className="sm:pt-6">
                  <Button look="quiet" onClick={() => setLines(lines.filter((_, index) => index !== at))}>
                    Take out<span className="sr-only"> {line.label}</span>
                  </Button>
                </div>
              )}
            </li>
          ))}
        </ul>
        <div aria-hidden="true" className="flex h-2 overflow-hidden rounded-full bg-sunk">
          {lines.map((line, at) => (
            <div
              key={line.revision ?? "new"}
              style={{ width: `${Math.min(100, Number(line.percent) || 0)}%`, background: `var(--series-${(at % 4) + 1})` }}
            />
          ))}
        </div>
        {editable && (
          <div className="flex flex-wrap items-end justify-between gap-3">
            {added === undefined && others.length > 0 ? (
              <div className="w-full sm:w-56">
                <SelectField
                  label="Add a version"
                  value=""
                  onChange={(event) => {
                    const version = Number(event.target.value);
                    setLines([...lines, { revision: null, label: `${endpoint.model}:${version}`, version, percent: "0", tag: "candidate" }]);
                  }}
                >
                  <option value="">Choose…</option>
                  {others.map(({ number }) => (
                    <option key={number} value={number}>
                      version {number}
                    </option>
                  ))}
                </SelectField>
              </div>
            ) : (
              <span />
            )}
            <div className="flex flex-wrap items-center gap-3">
              <span role="status" className={sum === 100 ? "text-soft" : "text-bad"}>
                {sum === 100 ? "100 %" : `${sum} %: it has to be 100`}
              </span>
              <Button disabled={!changed} onClick={() => setLines(start)}>
                Reset
              </Button>
              <Button look="main" type="submit" busy={save.isPending} disabled={!changed || sum !== 100 || badTag}>
                Move the traffic
              </Button>
            </div>
          </div>
        )}
        {save.error !== null && <Problem problem={save.error} />}
      </form>
      <Loaded of={versions} lines={1}>
        {() => (
          <div className="mt-4">
            <Code label="Command line">
              {`kubeserve traffic ${endpoint.name} ${lines.map((line) => `${line.version}=${line.percent}`).join(" ")}`}
            </Code>
          </div>
        )}
      </Loaded>
    </Card>
  );
}

function Of({ what, of }: { what: string; of: string }) {
  return (
    <>
      {what}
      <span className="sr-only"> of {of}</span>
    </>
  );
}

function etagOf(etag: string | undefined): Record<string, string> {
  return etag === undefined ? {} : { "if-match": etag };
}
