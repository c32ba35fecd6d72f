import { useEffect, useRef, useState } from "react";
import { useSession } from "../api/hooks";
import { Icon, type IconName } from "../ui/icons";
import { chooseTheme, theme, type Theme } from "./remembered";

const ITEM = "flex w-full items-center gap-2 rounded px-2 py-1.5 text-left hover:bg-sunk";

/** The form for signing out is the server's own page's: a POST with the session's form token. */
export function SignOut() {
  const token = document.querySelector<HTMLMetaElement>("meta[name=form-token]")?.content ?? "";
  return (
    <form method="post" action="/logout">
      <input type="hidden" name="form_token" value={token} />
      <button className={ITEM}>Sign out</button>
    </form>
  );
}

const THEMES: { value: Theme; label: string; icon: IconName }[] = [
  { value: "system", label: "System", icon: "system" },
  { value: "light", label: "Light", icon: "sun" },
  { value: "dark", label: "Dark", icon: "moon" },
];

export function AccountMenu() {
  const { me } = useSession();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Theme>(theme);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  return (
    <div
      ref={box}
      className="relative"
      onKeyDown={(event) => {
        if (event.key === "Escape" && open) {
          setOpen(false);
          button.current?.focus();
        }
      }}
    >
      <button
        ref={button}
        type="button"
        aria-expanded={open}
        aria-controls="account-menu"
        onClick={() => setOpen(!open)}
        className="flex size-8 items-center justify-center rounded-full bg-tint font-semibold text-main"
      >
        <span aria-hidden="true">{(me.name ?? me.email ?? "?").slice(0, 1).toUpperCase()}</span>
        <span className="sr-only">Account and appearance</span>
      </button>
      <div
        id="account-menu"
        hidden={!open}
        className="absolute right-0 z-40 mt-2 w-60 rounded-lg border border-line bg-card p-1.5 shadow-xl"
      >
        <p className="px-2 py-1.5 wrap-anywhere">
          <span className="block font-medium">{me.name}</span>
          <span className="block text-xs text-soft">{me.email}</span>
        </p>
        <fieldset className="my-1 border-y border-line px-2 py-2">
          <legend className="sr-only">Appearance</legend>
          <div className="grid grid-cols-3 gap-1">
            {THEMES.map(({ value, label, icon }) => (
              <label
                key={value}
                className="flex cursor-pointer flex-col items-center gap-1 rounded p-1.5 text-xs text-soft hover:text-ink has-checked:bg-tint has-checked:text-main has-focus-visible:outline-2"
              >
                <input
                  type="radio"
                  name="theme"
                  className="sr-only"
                  checked={chosen === value}
                  onChange={() => {
                    chooseTheme(value);
                    setChosen(value);
                  }}
                />
                <Icon name={icon} />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
        <a href="/account" className={ITEM}>
          Your account
        </a>
        <a href="/docs" className={ITEM}>
          API reference
        </a>
        <SignOut />
      </div>
    </div>
  );
}
