import type { ReactNode } from "react";
import type { Schemas } from "../api/client";
import { Icon } from "../ui/icons";

/** Cause, evidence and next step: the words of the API and of `kubeserve why`. */
export function Why({ why, title }: { why: Pick<Schemas["Why"], "ok" | "message" | "evidence" | "next_step">; title?: ReactNode }) {
  return (
    <div className={`rounded-lg border p-4 ${why.ok ? "border-line bg-card" : "border-bad bg-bad-tint"}`}>
      {title !== undefined && <p className="text-xs text-soft">{title}</p>}
      <p className="flex gap-2 font-semibold">
        <Icon name={why.ok ? "check" : "warn"} className={`mt-0.5 ${why.ok ? "text-good" : "text-bad"}`} />
        <span className="min-w-0 wrap-anywhere">
          <Words>{why.message}</Words>
        </span>
      </p>
      {why.evidence.length > 0 && (
        <ul className="mt-2 list-disc pl-10">
          {why.evidence.map((one) => (
            <li key={one} className="wrap-anywhere">
              <Words>{one}</Words>
            </li>
          ))}
        </ul>
      )}
      {why.next_step !== "" && (
        <p className="mt-2 pl-6 wrap-anywhere">
          <b>Next:</b> <Words>{why.next_step}</Words>
        </p>
      )}
    </div>
  );
}

/** What stands between backquotes is a command. */
export function Words({ children }: { children: string }) {
  return children.split("`").map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <code key={at} className="rounded bg-sunk px-1 text-[0.92em] font-normal">
        {part}
      </code>
    ),
  );
}
