import { useQueries } from "@tanstack/react-query";
import type { ApiProblem, Schemas } from "../api/client";
import { useApi, useGet } from "../api/hooks";
import type { Series } from "../ui/chart";

type Names = keyof Schemas["SeriesValues"];

/** The last minutes of an endpoint. */
export function useSeries(endpoint: string, minutes: number) {
  return useGet<Schemas["Series"]>(`/v1/endpoints/${endpoint}/series?minutes=${minutes}`, 5000);
}

const MOST_ROWS = 30;

/** The newest rate and latency of each endpoint of a list, by its name; of the first thirty. */
export function useNewest(endpoints: string[]): Map<string, { rate: number | null; p95: number | null }> {
  const api = useApi();
  const names = endpoints.slice(0, MOST_ROWS);
  return useQueries({
    queries: names.map((name) => ({
      queryKey: [api.tenant, `/v1/endpoints/${name}/series?minutes=5`],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        api.get<Schemas["Series"]>(`/v1/endpoints/${name}/series?minutes=5`, { signal }),
      refetchInterval: 10_000,
    })),
    combine: (asked) =>
      new Map(
        asked.flatMap(({ data }: { data: Schemas["Series"] | undefined; error: ApiProblem | Error | null }, at) => {
          const name = names[at];
          if (data === undefined || name === undefined) return [];
          return [[name, { rate: latest(data, "rate"), p95: latest(data, "p95") }] as const];
        }),
      ),
  });
}

/** Some of the values, as a chart takes them; those that nobody knows are left out. */
export function pick(series: Schemas["Series"] | undefined, names: Names[]): Series {
  if (series === undefined) return { at: [], values: {} };
  const found = names.filter((name) => series.values[name].some((one) => one !== null));
  return {
    at: series.at.map((one) => one * 1000),
    values: Object.fromEntries(found.map((name) => [name, series.values[name]])),
  };
}

/** The newest value that is known. */
export function latest(series: Schemas["Series"] | undefined, name: Names): number | null {
  return series?.values[name].findLast((one) => one !== null) ?? null;
}
