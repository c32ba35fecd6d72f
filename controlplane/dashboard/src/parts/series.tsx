import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ApiProblem, type Schemas } from "../api/client";
import { useApi, useGet } from "../api/hooks";
import type { Series } from "../ui/chart";

type Endpoint = Schemas["Endpoint"];

/** What `GET /v1/endpoints/{name}/series` gives: unix seconds, and a list for each name. */
interface Told {
  at: number[];
  every_s: number;
  values: Record<string, (number | null)[]>;
}

/** The last minutes of an endpoint; null where this installation tells none. */
export function useSeries(endpoint: string, minutes: number): Series | null | undefined {
  const api = useApi();
  const path = `/v1/endpoints/${endpoint}/series?minutes=${minutes}`;
  const asked = useQuery<Told | null, ApiProblem>({
    queryKey: [api.tenant, path],
    queryFn: async ({ signal }) => {
      try {
        return await api.get<Told>(path, { signal });
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: (query) => (query.state.data === null ? false : 5000),
  });
  if (asked.data === undefined || asked.data === null) return asked.data;
  return { at: asked.data.at.map((one) => one * 1000), values: asked.data.values };
}

/** Some of the values of a series; undefined where it has none of them. */
export function pick(series: Series | null | undefined, names: string[]): Series | undefined {
  if (series === null || series === undefined) return undefined;
  const found = names.filter((name) => series.values[name]?.some((one) => one !== null) === true);
  if (found.length === 0) return undefined;
  return { at: series.at, values: Object.fromEntries(found.map((name) => [name, series.values[name] ?? []])) };
}

const MOST = 300;

interface Sample {
  at: number;
  requests: number;
}

/** Requests a second since the page was opened, from the counter that is polled. */
export function useRate(endpoint: Endpoint): { rate: number | null; series: Series } {
  const samples = useRef<Sample[]>([]);
  const [shown, setShown] = useState<{ rate: number | null; series: Series }>({
    rate: null,
    series: { at: [], values: { rate: [] } },
  });
  const { requests_total: requests } = endpoint;
  useEffect(() => {
    const kept = samples.current;
    const last = kept[kept.length - 1];
    // A counter that fell is another one: the engine began anew.
    if (last !== undefined && requests < last.requests) kept.length = 0;
    kept.push({ at: Date.now(), requests });
    if (kept.length > MOST) kept.shift();
    const rates = kept.slice(1).map((one, index) => {
      const before = kept[index]!;
      return Math.max(0, ((one.requests - before.requests) / Math.max(one.at - before.at, 1)) * 1000);
    });
    const recent = kept.slice(-6);
    const [first, now] = [recent[0], recent[recent.length - 1]];
    const rate =
      first === undefined || now === undefined || now.at - first.at < 1000
        ? null
        : ((now.requests - first.requests) / (now.at - first.at)) * 1000;
    setShown({ rate, series: { at: kept.slice(1).map(({ at }) => at), values: { rate: rates } } });
  }, [endpoint, requests]);
  return shown;
}

interface Recording {
  zero_at: number;
  steps: { t_s: number; ready_pods: number; stable: number; wanted: number }[];
}

/** Replicas and concurrency as the autoscaler saw them, of the last five minutes. */
export function useDecisions(endpoint: string): Series | undefined {
  const asked = useGet<{ recordings: Recording[] }>(`/v1/endpoints/${endpoint}/decisions`, 5000);
  if (asked.data === undefined) return undefined;
  const steps = asked.data.recordings
    .flatMap(({ zero_at: zero, steps: found }) => found.map((step) => ({ ...step, at: (zero + step.t_s) * 1000 })))
    .sort((a, b) => a.at - b.at);
  return {
    at: steps.map(({ at }) => at),
    values: {
      ready: steps.map((step) => step.ready_pods),
      wanted: steps.map((step) => step.wanted),
      concurrency: steps.map((step) => step.stable),
    },
  };
}
