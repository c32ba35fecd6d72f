import { Outlet, useOutletContext, useParams } from "react-router";
import type { Schemas } from "../../api/client";
import { useGet, usePath } from "../../api/hooks";
import { EndpointStatus } from "../../parts/states";
import { Copy, DocumentTitle, Loaded, PageHead } from "../../ui/basics";
import { LinkTabs } from "../../ui/tabs";

export type Endpoint = Schemas["Endpoint"];

/** The endpoint whose page this is a part of, as it is now. */
export const useEndpoint = () => useOutletContext<Endpoint>();

export default function EndpointLayout() {
  const { endpoint: name = "" } = useParams();
  const path = usePath();
  const asked = useGet<Endpoint>(`/v1/endpoints/${name}`, 2000);
  const tabs = [
    { to: path("endpoints", name), label: "Overview" },
    { to: path("endpoints", name, "try"), label: "Try it" },
    { to: path("endpoints", name, "traffic"), label: "Traffic" },
    { to: path("endpoints", name, "releases"), label: "Releases" },
    { to: path("endpoints", name, "logs"), label: "Logs" },
    { to: `${path("loadtests")}?endpoint=${encodeURIComponent(name)}`, label: "Load tests" },
    { to: path("endpoints", name, "payloads"), label: "Logged requests" },
    { to: path("endpoints", name, "drift"), label: "Drift" },
    { to: path("endpoints", name, "settings"), label: "Settings" },
  ];
  return (
    <>
      <DocumentTitle>{name}</DocumentTitle>
      <PageHead
        back={{ to: path("endpoints"), label: "Endpoints" }}
        title={
          <>
            {name}
            {asked.data !== undefined && <EndpointStatus endpoint={asked.data} />}
          </>
        }
        says={
          asked.data?.url !== undefined &&
          asked.data.url !== null && (
            <span className="flex min-w-0 items-center gap-1">
              <code className="min-w-0 text-xs wrap-anywhere">{asked.data.url}</code>
              <Copy text={asked.data.url} label="Copy the URL" />
            </span>
          )
        }
      />
      <LinkTabs label={`Parts of ${name}`} tabs={tabs} />
      <Loaded of={asked} lines={8}>
        {(endpoint) => <Outlet context={endpoint} />}
      </Loaded>
    </>
  );
}
