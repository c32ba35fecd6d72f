import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useGet, useList, usePath } from "../api/hooks";
import { SecretOnce } from "../parts/secret";
import { DeliveryStatus, WebhookForm, WebhookStatus, type Delivery, type Webhook } from "../parts/webhooks";
import { Why } from "../parts/why";
import { Badge, Button, Card, Code, DocumentTitle, Empty, Fact, Facts, Loaded, PageHead, Time } from "../ui/basics";
import { Confirm } from "../ui/dialog";
import { exact, ms, plural } from "../ui/format";
import { Table } from "../ui/table";

type Asks = "change" | "rotate" | "delete" | null;

export default function Page() {
  const { webhook: id = "" } = useParams();
  const at = `/v1/webhooks/${encodeURIComponent(id)}`;
  const webhook = useGet<Webhook>(at, 5000);
  return <Loaded of={webhook}>{(found) => <Shown at={at} webhook={found} />}</Loaded>;
}

function Shown({ at, webhook }: { at: string; webhook: Webhook }) {
  const path = usePath();
  const go = useNavigate();
  const why = useGet<Schemas["Why"]>(`${at}/why`, 5000);
  const [asks, setAsks] = useState<Asks>(null);
  const close = () => setAsks(null);
  const touches = ["/v1/webhooks"];
  const test = useAct((api) => api.post<Delivery>(`${at}/test`), { touches, says: "A test is on its way; it is in the list of deliveries." });
  const turn = useAct((api, enabled: boolean) => api.patch<Webhook>(at, { enabled }), {
    touches,
    says: (_, enabled) => (enabled ? "It is sent to again, also what waited." : "It is not sent to any more. What waits already is sent once it is enabled."),
  });
  const change = useAct((api, wanted: Schemas["NewWebhook"]) => api.patch<Webhook>(at, wanted), { touches, says: "The webhook is changed.", quiet: true, then: close });
  const rotate = useAct((api) => api.post<Schemas["MadeWebhook"]>(`${at}/rotate`, {}), { touches, quiet: true });
  const remove = useAct((api) => api.delete(at), {
    touches: ["/v1/quota"],
    says: "The webhook is deleted.",
    quiet: true,
    then: () => void go(path("webhooks")),
  });
  return (
    <>
      <DocumentTitle>{`Webhook to ${new URL(webhook.url).host}`}</DocumentTitle>
      <PageHead
        back={{ to: path("webhooks"), label: "Webhooks" }}
        title={
          <>
            {new URL(webhook.url).host}
            <WebhookStatus webhook={webhook} />
          </>
        }
        says={webhook.description === "" ? undefined : webhook.description}
      >
        <Button icon="play" busy={test.isPending} onClick={() => test.mutate()}>
          Send a test
        </Button>
        <Button onClick={() => setAsks("change")}>Change</Button>
        <Button busy={turn.isPending} onClick={() => turn.mutate(!webhook.enabled)}>
          {webhook.enabled ? "Disable" : "Enable"}
        </Button>
        <Button onClick={() => setAsks("rotate")}>Rotate the secret</Button>
        <Button look="danger" onClick={() => setAsks("delete")}>
          Delete
        </Button>
      </PageHead>
      <div className="grid gap-5">
        <Loaded of={why} lines={2}>
          {(found) => <Why why={found} />}
        </Loaded>
        <Card>
          <Facts>
            <Fact name="Address">
              <code className="text-xs">{webhook.url}</code>
            </Fact>
            <Fact name="Events">
              <span className="flex flex-wrap gap-1">
                {webhook.events.map((one) => (
                  <Badge key={one}>{one === "*" ? "all" : one}</Badge>
                ))}
              </span>
            </Fact>
            <Fact name="Made" says={`by ${webhook.created_by_name ?? webhook.created_by}`}>
              <Time at={webhook.created_at} />
            </Fact>
            {webhook.former_secret_until !== null && (
              <Fact name="Former secret signs too" says="until">
                <Time at={webhook.former_secret_until} />
              </Fact>
            )}
          </Facts>
        </Card>
        <Deliveries at={at} />
      </div>
      {asks === "change" && (
        <WebhookForm
          title="Change the webhook"
          action="Change it"
          start={webhook}
          busy={change.isPending}
          problem={change.error}
          send={(wanted) => change.mutate(wanted)}
          onClose={close}
        />
      )}
      {asks === "rotate" &&
        (rotate.data === undefined ? (
          <Confirm title="Rotate the secret?" action="Rotate" busy={rotate.isPending} problem={rotate.error} onConfirm={() => rotate.mutate()} onClose={close}>
            You get a new one. For a day messages are signed with both, so that you can replace it where they are received.
          </Confirm>
        ) : (
          <SecretOnce
            title="The new secret"
            label="Secret of the webhook"
            secret={rotate.data.secret}
            onClose={() => {
              rotate.reset();
              close();
            }}
          />
        ))}
      {asks === "delete" && (
        <Confirm title={`Delete the webhook to ${new URL(webhook.url).host}?`} action="Delete the webhook" busy={remove.isPending} problem={remove.error} onConfirm={() => remove.mutate()} onClose={close}>
          What waits for it is not sent, and its deliveries are forgotten. That cannot be undone.
        </Confirm>
      )}
    </>
  );
}

