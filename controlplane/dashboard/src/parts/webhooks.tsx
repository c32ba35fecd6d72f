import { useState, type FormEvent } from "react";
import type { ApiProblem, Schemas } from "../api/client";
import { Status } from "../ui/basics";
import { Button, Problem } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { Check, TextField } from "../ui/form";

export type Webhook = Schemas["Webhook"];
export type Delivery = Schemas["Delivery"];

/** What may be subscribed to, by kind; as `controlplane/webhooks/states.py` has it. */
export const EVENTS: Record<string, string[]> = {
  version: ["version.ready", "version.failed"],
  release: ["release.created", "release.rolled_back"],
  rollout: ["rollout.started", "rollout.step", "rollout.finished", "rollout.stopped"],
  endpoint: ["endpoint.ready", "endpoint.failed"],
  slo: ["slo.breached", "slo.recovered"],
  loadtest: ["loadtest.finished"],
};
const KINDS: Record<string, string> = {
  version: "Builds of versions",
  release: "Releases and rollbacks",
  rollout: "Rollouts, step by step",
  endpoint: "Endpoints that get ready, or fail",
  slo: "Objectives that are breached, or kept again",
  loadtest: "Load tests that ended",
};

export function WebhookStatus({ webhook }: { webhook: Webhook }) {
  if (!webhook.enabled) return <Status tone="plain">Disabled</Status>;
  if (webhook.failing_since !== null) return <Status tone="bad">Failing</Status>;
  return <Status tone="good">Enabled</Status>;
}

export function DeliveryStatus({ delivery }: { delivery: Delivery }) {
  switch (delivery.state) {
    case "delivered":
      return <Status tone="good">Delivered</Status>;
    case "failed":
      return <Status tone="bad">Given up</Status>;
    case "pending":
      return (
        <Status tone={delivery.attempts > 0 ? "warn" : "main"} live>
          {delivery.attempts > 0 ? "To be tried again" : "On its way"}
        </Status>
      );
  }
}

/** The receiver and what it is told: of a new webhook, or of one that is changed. */
export function WebhookForm({
  title,
  action,
  start,
  busy,
  problem,
  send,
  onClose,
}: {
  title: string;
  action: string;
  start: { url: string; events: string[]; description: string };
  busy: boolean;
  problem: ApiProblem | null;
  send: (wanted: { url: string; events: string[]; description: string }) => void;
  onClose: () => void;
}) {
  const [url, setUrl] = useState(start.url);
  const [description, setDescription] = useState(start.description);
  const [all, setAll] = useState(start.events.includes("*"));
  const [events, setEvents] = useState(() =>
    Object.entries(EVENTS).flatMap(([kind, some]) => (start.events.includes(`${kind}.*`) ? some : some.filter((one) => start.events.includes(one)))),
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send({ url: url.trim(), description: description.trim(), events: all ? ["*"] : shortened(events) });
  };
  const fault = (field: string) => problem?.errors.find((one) => one.field?.endsWith(field))?.detail;
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField
          label="Address"
          type="url"
          required
          placeholder="https://example.com/hooks"
          hint="Events are sent there by POST. It must be https and on the public internet, unless the operator allowed its network."
          error={fault("url")}
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <TextField label="What it is for" maxLength={200} value={description} onChange={({ target }) => setDescription(target.value)} />
        <fieldset className="grid gap-2">
          <legend className="mb-2 font-medium">Events</legend>
          <Check label="All of them" hint="Also those that are added later." checked={all} onChange={({ target }) => setAll(target.checked)} />
          {!all &&
            Object.entries(EVENTS).map(([kind, some]) => (
              <div key={kind} className="border-t border-line pt-2">
                <p className="mb-1 text-xs text-soft">{KINDS[kind]}</p>
                <div className="grid gap-1 sm:grid-cols-2">
                  {some.map((one) => (
                    <Check
                      key={one}
                      label={one}
                      checked={events.includes(one)}
                      onChange={({ target }) => setEvents(target.checked ? [...events, one] : events.filter((other) => other !== one))}
                    />
                  ))}
                </div>
              </div>
            ))}
        </fieldset>
        {problem !== null && <Problem problem={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={busy} disabled={!all && events.length === 0}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A kind of which all is wanted is said as one: `release.*`. */
function shortened(events: string[]): string[] {
  return Object.entries(EVENTS).flatMap(([kind, some]) =>
    some.every((one) => events.includes(one)) ? [`${kind}.*`] : some.filter((one) => events.includes(one)),
  );
}
