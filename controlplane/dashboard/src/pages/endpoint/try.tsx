import { useState, type FormEvent } from "react";
import { Link } from "react-router";
import type { Schemas } from "../../api/client";
import { problemFrom } from "../../api/client";
import { useAct, useCan, useGet, usePath } from "../../api/hooks";
import { bodyOf, emptyRow, rowOf, type Row } from "../../parts/rows";
import { snippets } from "../../parts/snippets";
import { Badge, Button, Card, Code, Loaded, PageHead, Problem } from "../../ui/basics";
import { Check, SelectField, TextArea, TextField } from "../../ui/form";
import { ms } from "../../ui/format";
import { Table } from "../../ui/table";
import { Tabs } from "../../ui/tabs";
import { useEndpoint, type Endpoint } from "./layout";

type Signature = Schemas["Signature"];
type Tried = Schemas["Tried"];

/** Ask the endpoint something: a form made of the signature, or JSON. */
export default function Try() {
  const endpoint = useEndpoint();
  const tags = endpoint.revisions.filter(({ tag }) => tag !== null);
  const [tag, setTag] = useState("");
  const asked =
    tags.find((one) => one.tag === tag) ??
    endpoint.revisions.reduce<(typeof endpoint.revisions)[number] | undefined>(
      (most, one) => (most === undefined || one.percent > most.percent ? one : most),
      undefined,
    );
  const version = useGet<Schemas["Version"]>(
    asked === undefined ? null : `/v1/models/${asked.model}/versions/${asked.version}`,
  );
  if (asked === undefined) return <PageHead title="Nothing is deployed yet" />;
  return (
    <Loaded of={version}>
      {({ signature, number, model }) =>
        signature === null ? (
          <p className="text-soft">This version tells no signature.</p>
        ) : (
          <Asking
            key={`${model}:${number}`}
            endpoint={endpoint}
            signature={signature}
            tag={tag}
            tags={tags.map((one) => one.tag ?? "")}
            onTag={setTag}
          />
        )
      }
    </Loaded>
  );
}

const MOST_FIELDS = 120;

interface AskingProps {
  endpoint: Endpoint;
  signature: Signature;
  tag: string;
  tags: string[];
  onTag: (tag: string) => void;
}

function Asking({ endpoint, signature, tag, tags, onTag }: AskingProps) {
  const can = useCan();
  const path = usePath();
  const wide = signature.columns.length > MOST_FIELDS;
  const [json, setJson] = useState(wide);
  const [row, setRow] = useState<Row>(() => emptyRow(signature));
  const [text, setText] = useState(() => JSON.stringify(bodyOf(signature, [emptyRow(signature)], null), null, 2));
  const [output, setOutput] = useState(signature.outputs[0]?.name ?? "predict");
  const parsed = json ? parse(text) : { body: bodyOf(signature, [row], output), fault: null };
  const ask = useAct<unknown, Tried>(
    (api, body) =>
      api.post<Tried>(`/v1/endpoints/${endpoint.name}/try`, { body, ...(tag === "" ? {} : { tag }) }),
    { touches: [`/v1/endpoints/${endpoint.name}`], quiet: true },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (parsed.fault === null) ask.mutate(parsed.body);
  };
  const swap = (toJson: boolean) => {
    if (toJson) setText(JSON.stringify(bodyOf(signature, [row], output), null, 2));
    else setRow(rowOf(signature, parse(text).body) ?? row);
    setJson(toJson);
  };
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="grid min-w-0 gap-5">
        <Card title="Request" action={!wide && <JsonSwitch json={json} onSwap={swap} />}>
          <form onSubmit={submit} className="grid gap-4">
            {json ? (
              <TextArea
                label="Body of POST /predict"
                rows={14}
                value={text}
                onChange={(event) => setText(event.target.value)}
                error={parsed.fault ?? undefined}
                hint="Rows as lists or objects; “outputs” names what is asked for."
              />
            ) : (
              <Fields signature={signature} row={row} onChange={setRow} />
            )}
            <div className="flex flex-wrap items-end gap-3">
              {!json && signature.outputs.length > 1 && (
                <div className="w-44">
                  <SelectField label="Output" value={output} onChange={(event) => setOutput(event.target.value)}>
                    {signature.outputs.map(({ name }) => (
                      <option key={name}>{name}</option>
                    ))}
                  </SelectField>
                </div>
              )}
              {tags.length > 0 && (
                <div className="w-44">
                  <SelectField label="Ask" value={tag} onChange={(event) => onTag(event.target.value)}>
                    <option value="">by traffic</option>
                    {tags.map((one) => (
                      <option key={one} value={one}>
                        tag {one}
                      </option>
                    ))}
                  </SelectField>
                </div>
              )}
              <div className="ml-auto">
                <Button look="main" type="submit" icon="play" busy={ask.isPending} disabled={parsed.fault !== null || !can("predict")}>
                  Predict
                </Button>
              </div>
            </div>
            {!can("predict") && <p className="text-soft">Your role may look at endpoints, not ask them for predictions.</p>}
          </form>
        </Card>
        <div aria-live="polite" className="grid gap-5">
          {ask.error !== null && <Problem problem={ask.error} />}
          {ask.data !== undefined && <Answer endpoint={endpoint} tried={ask.data} />}
        </div>
      </div>
      <Card title="From a program">
        {parsed.fault !== null ? (
          <p className="text-soft">Once the JSON is right, the same call stands here.</p>
        ) : (
          <Tabs
          label="Ways to ask"
          tabs={snippets(endpoint, parsed.body, tag).map(({ name, label, code }) => ({
            name,
            label,
            content: <Code label={label}>{code}</Code>,
          }))}
        />
        )}
        <p className="mt-3 text-soft">
          A program needs a credential of its own:{" "}
          <Link to={path("keys")} className="text-main underline">
            make an API key
          </Link>{" "}
          for this endpoint alone. This page asks through the control plane, so that no token is in the browser; a
          program asks the endpoint itself, which is faster.
        </p>
      </Card>
    </div>
  );
}

