import type { Schemas } from "../api/client";
import { Status, type Tone } from "../ui/basics";

type Version = Schemas["Version"];

const VERSIONS: Record<Version["state"], { tone: Tone; says: string; live?: boolean }> = {
  uploaded: { tone: "main", says: "Waiting for a build", live: true },
  building: { tone: "main", says: "Building", live: true },
  ready: { tone: "good", says: "Ready" },
  failed: { tone: "bad", says: "Failed" },
};

export function VersionStatus({ state }: { state: Version["state"] }) {
  const { tone, says, live = false } = VERSIONS[state];
  return (
    <Status tone={tone} live={live}>
      {says}
    </Status>
  );
}

/** Three-valued, as Knative's conditions: at zero is no fault, and not known yet is none either. */
export function EndpointStatus({ endpoint }: { endpoint: Schemas["Endpoint"] }) {
  const { ready, replicas, desired_replicas: wanted } = endpoint;
  if (ready.status === "False") return <Status tone="bad">{words(ready.reason) || "Not ready"}</Status>;
  if (ready.status === "Unknown")
    return (
      <Status tone="warn" live>
        {words(ready.reason) || "Starting"}
      </Status>
    );
  if (replicas === 0 && wanted === 0) return <Status tone="plain">Idle at zero</Status>;
  if (replicas < wanted)
    return (
      <Status tone="main" live>
        Scaling up
      </Status>
    );
  return <Status tone="good">Serving</Status>;
}

/** `NoRoomLeft` → `No room left`. */
export function words(reason: string): string {
  const parted = reason.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return parted.charAt(0).toUpperCase() + parted.slice(1);
}
