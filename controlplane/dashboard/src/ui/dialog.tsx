import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import type { ApiProblem } from "../api/client";
import { Button, Problem } from "./basics";
import { TextField } from "./form";
import { Icon } from "./icons";

/** A modal of the browser's own: it keeps the focus, and Escape closes it. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === element.current && element.current?.close()}
      className="w-[min(34rem,calc(100vw-1.5rem))] rounded-xl border border-line bg-card p-0 text-ink shadow-xl"
    >
      <div className="p-5">
        <div className="mb-3 flex items-start justify-between gap-3">
          <h2 id={id} className="text-base font-semibold wrap-anywhere">
            {title}
          </h2>
          <button
            type="button"
            aria-label="Close"
            onClick={() => element.current?.close()}
            className="-m-1 rounded p-1 text-soft hover:text-ink"
          >
            <Icon name="close" />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}

/** Asks before something is done that cannot be undone; `typed` has to be typed first. */
export function Confirm({
  title,
  action,
  typed,
  busy,
  problem,
  onConfirm,
  onClose,
  children,
}: {
  title: string;
  /** What the button says: the very thing that is done. */
  action: string;
  typed?: string;
  busy: boolean;
  problem: ApiProblem | null;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}) {
  const [text, setText] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (typed === undefined || text === typed) onConfirm();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <div>{children}</div>
        {typed !== undefined && (
          <TextField
            label={`Type ${typed} to confirm`}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        {problem !== null && <Problem problem={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="danger" type="submit" busy={busy} disabled={typed !== undefined && text !== typed}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
