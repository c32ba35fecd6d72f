import { useState } from "react";
import { Link, useNavigate } from "react-router";
import type { Schemas } from "../api/client";
import { useAct, useList, usePath } from "../api/hooks";
import { SecretOnce } from "../parts/secret";
import { WebhookForm, WebhookStatus, type Webhook } from "../parts/webhooks";
import { Badge, Button, Card, Code, DocumentTitle, Empty, Loaded, PageHead, Time } from "../ui/basics";
import { Table } from "../ui/table";

export default function Webhooks() {
  const path = usePath();
  const go = useNavigate();
  const webhooks = useList<Webhook>("/v1/webhooks?limit=100", 10_000);
  const [making, setMaking] = useState(false);
  const make = useAct((api, wanted: Schemas["NewWebhook"]) => api.post<Schemas["MadeWebhook"]>("/v1/webhooks", wanted), {
    touches: ["/v1/webhooks", "/v1/quota"],
    quiet: true,
  });
  const add = (
    <Button
      look="main"
      icon="webhook"
      onClick={() => {
        make.reset();
        setMaking(true);
      }}
    >
      New webhook
    </Button>
  );
  const made = make.data;
  return (
    <>
      <DocumentTitle>Webhooks</DocumentTitle>
      <PageHead title="Webhooks" says="What happens in this tenant is sent to addresses of yours: signed, and again until it arrives.">
        {add}
      </PageHead>
      <Loaded of={webhooks}>
        {() => (
          <Card flush>
            {webhooks.items.length === 0 ? (
              <Empty icon="webhook" title="No webhook yet" action={add} command="kubeserve webhooks add https://example.com/hooks --event 'release.*' --event version.failed">
                Have a chat or your CI told when a version is ready, a release goes out, or an objective is breached.
              </Empty>
            ) : (
              <Table
                label="Webhooks"
                rows={webhooks.items}
                rowKey={({ id }) => id}
                more={webhooks.more}
                columns={[
                  {
                    head: "Receiver",
                    cell: (one) => (
                      <>
                        <Link to={path("webhooks", one.id)} className="wrap-anywhere hover:text-main hover:underline">
                          {one.url}
                        </Link>
                        {one.description !== "" && <span className="block text-xs font-normal text-soft">{one.description}</span>}
                      </>
                    ),
                  },
                  { head: "Status", cell: (one) => <WebhookStatus webhook={one} /> },
                  {
                    head: "Events",
                    from: "sm",
                    cell: ({ events }) => (
                      <span className="flex flex-wrap gap-1">
                        {events.slice(0, 4).map((one) => (
                          <Badge key={one}>{one === "*" ? "all" : one}</Badge>
                        ))}
                        {events.length > 4 && <Badge>+{events.length - 4}</Badge>}
                      </span>
                    ),
                  },
                  { head: "Made", right: true, from: "md", cell: (one) => <Time at={one.created_at} /> },
                ]}
              />
            )}
          </Card>
        )}
      </Loaded>
      {making && made === undefined && (
        <WebhookForm
          title="New webhook"
          action="Make the webhook"
          start={{ url: "", events: ["*"], description: "" }}
          busy={make.isPending}
          problem={make.error}
          send={(wanted) => make.mutate(wanted)}
          onClose={() => setMaking(false)}
        />
      )}
      {making && made !== undefined && (
        <SecretOnce
          title="The webhook is made"
          label="Secret of the webhook"
          secret={made.secret}
          onClose={() => {
            setMaking(false);
            void go(path("webhooks", made.id));
          }}
        >
          <Code label="Verify what comes, in Python">{`from standardwebhooks import Webhook\n\nevent = Webhook("whsec_…").verify(request.body, request.headers)`}</Code>
        </SecretOnce>
      )}
    </>
  );
}
