import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";
import type { ApiProblem } from "../api/client";
import { Icon } from "./icons";

interface Toast {
  id: number;
  kind: "good" | "bad";
  title: string;
  detail?: string;
}

export interface Toasts {
  good(title: string, detail?: string): void;
  bad(title: string, detail?: string): void;
  problem(problem: ApiProblem): void;
}

const Current = createContext<Toasts | null>(null);
const SHOWN_MS = 6000;
const MOST = 4;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Toast[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => setShown((now) => now.filter((one) => one.id !== id)), []);
  const add = useCallback(
    (kind: Toast["kind"], title: string, detail?: string) => {
      const id = next.current++;
      const made: Toast = detail === undefined ? { id, kind, title } : { id, kind, title, detail };
      setShown((now) => [...now.slice(1 - MOST), made]);
      // What went wrong stays until it is read.
      if (kind === "good") setTimeout(() => drop(id), SHOWN_MS);
    },
    [drop],
  );
  const toasts = useMemo<Toasts>(
    () => ({
      good: (title, detail) => add("good", title, detail),
      bad: (title, detail) => add("bad", title, detail),
      problem: (problem) => add("bad", problem.title, problem.detail),
    }),
    [add],
  );
  const list = (kind: Toast["kind"]) =>
    shown.filter((one) => one.kind === kind).map((one) => <Shown key={one.id} toast={one} drop={drop} />);
  return (
    <Current value={toasts}>
      {children}
      <div className="pointer-events-none fixed inset-x-3 bottom-3 z-50 flex flex-col items-end gap-2 sm:left-auto">
        {/* Live regions are there before anything is said in them. */}
        <div aria-live="polite" className="contents">
          {list("good")}
        </div>
        <div aria-live="assertive" className="contents">
          {list("bad")}
        </div>
      </div>
    </Current>
  );
}

function Shown({ toast, drop }: { toast: Toast; drop: (id: number) => void }) {
  const bad = toast.kind === "bad";
  return (
    <div
      className={`pointer-events-auto flex w-full max-w-sm items-start gap-2 rounded-lg border bg-card p-3 shadow-lg ${bad ? "border-bad" : "border-line"}`}
    >
      <Icon name={bad ? "warn" : "check"} className={`mt-0.5 ${bad ? "text-bad" : "text-good"}`} />
      <div className="min-w-0 flex-1 wrap-anywhere">
        <p className="font-medium">{toast.title}</p>
        {toast.detail !== undefined && <p className="text-soft">{toast.detail}</p>}
      </div>
      <button
        type="button"
        aria-label="Dismiss"
        onClick={() => drop(toast.id)}
        className="-m-1 rounded p-1 text-soft hover:text-ink"
      >
        <Icon name="close" />
      </button>
    </div>
  );
}

export function useToast(): Toasts {
  const found = useContext(Current);
  if (found === null) throw new Error("useToast outside of ToastProvider");
  return found;
}