function Deliveries({ at }: { at: string }) {
  const [state, setState] = useState("");
  const deliveries = useList<Delivery>(`${at}/deliveries?limit=50${state === "" ? "" : `&state=${state}`}`, 3000);
  const again = useAct((api, one: Delivery) => api.post<Delivery>(`${at}/deliveries/${one.id}/redeliver`), {
    touches: ["/v1/webhooks"],
    says: "It is sent once more.",
  });
  return (
    <Card
      flush
      title="Deliveries"
      action={
        <select
          aria-label="Which deliveries"
          value={state}
          onChange={({ target }) => setState(target.value)}
          className="h-8 rounded-md border border-edge bg-card px-2"
        >
          <option value="">All</option>
          <option value="pending">Pending</option>
          <option value="delivered">Delivered</option>
          <option value="failed">Given up</option>
        </select>
      }
    >
      <Loaded of={deliveries}>
        {() =>
          deliveries.items.length === 0 ? (
            <Empty icon="webhook" title="Nothing was sent yet">
              What happens from now on is listed here for 30 days. Send a test to see whether the address answers.
            </Empty>
          ) : (
            <Table
              label="Deliveries"
              rows={deliveries.items}
              rowKey={({ id }) => id}
              more={deliveries.more}
              columns={[
                {
                  head: "Event",
                  cell: (one) => (
                    <details>
                      <summary className="rounded">
                        <code>{one.type}</code>
                      </summary>
                      <Detail delivery={one} />
                      <Button className="mt-2 sm:hidden" busy={again.isPending} onClick={() => again.mutate(one)}>
                        Send again
                      </Button>
                    </details>
                  ),
                },
                { head: "Status", cell: (one) => <DeliveryStatus delivery={one} /> },
                {
                  head: "Answer",
                  from: "sm",
                  cell: (one) => (one.status !== null ? `HTTP ${one.status}` : (one.error ?? "–")),
                },
                { head: "Attempts", right: true, from: "md", cell: ({ attempts }) => attempts },
                { head: "Happened", right: true, from: "sm", cell: (one) => <Time at={one.happened_at} /> },
                {
                  head: "Actions",
                  right: true,
                  from: "sm",
                  cell: (one) => (
                    <Button look="quiet" busy={again.isPending && again.variables.id === one.id} onClick={() => again.mutate(one)}>
                      Send again<span className="sr-only">: {one.type}</span>
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  );
}

function Detail({ delivery }: { delivery: Delivery }) {
  return (
    <div className="mt-2 grid gap-2 font-normal">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-3 text-xs">
        <dt className="text-soft">webhook-id</dt>
        <dd className="wrap-anywhere">{delivery.message_id}</dd>
        {delivery.next_at !== null && (
          <>
            <dt className="text-soft">next attempt</dt>
            <dd>{exact(delivery.next_at)}</dd>
          </>
        )}
      </dl>
      {delivery.tries.length > 0 && (
        <ol className="list-decimal pl-5 text-xs">
          {delivery.tries.map((one, index) => (
            <li key={index} className="wrap-anywhere">
              {exact(one.at)}: {one.status !== null ? `HTTP ${one.status}` : one.error} in {ms(one.took_ms)}
            </li>
          ))}
        </ol>
      )}
      {delivery.attempts > delivery.tries.length && <p className="text-xs text-soft">{plural(delivery.attempts, "attempt")} in all.</p>}
      <Code label="What is sent">{JSON.stringify(delivery.data, null, 2)}</Code>
      {delivery.response !== null && delivery.response !== "" && <Code label="What was answered">{delivery.response}</Code>}
    </div>
  );
}
