import { useState, type ButtonHTMLAttributes, type ReactNode } from "react";
import { Link } from "react-router";
import type { ApiProblem } from "../api/client";
import { ago, exact } from "./format";
import { Icon, type IconName } from "./icons";

type Look = "main" | "plain" | "quiet" | "danger";

const LOOKS: Record<Look, string> = {
  main: "bg-main text-on-main border-main hover:opacity-90",
  plain: "bg-card text-ink border-edge hover:bg-sunk",
  quiet: "border-transparent text-soft hover:bg-sunk hover:text-ink",
  danger: "bg-card text-bad border-bad hover:bg-bad-tint",
};
const BUTTON =
  "inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md border px-3 py-1 font-medium whitespace-nowrap disabled:cursor-not-allowed disabled:opacity-60";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: IconName;
  /** Something is being done: it cannot be pressed, and says so. */
  busy?: boolean;
}

export function Button({ look = "plain", icon, busy = false, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={busy || rest.disabled}
      aria-busy={busy || undefined}
      className={`${BUTTON} ${LOOKS[look]} ${rest.className ?? ""}`}
    >
      {busy ? <Spinner /> : icon !== undefined && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function ButtonLink({
  to,
  look = "plain",
  icon,
  children,
}: {
  to: string;
  look?: Look;
  icon?: IconName;
  children: ReactNode;
}) {
  return (
    <Link to={to} className={`${BUTTON} ${LOOKS[look]}`}>
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </Link>
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden="true"
      className="inline-block size-3.5 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  );
}

/** The head of a page: its title is the document's, so that tabs and screen readers tell it. */
export function PageHead({
  title,
  back,
  says,
  children,
}: {
  title: ReactNode;
  /** The page above this one. */
  back?: { to: string; label: string };
  says?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <header className="mb-5">
      {back !== undefined && (
        <Link to={back.to} className="mb-1 inline-flex items-center text-soft hover:text-ink">
          <Icon name="right" className="rotate-180" />
          {back.label}
        </Link>
      )}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 text-xl font-semibold tracking-tight wrap-anywhere">
          {title}
        </h1>
        <div className="ml-auto flex flex-wrap gap-2">{children}</div>
      </div>
      {says !== undefined && <div className="mt-1 max-w-prose text-soft">{says}</div>}
    </header>
  );
}

export function DocumentTitle({ children }: { children: string }) {
  return <title>{`${children} · KubeServe`}</title>;
}

export function Card({
  title,
  action,
  flush = false,
  children,
}: {
  title?: ReactNode;
  action?: ReactNode;
  /** What is in it goes to its edges, as a table does. */
  flush?: boolean;
  children: ReactNode;
}) {
  return (
    <section className="min-w-0 rounded-lg border border-line bg-card">
      {title !== undefined && (
        <div className="flex min-h-11 flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-1.5">
          <h2 className="font-semibold">{title}</h2>
          {action}
        </div>
      )}
      <div className={flush ? "" : "p-4"}>{children}</div>
    </section>
  );
}

export type Tone = "good" | "warn" | "bad" | "main" | "plain";

const TONES: Record<Tone, string> = {
  good: "bg-good-tint text-good",
  warn: "bg-warn-tint text-warn",
  bad: "bg-bad-tint text-bad",
  main: "bg-tint text-main",
  plain: "bg-sunk text-soft",
};

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {children}
    </span>
  );
}

/** A badge with a dot: the state of something that may change. */
export function Status({ tone, live = false, children }: { tone: Tone; live?: boolean; children: ReactNode }) {
  return (
    <Badge tone={tone}>
      <span
        aria-hidden="true"
        className={`size-1.5 rounded-full bg-current ${live ? "animate-pulse" : ""}`}
      />
      {children}
    </Badge>
  );
}

/** A figure with its name: `dl` of them is `Facts`. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[repeat(auto-fit,minmax(7.5rem,1fr))] gap-x-6 gap-y-4">{children}</dl>;
}

export function Fact({ name, says, children }: { name: string; says?: ReactNode; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="font-medium wrap-anywhere">{children}</dd>
      {says !== undefined && <dd className="text-xs text-soft">{says}</dd>}
    </div>
  );
}

/** One number, large. */
export function Figure({ name, value, says }: { name: string; value: ReactNode; says?: ReactNode }) {
  return (
    <div className="min-w-0 rounded-lg border border-line bg-card px-4 py-3">
      <p className="text-xs text-soft">{name}</p>
      <p className="text-lg font-semibold tracking-tight wrap-anywhere">{value}</p>
      {says !== undefined && <p className="text-xs text-soft">{says}</p>}
    </div>
  );
}

export function Figures({ children }: { children: ReactNode }) {
  return <div className="grid grid-cols-2 gap-3 sm:grid-cols-[repeat(auto-fit,minmax(9rem,1fr))]">{children}</div>;
}

export function Time({ at }: { at: string | null | undefined }) {
  if (at === null || at === undefined) return <>–</>;
  return (
    <time dateTime={at} title={exact(at)}>
      {ago(at)}
    </time>
  );
}

/** A problem as the API told it; `errors` name rows, columns or fields. */
export function Problem({ problem, retry }: { problem: ApiProblem; retry?: () => void }) {
  // The first of them is often what the sentence says already.
  const faults = problem.errors.map((fault) => where(fault) + fault.detail).filter((said) => said !== problem.detail);
  return (
    <div role="alert" className="rounded-lg border border-bad bg-bad-tint p-4 text-ink">
      <p className="flex items-center gap-2 font-semibold text-bad">
        <Icon name="warn" />
        {problem.title}
      </p>
      <p className="mt-1 wrap-anywhere">{problem.detail}</p>
      {faults.length > 0 && (
        <ul className="mt-2 list-disc pl-5">
          {faults.slice(0, 20).map((said, at) => (
            <li key={at} className="wrap-anywhere">
              {said}
            </li>
          ))}
          {faults.length > 20 && <li>and {faults.length - 20} more</li>}
        </ul>
      )}
      <div className="mt-2 flex flex-wrap items-center gap-3">
        {retry !== undefined && <Button onClick={retry}>Try again</Button>}
        {problem.requestId !== null && (
          <span className="text-xs text-soft">
            Request <code>{problem.requestId}</code>
          </span>
        )}
      </div>
    </div>
  );
}

function where(fault: ApiProblem["errors"][number]): string {
  const parts = [
    fault.row === undefined ? null : `row ${fault.row}`,
    fault.column === undefined ? null : `column ${fault.column}`,
    fault.field ?? null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

/** Nothing is there yet: what it would be, and the two ways to make one. */
export function Empty({
  icon,
  title,
  children,
  command,
  action,
}: {
  icon: IconName;
  title: string;
  children?: ReactNode;
  /** What the command line does the same with. */
  command?: string;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-3 px-4 py-12 text-center">
      <span className="rounded-full bg-tint p-3 text-main">
        <Icon name={icon} className="size-6" />
      </span>
      <p className="text-base font-semibold">{title}</p>
      {children !== undefined && <div className="max-w-prose text-soft">{children}</div>}
      {action}
      {command !== undefined && (
        <div className="mt-1 w-full max-w-lg text-left">
          <Code label="Command line">{command}</Code>
        </div>
      )}
    </div>
  );
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https there is no clipboard; a selection of a hidden field is the older way.
      const field = document.createElement("textarea");
      field.value = text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return (
    <button
      type="button"
      onClick={() => void copy()}
      aria-label={label}
      title={label}
      className="rounded p-1.5 text-soft hover:bg-sunk hover:text-ink"
    >
      <Icon name={done ? "check" : "copy"} className={done ? "text-good" : ""} />
      <span role="status" className="sr-only">
        {done ? "Copied" : ""}
      </span>
    </button>
  );
}

/** Code to copy. */
export function Code({ label, children }: { label: string; children: string }) {
  return (
    <div className="relative min-w-0 rounded-md border border-line bg-sunk">
      <div className="absolute top-1 right-1 rounded bg-sunk">
        <Copy text={children} label={`Copy: ${label}`} />
      </div>
      <pre
        tabIndex={0}
        role="group"
        aria-label={label}
        className="overflow-x-auto p-3 pr-10 font-mono text-xs leading-5"
      >
        {children}
      </pre>
    </div>
  );
}

export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div role="status" className="grid gap-3">
      <span className="sr-only">Loading</span>
      {Array.from({ length: lines }, (_, at) => (
        <div
          key={at}
          aria-hidden="true"
          className={`h-4 animate-pulse rounded bg-line ${["w-full", "w-4/5", "w-11/12", "w-2/3"][at % 4]}`}
        />
      ))}
    </div>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: ApiProblem | null;
  refetch: () => unknown;
}

/** What was asked for: its skeleton, the problem, or what is made of it. */
export function Loaded<T>({
  of,
  lines = 4,
  children,
}: {
  of: Asked<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}) {
  // What was read before is worth more than a problem of the last poll; a toast would repeat it.
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error !== null) return <Problem problem={of.error} retry={() => void of.refetch()} />;
  return <Skeleton lines={lines} />;
}
