import type { Schemas } from "../api/client";

type Release = Schemas["Release"];

export interface Change {
  what: string;
  from: string | null;
  to: string | null;
}

/** What the second release has otherwise than the first: traffic by version and tag, and scaling. */
export function changes(before: Release | undefined, after: Release): Change[] {
  const traffic = changed(shares(before), shares(after));
  const scaling = changed(settings(before), settings(after)).filter(({ from }) => before !== undefined || from !== null);
  return [...traffic, ...(before === undefined ? [] : scaling)];
}

function shares(release: Release | undefined): Map<string, string> {
  return new Map(
    release?.revisions.map((one) => [
      `${one.model}:${one.version}${one.tag === null ? "" : ` (tag ${one.tag})`}`,
      `${one.percent} %`,
    ]),
  );
}

function settings(release: Release | undefined): Map<string, string> {
  return new Map(
    Object.entries(release?.scaling ?? {}).map(([name, value]) => [
      name.replace(/_s$/, "").replaceAll("_", " "),
      value === null ? "default" : `${value}${name.endsWith("_s") ? " s" : ""}`,
    ]),
  );
}

function changed(from: Map<string, string>, to: Map<string, string>): Change[] {
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((what) => from.get(what) !== to.get(what))
    .map((what) => ({ what, from: from.get(what) ?? null, to: to.get(what) ?? null }));
}
