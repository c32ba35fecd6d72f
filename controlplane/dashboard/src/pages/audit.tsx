import { useState, type FormEvent } from "react";
import { useSearchParams } from "react-router";
import type { AuditEvent } from "../api/documents";
import { useApi, useList } from "../api/hooks";
import { Badge, Button, Card, DocumentTitle, Empty, Loaded, PageHead, Time } from "../ui/basics";
import { exact } from "../ui/format";
import { TextField } from "../ui/form";
import { Table } from "../ui/table";

const FILTERS = ["action", "subject", "target", "since", "until"] as const;
type Filters = Partial<Record<(typeof FILTERS)[number], string>>;

/** Who changed what: the filters are in the address, so that a search can be passed on. */
export default function Audit() {
  const api = useApi();
  const [query, setQuery] = useSearchParams();
  const wanted: Filters = Object.fromEntries(FILTERS.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])));
  const asked = new URLSearchParams(
    Object.entries(wanted).map(([name, value]) => [name, name === "since" || name === "until" ? zoned(value) : value]),
  ).toString();
  const events = useList<AuditEvent>(`/v1/audit?limit=50${asked === "" ? "" : `&${asked}`}`);
  return (
    <>
      <DocumentTitle>Audit log</DocumentTitle>
      <PageHead title="Audit log" says="Who changed what, when and from where. Nobody can change it.">
        <a
          href={api.href(`/v1/audit?format=ndjson${asked === "" ? "" : `&${asked}`}`)}
          download="audit.ndjson"
          className="inline-flex min-h-8 items-center rounded-md border border-edge bg-card px-3 py-1 font-medium hover:bg-sunk"
        >
          Export all of it<span className="sr-only"> as lines of JSON</span>
        </a>
        <Button onClick={() => void events.refetch()} busy={events.isRefetching}>
          Refresh
        </Button>
      </PageHead>
      <Search key={asked} wanted={wanted} search={(next) => setQuery(next as Record<string, string>)} />
      <Loaded of={events} lines={8}>
        {() => (
          <Card flush>
            {events.items.length === 0 ? (
              <Empty icon="audit" title={asked === "" ? "Nothing was changed yet" : "Nothing like that happened"} command="kubeserve audit --action endpoint. --since 2026-01-31">
                An action is one, such as endpoint.delete, or all of a kind with a dot behind it: endpoint.
              </Empty>
            ) : (
              <Table
                label="Events"
                rows={events.items}
                rowKey={({ id }) => id}
                more={events.more}
                columns={[
                  {
                    head: "Event",
                    cell: (one) => (
                      <details>
                        <summary className="rounded">
                          <code>{one.action}</code>
                          <span className="block pl-4 text-xs font-normal text-soft sm:hidden">
                            <Time at={one.at} />
                          </span>
                        </summary>
                        <dl className="mt-2 grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 text-xs font-normal">
                          {details(one).map(([name, value]) => (
                            <div key={name} className="contents">
                              <dt className="text-soft">{name}</dt>
                              <dd className="wrap-anywhere">{value}</dd>
                            </div>
                          ))}
                        </dl>
                      </details>
                    ),
                  },
                  { head: "Of what", from: "sm", cell: (one) => <code className="text-xs wrap-anywhere">{one.target}</code> },
                  {
                    head: "By",
                    cell: (one) => (
                      <button
                        type="button"
                        title={`All by ${one.subject}`}
                        className="block max-w-32 truncate rounded text-left hover:text-main hover:underline sm:max-w-56"
                        onClick={() => setQuery({ ...wanted, subject: one.subject } as Record<string, string>)}
                      >
                        {one.subject_name ?? one.subject}
                      </button>
                    ),
                  },
                  { head: "From", from: "lg", cell: ({ address }) => address && <Badge>{address}</Badge> },
                  { head: "When", right: true, from: "sm", cell: (one) => <Time at={one.at} /> },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
    </>
  );
}

function Search({ wanted, search }: { wanted: Filters; search: (filters: Filters) => void }) {
  const [now, setNow] = useState<Filters>(wanted);
  const field = (name: (typeof FILTERS)[number]) => ({
    value: now[name] ?? "",
    onChange: ({ target }: { target: HTMLInputElement }) => setNow({ ...now, [name]: target.value }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    search(Object.fromEntries(Object.entries(now).filter(([, value]) => value.trim() !== "")));
  };
  return (
    <form role="search" aria-label="Events" onSubmit={submit} className="mb-4 grid grid-cols-2 items-end gap-3 lg:grid-cols-[1fr_1fr_1fr_auto_auto_auto]">
      <TextField label="Action" placeholder="endpoint." {...field("action")} />
      <TextField label="Of what" placeholder="endpoint:iris" {...field("target")} />
      <TextField label="By" placeholder="user:… or client:…" {...field("subject")} />
      <TextField label="From" type="datetime-local" {...field("since")} />
      <TextField label="Until" type="datetime-local" {...field("until")} />
      <div className="flex gap-2">
        <Button look="main" type="submit" icon="search">
          Search
        </Button>
        {Object.keys(wanted).length > 0 && (
          <Button look="quiet" onClick={() => search({})}>
            Clear
          </Button>
        )}
      </div>
    </form>
  );
}

/** What a field of this machine's clock says, with its zone. */
function zoned(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}

function details(one: AuditEvent): [string, string][] {
  return [
    ["at", exact(one.at)],
    ["of what", one.target],
    ["subject", one.subject],
    ["with", one.client],
    ["from", one.address],
    ["request", one.request_id],
    ...Object.entries(one.detail).map(([name, value]): [string, string] => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  ];
}