function JsonSwitch({ json, onSwap }: { json: boolean; onSwap: (json: boolean) => void }) {
  return <Check label="JSON" checked={json} onChange={(event) => onSwap(event.target.checked)} />;
}

function Fields({ signature, row, onChange }: { signature: Signature; row: Row; onChange: (row: Row) => void }) {
  return (
    <div className="grid grid-cols-[repeat(auto-fill,minmax(7.500rem,1fr))] gap-3">
      {signature.columns.map((column, at) => (
        <TextField
          key={column.name}
          label={column.name}
          inputMode={column.kind === "number" ? "decimal" : "text"}
          type={column.kind === "number" ? "number" : "text"}
          step="any"
          required={!column.missing && column.kind === "number"}
          placeholder={column.missing ? "missing" : column.kind}
          value={row[at] ?? ""}
          onChange={(event) => onChange(row.map((value, index) => (index === at ? event.target.value : value)))}
        />
      ))}
    </div>
  );
}

function parse(text: string): { body: unknown; fault: string | null } {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null) return { body, fault: null };
    return { body: null, fault: "A list of rows or an object is wanted." };
  } catch (error) {
    return { body: null, fault: error instanceof Error ? error.message : String(error) };
  }
}

function Answer({ endpoint, tried }: { endpoint: Endpoint; tried: Tried }) {
  const start = endpoint.cold_start;
  return (
    <Card
      title="Answer"
      action={
        <span className="flex flex-wrap items-center gap-2">
          {tried.from_zero && <Badge tone="warn">Woken from zero</Badge>}
          <Badge tone={tried.status === 200 ? "good" : "bad"}>{tried.status}</Badge>
          <span>{ms(tried.took_ms)}</span>
        </span>
      }
    >
      <div className="grid gap-3">
        {tried.status === 200 ? (
          <Predictions body={tried.body} />
        ) : (
          <Problem problem={problemFrom(tried.status, tried.body)} />
        )}
        {tried.from_zero && start !== null && (
          <p className="text-soft">
            No replica ran: one was started. Its start took {ms(start.total_ms)} (
            {Object.entries(start.phases_ms)
              .map(([phase, took]) => `${phase} ${ms(took)}`)
              .join(", ")}
            ). The next request will not wait for it.
          </p>
        )}
        {tried.revision !== null && <p className="text-soft">Answered by {tried.revision}.</p>}
        <details>
          <summary className="text-soft hover:text-ink">JSON</summary>
          <div className="mt-2">
            <Code label="Answer">{JSON.stringify(tried.body, null, 2)}</Code>
          </div>
        </details>
      </div>
    </Card>
  );
}

const SHOWN_ROWS = 50;

/** Predictions as a table: a row for each row that was asked. */
function Predictions({ body }: { body: unknown }) {
  const rows = rowsOf(body);
  if (rows === null || rows.length === 0) return <Code label="Answer">{JSON.stringify(body, null, 2)}</Code>;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <div className="rounded-lg border border-line">
      <Table
        label="Predictions"
        rows={rows.slice(0, SHOWN_ROWS).map((row, at) => ({ row, at }))}
        rowKey={({ at }) => at}
        columns={[
          { head: "Row", cell: ({ at }) => at + 1 },
          ...names.map((name) => ({
            head: name,
            right: true,
            cell: ({ row }: { row: Record<string, unknown> }) => shown(row[name]),
          })),
        ]}
      />
    </div>
  );
}

function shown(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `{"predictions": …}` as rows by name, whatever form it has: a list, lists, or objects. */
function rowsOf(body: unknown): Record<string, unknown>[] | null {
  const inner =
    typeof body === "object" && body !== null && !Array.isArray(body) && "predictions" in body
      ? (body as { predictions: unknown }).predictions
      : body;
  if (!Array.isArray(inner)) return null;
  return inner.map((one: unknown) => {
    if (Array.isArray(one)) return Object.fromEntries(one.map((value, at) => [String(at), value as unknown]));
    if (typeof one === "object" && one !== null) return one as Record<string, unknown>;
    return { prediction: one };
  });
}
