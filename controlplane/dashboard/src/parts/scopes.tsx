import { Check } from "../ui/form";

export const SCOPES: { name: string; label: string; hint: string }[] = [
  { name: "predict", label: "predict", hint: "Call endpoints." },
  { name: "models:read", label: "models:read", hint: "See models and versions." },
  { name: "models:write", label: "models:write", hint: "Upload and delete models." },
  { name: "endpoints:read", label: "endpoints:read", hint: "See endpoints, logs, usage." },
  { name: "endpoints:write", label: "endpoints:write", hint: "Deploy, change and delete endpoints." },
  { name: "payloads:read", label: "payloads:read", hint: "Read what callers sent, where it is logged." },
  { name: "admin", label: "admin", hint: "Everything in this tenant, members and keys too." },
];

/** Which scopes are given; `may` are those that can be. */
export function Scopes({
  chosen,
  choose,
  may = () => true,
  error,
}: {
  chosen: string[];
  choose: (scopes: string[]) => void;
  may?: (scope: string) => boolean;
  error?: string | undefined;
}) {
  return (
    <fieldset>
      <legend className="mb-2 font-medium">Scopes</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {SCOPES.filter(({ name }) => may(name)).map(({ name, label, hint }) => (
          <Check
            key={name}
            label={label}
            hint={hint}
            checked={chosen.includes(name)}
            onChange={({ target }) => choose(target.checked ? [...chosen, name] : chosen.filter((one) => one !== name))}
          />
        ))}
      </div>
      {error !== undefined && <p className="mt-1 text-xs text-bad">{error}</p>}
    </fieldset>
  );
}

/** A program reads what it is given in this order. */
export function inOrder(scopes: string[]): string[] {
  return SCOPES.map(({ name }) => name).filter((name) => scopes.includes(name));
}
