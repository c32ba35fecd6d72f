import type { Schemas } from "../api/client";
import { Bar } from "../ui/bar";
import { bytes, count, lasting, percent } from "../ui/format";

type Quota = Schemas["Quota"];
export type QuotaName = Exclude<keyof Quota, "tenant">;

/** What each limit is of, in the order in which people run into them. */
export const QUOTAS: { name: QuotaName; label: string; says: string; write: (value: number) => string }[] = [
  { name: "models", label: "Models", says: "Models that are kept.", write: count },
  { name: "storage_bytes", label: "Storage", says: "Uploads and plans.", write: bytes },
  { name: "endpoints", label: "Endpoints", says: "Endpoints there are.", write: count },
  { name: "builds", label: "Builds at a time", says: "More wait.", write: count },
  { name: "replicas", label: "Replicas", says: "Of all endpoints at a time.", write: count },
  { name: "cpu_millis", label: "Processor time", says: "Requested by all pods; bounded on a cluster.", write: (value) => `${count(value)} m` },
  { name: "memory_mib", label: "Memory", says: "Requested by all pods; bounded on a cluster.", write: (value) => `${count(value)} MiB` },
  { name: "requests_per_s", label: "API requests a second", says: "Predictions are not among them.", write: count },
  { name: "loadtests", label: "Load tests", says: "That wait or run.", write: count },
  { name: "loadtest_rate", label: "Load test rate", says: "Requests a second of one, or at once.", write: (value) => `${count(value)}/s` },
  { name: "loadtest_s", label: "Load test length", says: "Seconds of one.", write: lasting },
  { name: "webhooks", label: "Webhooks", says: "Addresses that are told what happens.", write: count },
];

export function Limits({ quota }: { quota: Quota }) {
  return (
    <ul className="grid gap-x-8 gap-y-5 sm:grid-cols-2 lg:grid-cols-3">
      {QUOTAS.filter(({ name }) => quota[name] !== undefined).map(({ name, label, says, write }) => {
        const { limit, used, own } = quota[name];
        const share = used === null || limit === 0 ? null : Math.min(1, used / limit);
        const tone = share === null || share < 0.8 ? "main" : share < 1 ? "warn" : "bad";
        return (
          <li key={name} className="min-w-0">
            <p className="flex flex-wrap justify-between gap-x-3">
              <span className="font-medium">{label}</span>
              <span>
                {used !== null && (
                  <>
                    <b>{write(used)}</b> of{" "}
                  </>
                )}
                {write(limit)}
              </span>
            </p>
            {share !== null && (
              <div className="mt-1">
                <Bar share={share} tone={tone} />
              </div>
            )}
            <p className="mt-1 text-xs text-soft">
              {says} {share !== null && `${percent(share, 0)} used.`}
              {own && " Set for this tenant."}
            </p>
          </li>
        );
      })}
    </ul>
  );
}
