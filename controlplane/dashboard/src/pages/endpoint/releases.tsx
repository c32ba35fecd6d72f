import { useState } from "react";
import type { Schemas } from "../../api/client";
import { useAct, useCan, useList } from "../../api/hooks";
import { Badge, Button, Card, Code, Empty, Loaded, Time } from "../../ui/basics";
import { Confirm } from "../../ui/dialog";
import { changes } from "../../parts/diff";
import { Words } from "../../parts/why";
import { useEndpoint } from "./layout";

type Release = Schemas["Release"];

/** Every change of the endpoint, what it changed, and the way back to it. */
export default function Releases() {
  const endpoint = useEndpoint();
  const can = useCan();
  const [back, setBack] = useState<Release | null>(null);
  const releases = useList<Release>(`/v1/endpoints/${endpoint.name}/releases?limit=30`, 5000);
  const rollback = useAct<number>((api, to) => api.post(`/v1/endpoints/${endpoint.name}/rollback`, { to }), {
    touches: ["/v1/endpoints"],
    quiet: true,
    says: (_, to) => `${endpoint.name} is as it was in release ${to}`,
    then: () => setBack(null),
  });
  return (
    <div className="grid gap-5">
      <Loaded of={releases}>
        {() =>
          releases.items.length === 0 ? (
            <Card>
              <Empty icon="endpoint" title="No release yet" />
            </Card>
          ) : (
            <ol className="grid gap-3" aria-label={`Releases of ${endpoint.name}`}>
              {releases.items.map((release, at) => (
                <li key={release.number}>
                  <One
                    release={release}
                    before={releases.items[at + 1]}
                    onBack={can("endpoints:write") && !release.current ? () => setBack(release) : null}
                  />
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
      {releases.more !== null && (
        <div className="text-center">
          <Button look="quiet" onClick={releases.more}>
            Show more
          </Button>
        </div>
      )}
      <Code label="Command line">{`kubeserve releases ${endpoint.name}\nkubeserve rollback ${endpoint.name}`}</Code>
      {back !== null && (
        <Confirm
          title={`Roll back to release ${back.number}?`}
          action={`Roll back to release ${back.number}`}
          busy={rollback.isPending}
          problem={rollback.error}
          onConfirm={() => rollback.mutate(back.number)}
          onClose={() => {
            rollback.reset();
            setBack(null);
          }}
        >
          <p>A new release is made that is as this one was. No request is lost. It changes:</p>
          <Changes
            lines={changes(
              releases.items.find(({ current }) => current),
              back,
            )}
          />
        </Confirm>
      )}
    </div>
  );
}

function One({
  release,
  before,
  onBack,
}: {
  release: Release;
  before: Release | undefined;
  onBack: (() => void) | null;
}) {
  return (
    <Card>
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-60">
          <h2 className="flex flex-wrap items-center gap-2 font-semibold">
            Release {release.number}
            <Badge tone={release.current ? "good" : "plain"}>{release.current ? "current" : release.action}</Badge>
            {release.current && <span className="font-normal text-soft">{release.action}</span>}
          </h2>
          <p className="text-soft">
            <Time at={release.created_at} /> by {release.created_by_name ?? release.created_by}
          </p>
          {release.reason !== null && <p className="mt-1 wrap-anywhere">
              <Words>{release.reason}</Words>
            </p>}
          <Changes lines={changes(before, release)} />
        </div>
        <div className="flex flex-wrap items-center gap-2">
          {release.revisions.map((one) => (
            <Badge key={`${one.name}-${one.tag}`} tone={one.percent > 0 ? "main" : "plain"}>
              {one.model}:{one.version} {one.percent} %{one.tag !== null && ` #${one.tag}`}
            </Badge>
          ))}
          {onBack !== null && (
            <Button onClick={onBack}>
              Roll back<span className="sr-only"> to release {release.number}</span>
            </Button>
          )}
        </div>
      </div>
    </Card>
  );
}

function Changes({ lines }: { lines: ReturnType<typeof changes> }) {
  if (lines.length === 0) return <p className="mt-1 text-soft">Nothing differs.</p>;
  return (
    <ul className="mt-2 grid gap-0.5">
      {lines.map(({ what, from, to }) => (
        <li key={what} className="wrap-anywhere">
          <span className="text-soft">{what}: </span>
          {from !== null && (
            <>
              <del className="text-bad no-underline">
                <span className="sr-only">from </span>
                <span aria-hidden="true">− </span>
                {from}
              </del>{" "}
            </>
          )}
          {to !== null && (
            <ins className="text-good no-underline">
              <span className="sr-only">to </span>
              <span aria-hidden="true">+ </span>
              {to}
            </ins>
          )}
        </li>
      ))}
    </ul>
  );
}
