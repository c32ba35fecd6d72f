import { useEffect, useState } from "react";
import { ApiProblem, type Told } from "../api/client";
import { useApi } from "../api/hooks";

const AGAIN_MS = 2000;
/** Beyond it, every second look is dropped: a test of a day tells 86,400 of them. */
const MOST = 2000;

export interface Progress {
  at_s: number;
  of_s: number | null;
  phase: string;
  sent: number;
  errors: number;
  replicas: number | null;
  desired: number | null;
  rate?: number;
  p50_ms?: number | null;
  p95_ms?: number | null;
  p99_ms?: number | null;
}

export interface Heard {
  progress: Progress[];
  /** Other events by their name, the last of each. */
  last: Record<string, Record<string, unknown>>;
  problem: ApiProblem | null;
}

const NOTHING: Heard = { progress: [], last: {}, problem: null };

/** Follows a load test by its events, from the first one on; goes on after the last when cut off. */
export function useTold(id: string): Heard {
  const api = useApi();
  const [heard, setHeard] = useState<Heard>(NOTHING);
  useEffect(() => {
    const ending = new AbortController();
    let waiting: Told[] = [];
    let after = 0;
    let shown: number | undefined;
    setHeard(NOTHING);
    const show = () => {
      shown = undefined;
      const some = waiting;
      waiting = [];
      setHeard((now) => some.reduce(joined, { ...now, problem: null }));
    };
    const follow = async () => {
      for (;;) {
        try {
          for await (const told of api.events(`/v1/loadtests/${id}/events`, ending.signal, after)) {
            after = told.number;
            waiting.push(told);
            // Hundreds come at once where a test is read that told them before.
            shown ??= window.setTimeout(show, 50);
            if (told.document["event"] === "ended") return;
          }
        } catch (error) {
          if (ending.signal.aborted) return;
          if (!(error instanceof ApiProblem) || ![0, 429, 502, 503, 504].includes(error.status)) {
            if (error instanceof ApiProblem) setHeard((now) => ({ ...now, problem: error }));
            else if (!(error instanceof TypeError)) throw error; // TypeError: the connection was cut
            else if (ending.signal.aborted) return;
            if (error instanceof ApiProblem) return;
          }
        }
        await new Promise((done) => setTimeout(done, AGAIN_MS));
        if (ending.signal.aborted) return;
      }
    };
    void follow();
    return () => {
      ending.abort();
      window.clearTimeout(shown);
    };
  }, [api, id]);
  return heard;
}

function joined(now: Heard, { document }: Told): Heard {
  const event = String(document["event"]);
  if (event !== "progress") return { ...now, last: { ...now.last, [event]: document } };
  const kept = now.progress.length >= MOST ? now.progress.filter((_, at) => at % 2 === 0) : now.progress;
  return { ...now, progress: [...kept, document as unknown as Progress] };
}
