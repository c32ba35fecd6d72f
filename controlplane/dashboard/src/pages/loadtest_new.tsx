import { useState, type FormEvent } from "react";
import { useNavigate, useSearchParams } from "react-router";
import type { Api, ApiProblem, Schemas } from "../api/client";
import { useAct, useGet, useList, usePath } from "../api/hooks";
import { loadOf, SHAPES, type Kind, type LoadTest } from "../parts/loadtests";
import { Button, ButtonLink, Card, Code, DocumentTitle, Empty, Loaded, PageHead, Problem } from "../ui/basics";
import { count, lasting } from "../ui/format";
import { SelectField, TextField } from "../ui/form";

type Endpoint = Schemas["Endpoint"];
type Objectives = Record<string, string>;

/** A field of a shape: how it is called, by the API and by the command line. */
interface Part {
  name: string;
  label: string;
  option: string;
  value: string;
  number: boolean;
  hint?: string;
}

const rate: Part = { name: "rate", label: "Requests a second", option: "rate", value: "50", number: true };
const lasts = (value: string): Part => ({
  name: "duration", label: "Duration", option: "duration", value, number: false, hint: "With its unit: 30s, 10m, 1h.",
});

const PARTS: Record<Kind, Part[]> = {
  steady: [rate, lasts("30s")],
  soak: [rate, lasts("1h")],
  ramp: [
    { name: "start", label: "From, requests a second", option: "start", value: "1", number: true },
    { ...rate, label: "To, requests a second" },
    lasts("60s"),
  ],
  spike: [
    { ...rate, label: "Between peaks, requests a second", value: "10" },
    { name: "peak", label: "At peaks, requests a second", option: "peak", value: "100", number: true },
    { ...lasts("20s"), label: "Duration of a peak" },
    { name: "rest", label: "Rest before and between", option: "rest", value: "10s", number: false },
    { name: "times", label: "Peaks", option: "times", value: "1", number: true },
  ],
  knee: [
    { name: "start", label: "From, requests a second", option: "start", value: "50", number: true },
    { ...lasts("10s"), name: "step", label: "Duration of a step" },
    { name: "most", label: "No further than", option: "peak", value: "", number: true, hint: "Left empty: as far as your quota goes." },
  ],
  wake: [
    { name: "burst", label: "Requests of a burst", option: "burst", value: "20", number: true },
    { name: "times", label: "Bursts", option: "times", value: "6", number: true, hint: "Six are needed to bound a median." },
  ],
};

const ASKED: { name: keyof Schemas["Objectives"]; label: string; hint: string; of?: Kind[] }[] = [
  { name: "p50", label: "p50 at most", hint: "Half of all answers are faster." },
  { name: "p95", label: "p95 at most", hint: "95 of 100 are faster." },
  { name: "p99", label: "p99 at most", hint: "Needs about 370 answers to tell." },
  { name: "error_rate", label: "Errors at most", hint: "A share: 0.1% or 0.001." },
  { name: "throughput", label: "Throughput at least", hint: "Good answers a second.", of: ["steady", "soak"] },
  { name: "cold_start", label: "Cold start at most", hint: "Median of first answers.", of: ["wake"] },
  { name: "scale_up", label: "Scale-up at most", hint: "Median until replicas are there.", of: ["spike", "ramp"] },
];

export default function Page() {
  const path = usePath();
  const [query] = useSearchParams();
  const like = query.get("like");
  const endpoints = useList<Endpoint>("/v1/endpoints?limit=200");
  const earlier = useGet<LoadTest>(like === null ? null : `/v1/loadtests/${encodeURIComponent(like)}`);
  return (
    <>
      <DocumentTitle>New load test</DocumentTitle>
      <PageHead
        back={{ to: path("loadtests"), label: "Load tests" }}
        title="New load test"
        says="The installation sends the load itself, as you, beside its workers. It counts as usage."
      />
      <Loaded of={endpoints}>
        {() =>
          endpoints.items.length === 0 ? (
            <Card flush>
              <Empty icon="endpoint" title="There is no endpoint to test" command="kubeserve deploy my-model" action={<ButtonLink to={path("models")}>Go to models</ButtonLink>}>
                Deploy a version of a model first.
              </Empty>
            </Card>
          ) : like === null ? (
            <Form endpoints={endpoints.items} chosen={query.get("endpoint")} like={undefined} />
          ) : (
            <Loaded of={earlier}>{(found) => <Form endpoints={endpoints.items} chosen={found.endpoint} like={found} />}</Loaded>
          )
        }
      </Loaded>
    </>
  );
}

