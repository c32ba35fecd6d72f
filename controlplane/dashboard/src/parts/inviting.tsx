import { useState, type FormEvent } from "react";
import type { Invitation, Role } from "../api/documents";
import { useAct } from "../api/hooks";
import { Button, Problem, Time } from "../ui/basics";
import { Dialog } from "../ui/dialog";
import { SelectField, TextField } from "../ui/form";
import { LinkOnce } from "./secret";

export const ROLES: Record<Role, string> = {
  viewer: "Sees models, endpoints and usage.",
  developer: "Uploads, deploys, predicts, tests.",
  admin: "All of that; members, keys, clients, audit.",
  owner: "As administrators, and makes and unmakes owners.",
};

/** Asks whom to invite; then shows the link. `tenant`: another than the one that is shown. */
export function Invite({ tenant, role = "developer", onClose }: { tenant?: string; role?: Role; onClose: () => void }) {
  const [email, setEmail] = useState("");
  const [as, setAs] = useState<Role>(role);
  const invite = useAct(
    (api) =>
      api.post<Invitation & { link: string }>("/v1/invitations", {
        email: email.trim() === "" ? null : email.trim(),
        role: as,
        ...(tenant === undefined ? {} : { tenant }),
      }),
    { touches: ["/v1/invitations"], quiet: true },
  );
  const made = invite.data;
  if (made !== undefined)
    return (
      <LinkOnce title={`Invitation to ${made.tenant}`} link={made.link} onClose={onClose}>
        Send it to {made.email ?? "whom you want"}: whoever opens it joins as {made.role}
        {made.email === null ? "" : ", with that address alone"}. It works once, until <Time at={made.expires_at} />.
      </LinkOnce>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate();
  };
  return (
    <Dialog title={tenant === undefined ? "Invite somebody" : `Invite somebody to ${tenant}`} onClose={onClose}>
      <form onSubmit={submit} className="grid gap-4">
        <TextField
          label="E-mail address"
          type="email"
          hint="No mail is sent: you get a link to pass on. Left empty, it is for whoever has the link."
          value={email}
          onChange={({ target }) => setEmail(target.value)}
        />
        <SelectField label="Role" hint={ROLES[as]} value={as} onChange={({ target }) => setAs(target.value as Role)}>
          {(Object.keys(ROLES) as Role[]).map((one) => (
            <option key={one}>{one}</option>
          ))}
        </SelectField>
        {invite.error !== null && <Problem problem={invite.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="main" type="submit" busy={invite.isPending}>
            Make the link
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
