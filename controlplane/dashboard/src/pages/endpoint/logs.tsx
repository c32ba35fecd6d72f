import { useEffect, useRef, useState } from "react";
import { ApiProblem } from "../../api/client";
import { useApi } from "../../api/hooks";
import { Button, Card, Code, Problem, Status } from "../../ui/basics";
import { TextField } from "../../ui/form";
import { useEndpoint } from "./layout";

interface Line {
  at: string;
  replica: string;
  text: string;
  members: Record<string, unknown>;
}
interface Kept extends Line {
  key: number;
}

const MOST = 2000;
const AGAIN_MS = 2000;

/** What the replicas write, as they write it; the browser keeps the last 2000 lines. */
export default function Logs() {
  const endpoint = useEndpoint();
  const api = useApi();
  const [lines, setLines] = useState<Kept[]>([]);
  const [follow, setFollow] = useState(true);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [connected, setConnected] = useState(false);
  const [wanted, setWanted] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const { name } = endpoint;

  useEffect(() => {
    if (!follow) return;
    const ended = new AbortController();
    let next = 0;
    let waiting: Kept[] = [];
    // Many lines come at once: they are drawn four times a second, not one by one.
    const draw = setInterval(() => {
      if (waiting.length === 0) return;
      const more = waiting;
      waiting = [];
      setLines((now) => [...now, ...more].slice(-MOST));
    }, 250);
    const read = async () => {
      while (!ended.signal.aborted) {
        try {
          setLines([]);
          setConnected(true);
          setProblem(null);
          const stream = api.lines(`/v1/endpoints/${name}/logs?tail=200&follow=true`, ended.signal);
          for await (const line of stream) waiting.push({ ...(line as Line), key: next++ });
        } catch (error) {
          if (ended.signal.aborted) return;
          if (error instanceof ApiProblem) setProblem(error);
          else if (!(error instanceof TypeError)) throw error; // a broken connection is one
        }
        setConnected(false);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    };
    void read();
    return () => {
      ended.abort();
      clearInterval(draw);
      setConnected(false);
    };
  }, [api, name, follow]);

  useEffect(() => {
    if (atEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight });
  }, [lines]);

  const shown = wanted === "" ? lines : lines.filter(({ text }) => text.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-end gap-3">
        <div className="min-w-0 flex-1 basis-52">
          <TextField label="Only lines with" type="search" value={wanted} onChange={(event) => setWanted(event.target.value)} />
        </div>
        <span className="flex h-8 items-center">
          <Status tone={connected ? "good" : follow ? "warn" : "plain"} live={connected}>
            {connected ? "Following" : follow ? "Connecting" : "Paused"}
          </Status>
        </span>
        <Button icon={follow ? "stop" : "play"} onClick={() => setFollow(!follow)}>
          {follow ? "Pause" : "Follow"}
        </Button>
      </div>
      {problem !== null && <Problem problem={problem} />}
      <Card flush>
        <div
          ref={box}
          role="log"
          aria-label={`Log of ${name}`}
          aria-live="off"
          tabIndex={0}
          onScroll={({ currentTarget: at }) => {
            atEnd.current = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
          }}
          className="h-[28rem] max-h-[70dvh] overflow-auto p-3 font-mono text-xs leading-5"
        >
          {shown.map((line) => (
            <Shown key={line.key} line={line} />
          ))}
          {shown.length === 0 && (
            <p className="text-soft">
              {lines.length === 0 ? "Nothing was written yet. Replicas write when they start, refuse or fail." : "No line has that."}
            </p>
          )}
        </div>
      </Card>
      <Code label="Command line">{`kubeserve logs ${name} -f`}</Code>
    </div>
  );
}

const LEVELS: Record<string, string> = {
  error: "text-bad",
  critical: "text-bad",
  warning: "text-warn",
  warn: "text-warn",
};

function Shown({ line }: { line: Line }) {
  const found = told(line);
  return (
    <p className="wrap-anywhere whitespace-pre-wrap">
      <span className="text-soft">
        {line.at.slice(11, 23)} {line.replica}{" "}
      </span>
      {found === null ? (
        line.text
      ) : (
        <>
          <span className={LEVELS[found.level.toLowerCase()] ?? "text-main"}>{found.level}</span> {found.message}
          {found.rest !== "" && <span className="text-soft"> {found.rest}</span>}
        </>
      )}
    </p>
  );
}

/** A line's own level and members; those that every line of an endpoint has are left out. */
function told({ text, members }: Line): { level: string; message: string; rest: string } | null {
  const { level, logger: _logger, tenant: _tenant, endpoint: _endpoint, ...more } = members;
  if (typeof level !== "string") return null;
  const rest = Object.entries(more)
    .filter(([, value]) => value !== null && value !== "")
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
  return { level, message: text, rest };
}
