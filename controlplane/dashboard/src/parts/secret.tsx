import type { ReactNode } from "react";
import { Button, Code } from "../ui/basics";
import { Dialog } from "../ui/dialog";

/** A secret that the API tells once: here, and nowhere else. */
export function SecretOnce({
  title,
  label,
  secret,
  onClose,
  children,
}: {
  title: string;
  label: string;
  secret: string;
  onClose: () => void;
  children?: ReactNode;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="grid gap-4">
        <p role="status" className="rounded-md bg-warn-tint p-3">
          <b className="text-warn">Copy it now.</b> It is shown once; nobody, not even this installation, can read it again.
        </p>
        <Code label={label}>{secret}</Code>
        {children}
        <div className="flex justify-end">
          <Button look="main" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

/** A link for somebody else, told once. */
export function LinkOnce({ title, link, onClose, children }: { title: string; link: string; onClose: () => void; children: ReactNode }) {
  return (
    <SecretOnce title={title} label="Link" secret={link} onClose={onClose}>
      <div className="text-soft">{children}</div>
    </SecretOnce>
  );
}
