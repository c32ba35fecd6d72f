import { Link, useRouteError } from "react-router";
import { usePath, useSession } from "../api/hooks";
import { Button, DocumentTitle } from "../ui/basics";

/** A page that is none. */
export function NotFound() {
  return (
    <Message title="There is no such page" says="The address may be mistyped, or what it named is deleted.">
      <a href="/dashboard" className="text-main underline">
        Go to the overview
      </a>
    </Message>
  );
}

/** A page that is not for the role of whoever came to it by its address. */
export function Barred({ scope }: { scope: string | undefined }) {
  const { me } = useSession();
  return (
    <Message
      title="This page is not for your role"
      says={`${me.role === null ? "You are" : `As ${me.role} you are`} not allowed what is done here${scope === undefined ? "" : ` (${scope})`}. Ask an administrator of the tenant for another role.`}
    >
      <Link to={usePath()()} className="text-main underline">
        Go to the overview
      </Link>
    </Message>
  );
}

/** A page that broke. A part that was not loaded is of a version that is installed no more. */
export function Crash() {
  const error = useRouteError();
  const words = error instanceof Error ? error.message : String(error);
  const old = /dynamically imported|module script|preload/i.test(words);
  return (
    <Message
      title={old ? "This page is of an earlier version" : "This page broke"}
      says={
        old
          ? "KubeServe was updated, or the connection failed. Load the page again."
          : "That is a fault of the dashboard. Nothing that you did is lost: the API answers without it."
      }
    >
      {!old && <pre className="max-w-full overflow-x-auto rounded bg-sunk p-3 text-left text-xs">{words}</pre>}
      <Button look="main" onClick={() => location.reload()}>
        Load again
      </Button>
    </Message>
  );
}

function Message({
  title,
  says,
  children,
}: {
  title: string;
  says: string;
  children: React.ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-prose flex-col items-center gap-3 px-4 py-16 text-center">
      <DocumentTitle>{title}</DocumentTitle>
      <h1 className="text-xl font-semibold">{title}</h1>
      <p className="text-soft">{says}</p>
      {children}
    </div>
  );
}