function Form({ endpoints, chosen, like }: { endpoints: Endpoint[]; chosen: string | null; like: LoadTest | undefined }) {
  const before = like?.plan ?? {};
  const shapeBefore = (before["shape"] ?? {}) as Record<string, unknown>;
  const [name, setName] = useState(endpoints.find((one) => one.name === chosen)?.name ?? endpoints[0]?.name ?? "");
  const endpoint = endpoints.find((one) => one.name === name);
  const [kind, setKind] = useState<Kind>((shapeBefore["kind"] as Kind | undefined) ?? "steady");
  const [parts, setParts] = useState<Record<string, string>>(() =>
    Object.fromEntries(Object.entries(shapeBefore).map(([key, value]) => [key, String(value)])),
  );
  const [tag, setTag] = useState(String(before["tag"] ?? ""));
  const [own, setOwn] = useState<Objectives | null>(like === undefined ? null : asTexts(before["objectives"]));
  const [rows, setRows] = useState(String(before["rows"] ?? "1"));
  const [format, setFormat] = useState(String(before["format"] ?? "v2"));
  const [compare, setCompare] = useState("");
  const [sample, setSample] = useState<File | null>(null);
  const go = useNavigate();
  const path = usePath();
  // What the endpoint promises is asked, unless somebody asks something else.
  const asked = own ?? asTexts(endpoint?.slo);
  const tags = endpoint?.revisions.flatMap((one) => (one.tag === null ? [] : [one.tag])) ?? [];
  const value = (part: Part) => parts[part.name] ?? part.value;
  const shown = ASKED.filter(({ of }) => of === undefined || of.includes(kind));
  const start = useAct(
    async (api: Api) => {
      const body = {
        endpoint: name,
        shape: shapeOf(kind, parts),
        objectives: Object.fromEntries(
          shown.flatMap((one) => {
            const text = (asked[one.name] ?? "").trim();
            return text === "" ? [] : [[one.name, one.name === "throughput" ? asNumber(text) : text]];
          }),
        ),
        rows: asNumber(rows),
        format,
        ...(tag === "" ? {} : { tag }),
        ...(sample === null ? {} : { sample: await packed(plain(sample.name), sample.stream()) }),
        ...(compare === "" ? {} : { compare: await reportOf(api, compare) }),
      };
      return api.post<LoadTest>("/v1/loadtests", body);
    },
    { touches: ["/v1/loadtests", "/v1/quota"], quiet: true, then: (made) => void go(path("loadtests", made.id)) },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  return (
    <form onSubmit={submit} className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="grid min-w-0 gap-5">
        <Card title="Endpoint">
          <div className="grid gap-4 sm:grid-cols-2">
            <SelectField
              label="Endpoint"
              value={name}
              onChange={({ target }) => {
                setName(target.value);
                setTag("");
                setOwn(null);
                setCompare("");
              }}
            >
              {endpoints.map((one) => (
                <option key={one.id}>{one.name}</option>
              ))}
            </SelectField>
            <SelectField
              label="Revision"
              hint={tags.length === 0 ? "None of its revisions has a tag of its own." : "A tag sends all to its revision alone."}
              value={tag}
              disabled={tags.length === 0}
              onChange={({ target }) => setTag(target.value)}
            >
              <option value="">As traffic is split</option>
              {tags.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </SelectField>
          </div>
        </Card>
        <Card title="Load">
          <div className="grid gap-4">
            <fieldset>
              <legend className="mb-1 font-medium">Shape</legend>
              <div className="grid gap-2 sm:grid-cols-2 lg:grid-cols-3">
                {(Object.keys(SHAPES) as Kind[]).map((one) => (
                  <label
                    key={one}
                    className="flex cursor-pointer gap-2 rounded-md border border-edge p-2.5 has-checked:border-main has-checked:bg-tint has-focus-visible:outline-2"
                  >
                    <input type="radio" name="shape" className="mt-0.5 accent-main" checked={kind === one} onChange={() => setKind(one)} />
                    <span className="min-w-0">
                      <span className="block font-medium">{SHAPES[one].label}</span>
                      <span className="block text-xs">{SHAPES[one].load}</span>
                      <span className="block text-xs text-soft">{SHAPES[one].shows}</span>
                    </span>
                  </label>
                ))}
              </div>
            </fieldset>
            <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
              {PARTS[kind].map((part) => (
                <TextField
                  key={part.name}
                  label={part.label}
                  hint={part.hint}
                  error={faultOf(start.error, `shape.${kind}.${part.name}`, `shape.${part.name}`)}
                  inputMode={part.number ? "decimal" : "text"}
                  required={part.value !== ""}
                  value={value(part)}
                  onChange={({ target }) => setParts({ ...parts, [part.name]: target.value })}
                />
              ))}
            </div>
          </div>
        </Card>
        <Card title="Objectives">
          <p className="mb-3 text-soft">
            {endpoint?.slo == null
              ? `${name} promises nothing yet. Without objectives the test measures, and judges nothing.`
              : own === null
                ? `These are what ${name} promises. Change them for this test alone.`
                : `These are for this test alone.`}{" "}
            {own !== null && endpoint?.slo != null && (
              <Button look="quiet" onClick={() => setOwn(null)}>
                Use what it promises
              </Button>
            )}
          </p>
          <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
            {shown.map((one) => (
              <TextField
                key={one.name}
                label={one.label}
                hint={one.hint}
                error={faultOf(start.error, `objectives.${one.name}`)}
                placeholder={{ error_rate: "0.1%", throughput: "50" }[one.name as string] ?? "50ms"}
                value={asked[one.name] ?? ""}
                onChange={({ target }) => setOwn({ ...asked, [one.name]: target.value })}
              />
            ))}
          </div>
        </Card>
        <Card title="Requests">
          <div className="grid gap-4 sm:grid-cols-3">
            <TextField label="Rows a request" inputMode="numeric" value={rows} error={faultOf(start.error, "rows")} onChange={({ target }) => setRows(target.value)} />
            <SelectField label="Format" value={format} onChange={({ target }) => setFormat(target.value)}>
              <option value="v2">V2 (Open Inference)</option>
              <option value="v2-binary">V2, binary</option>
              <option value="v1">V1 (instances)</option>
              <option value="predict">/predict</option>
            </SelectField>
            <Earlier endpoint={name} chosen={compare} choose={setCompare} />
          </div>
          <div className="mt-4">
            <TextField
              label="Rows to send"
              type="file"
              accept=".csv,.json,.ndjson,.jsonl"
              hint="CSV with a header, JSON or NDJSON. Without a file, rows are drawn from the model's signature."
              error={faultOf(start.error, "sample", "sample.name", "sample.content")}
              onChange={({ target }) => setSample(target.files?.[0] ?? null)}
            />
          </div>
        </Card>
      </div>
      <aside aria-label="Start" className="grid min-w-0 gap-5 lg:sticky lg:top-18">
        <Limits />
        {start.error !== null && <Problem problem={start.error} />}
        <Button look="main" icon="play" type="submit" busy={start.isPending} className="w-full">
          Start the load test
        </Button>
        <Code label="The same from the command line">{commandOf(name, kind, value, asked, shown.map((one) => String(one.name)), tag, sample?.name)}</Code>
      </aside>
    </form>
  );
}

function Earlier({ endpoint, chosen, choose }: { endpoint: string; chosen: string; choose: (id: string) => void }) {
  const tests = useList<LoadTest>(`/v1/loadtests?limit=50&endpoint=${encodeURIComponent(endpoint)}`);
  const kept = tests.items.filter(({ reports }) => reports.includes("json"));
  return (
    <SelectField
      label="Compare with"
      hint={kept.length === 0 ? "No earlier test has a report." : "The report tells what changed."}
      disabled={kept.length === 0}
      value={chosen}
      onChange={({ target }) => choose(target.value)}
    >
      <option value="">Nothing</option>
      {kept.map((one) => (
        <option key={one.id} value={one.id}>
          #{one.number}, {loadOf(one.plan)}
        </option>
      ))}
    </SelectField>
  );
}

/** What the tenant's quota allows, before it refuses. */
function Limits() {
  const quota = useGet<Schemas["Quota"]>("/v1/quota", 10_000);
  return (
    <Card title="What you may ask for">
      <Loaded of={quota} lines={2}>
        {({ loadtests, loadtest_rate, loadtest_s }) => (
          <ul className="grid gap-1 text-soft">
            <li>
              At most <b className="text-ink">{count(loadtest_rate.limit)}</b> requests a second, or at once.
            </li>
            <li>
              At most <b className="text-ink">{lasting(loadtest_s.limit)}</b> for one test.
            </li>
            <li>
              <b className="text-ink">{count(loadtests.used)}</b> of {count(loadtests.limit)} tests wait or run.
            </li>
            <li className="text-xs">These are quotas of this tenant; the operator can raise them.</li>
          </ul>
        )}
      </Loaded>
    </Card>
  );
}

function shapeOf(kind: Kind, given: Record<string, string>): Record<string, unknown> {
  const shape: Record<string, unknown> = { kind };
  for (const { name, value, number } of PARTS[kind]) {
    const text = (given[name] ?? value).trim();
    if (text !== "") shape[name] = number ? asNumber(text) : text;
  }
  return shape;
}

/** A number, or the text as it is: the API says what is wrong with it. */
function asNumber(text: string): number | string {
  const found = Number(text);
  return text.trim() === "" || Number.isNaN(found) ? text : found;
}

function asTexts(objectives: unknown): Objectives {
  if (typeof objectives !== "object" || objectives === null) return {};
  return Object.fromEntries(
    Object.entries(objectives)
      .filter(([, one]) => one !== null)
      .map(([name, one]) => [name, name === "error_rate" && typeof one === "number" ? `${Number((one * 100).toPrecision(6))}%` : String(one)]),
  );
}

function faultOf(problem: ApiProblem | null, ...fields: string[]): string | undefined {
  return problem?.errors.find(({ field }) => field !== undefined && fields.some((one) => field.endsWith(one)))?.detail;
}

function commandOf(name: string, kind: Kind, value: (part: Part) => string, asked: Objectives, shown: string[], tag: string, sample?: string): string {
  const options = PARTS[kind].filter((part) => value(part) !== "").map((part) => `--${part.option} ${value(part)}`);
  const limits = shown
    .filter((one) => (asked[one] ?? "") !== "")
    .map((one) => `--${one.replaceAll("_", "-")} ${asked[one]}`);
  const shape = kind === "steady" ? [] : [`--shape ${kind}`];
  const tagged = tag === "" ? [] : [`--tag ${tag}`];
  const rows = sample === undefined ? [] : [`--sample ${sample}`];
  return [`kubeserve loadtest ${name}`, ...shape, ...options, ...tagged, ...rows, ...limits, "--remote"].join(" \\\n  ");
}

/** report.json of a test, as a new test takes it. */
async function reportOf(api: Api, id: string): Promise<Schemas["GivenFile"]> {
  return packed("report.json", (await api.send("GET", `/v1/loadtests/${id}/report?format=json`)).body);
}

/** A file's name of which only the ending counts: browsers name a second download `rows (1).csv`. */
function plain(name: string): string {
  return `rows.${name.split(".").at(-1)?.toLowerCase() ?? ""}`;
}

/** A file as the API takes it: compressed, in base64. */
async function packed(name: string, content: ReadableStream<Uint8Array<ArrayBuffer>> | null): Promise<Schemas["GivenFile"]> {
  const compressed = content?.pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(compressed ?? null).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  return { name, content: btoa(text) };
}
