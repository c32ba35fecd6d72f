import { useQuery } from "@tanstack/react-query";
import { Navigate } from "react-router";
import { Api, type ApiProblem, type Me } from "../api/client";
import { DocumentTitle, Empty, Loaded } from "../ui/basics";
import { lastTenant } from "./remembered";
import { SignOut } from "./account";

/** /dashboard itself: on to the tenant that was looked at last. */
export function Start() {
  const me = useQuery<Me, ApiProblem>({
    queryKey: [null, "/v1/me"],
    queryFn: ({ signal }) => new Api(null).get<Me>("/v1/me", { signal }),
  });
  return (
    <main className="mx-auto max-w-2xl p-6">
      <DocumentTitle>Dashboard</DocumentTitle>
      <Loaded of={me}>
        {({ tenants, email }) => {
          const last = lastTenant();
          const chosen = tenants.find(({ name }) => name === last) ?? tenants[0];
          if (chosen !== undefined) return <Navigate replace to={`/dashboard/${chosen.name}`} />;
          return (
            <>
              <h1 className="sr-only">No tenant</h1>
              <Empty icon="tenant" title="You are in no tenant yet" action={<SignOut />}>
                Models and endpoints belong to a tenant. Ask one of its owners to invite {email}; the
                invitation’s link brings you back here.
              </Empty>
            </>
          );
        }}
      </Loaded>
    </main>
  );
}
