import type { Schemas } from "../api/client";
import { useGet, useTenant } from "../api/hooks";
import { Limits } from "../parts/quota";
import { Card, Code, DocumentTitle, Loaded, PageHead } from "../ui/basics";

export default function Quota() {
  const tenant = useTenant();
  const quota = useGet<Schemas["Quota"]>("/v1/quota", 10_000);
  return (
    <>
      <DocumentTitle>Quotas</DocumentTitle>
      <PageHead title="Quotas" says={`What ${tenant} may have, and what is used of it. An operator of the installation can raise them.`} />
      <div className="grid gap-5">
        <Card>
          <Loaded of={quota} lines={8}>
            {(found) => <Limits quota={found} />}
          </Loaded>
        </Card>
        <Code label="The same from the command line">kubeserve quota</Code>
      </div>
    </>
  );
}
