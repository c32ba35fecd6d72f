import type { Schemas } from "../api/client";
import { useGet } from "../api/hooks";
import type { Series } from "../ui/chart";

type Names = keyof Schemas["SeriesValues"];

/** The last minutes of an endpoint. */
export function useSeries(endpoint: string, minutes: number) {
  return useGet<Schemas["Series"]>(`/v1/endpoints/${endpoint}/series?minutes=${minutes}`, 5000);
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
