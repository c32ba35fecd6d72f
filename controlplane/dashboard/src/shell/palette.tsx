import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useNavigate } from "react-router";
import type { Schemas } from "../api/client";
import { useCan, useList, usePath, useShown } from "../api/hooks";
import { SECTIONS } from "../routes";
import { Icon, type IconName } from "../ui/icons";

interface Item {
  key: string;
  label: string;
  kind: string;
  icon: IconName;
  to: string;
}

const MOST = 12;

/** Ctrl-K or /: go anywhere by typing a part of its name. */
export function Palette({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const go = useNavigate();
  const path = usePath();
  const can = useCan();
  const isShown = useShown();
  const models = useList<Schemas["Model"]>(can("models:read") ? "/v1/models?limit=200" : null);
  const endpoints = useList<Schemas["Endpoint"]>(
    can("endpoints:read") ? "/v1/endpoints?limit=200" : null,
  );
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const items = useMemo<Item[]>(
    () => [
      ...SECTIONS.filter(isShown).map((one) => ({
        key: `section-${one.path}`,
        label: one.label,
        kind: "Page",
        icon: one.icon,
        to: one.path === "" ? path() : path(one.path),
      })),
      ...endpoints.items.map(({ name }) => ({
        key: `endpoint-${name}`,
        label: name,
        kind: "Endpoint",
        icon: "endpoint" as const,
        to: path("endpoints", name),
      })),
      ...models.items.map(({ name }) => ({
        key: `model-${name}`,
        label: name,
        kind: "Model",
        icon: "model" as const,
        to: path("models", name),
      })),
    ],
    [isShown, path, endpoints.items, models.items],
  );
  const typed = text.trim().toLowerCase();
  const found = items.filter(({ label }) => label.toLowerCase().includes(typed)).slice(0, MOST);
  const open = (item: Item | undefined) => {
    if (item === undefined) return;
    dialog.current?.close();
    void go(item.to);
  };
  const keys = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((now) => (now + by + found.length) % found.length);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      open(found[at]);
    }
  };
  return (
    <dialog
      ref={dialog}
      aria-label="Go to"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
      className="mt-[12vh] w-[min(34rem,calc(100vw-1.5rem))] rounded-xl border border-line bg-card p-0 text-ink shadow-2xl"
    >
      <div className="flex items-center gap-2 border-b border-line px-3">
        <Icon name="search" className="text-soft" />
        <input
          type="text"
          role="combobox"
          aria-label="Go to a page, an endpoint or a model"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={found[at] === undefined ? undefined : `${id}-${at}`}
          placeholder="Go to…"
          autoComplete="off"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={keys}
          className="h-11 w-full bg-transparent outline-none"
        />
      </div>
      <ul role="listbox" id={id} aria-label="Found" className="max-h-80 overflow-y-auto p-1.5">
        {found.map((item, index) => (
          <li
            key={item.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            onPointerMove={() => setAt(index)}
            onClick={() => open(item)}
            className={`flex cursor-pointer items-center gap-2 rounded-md px-2 py-1.5 ${index === at ? "bg-tint text-main" : ""}`}
          >
            <Icon name={item.icon} />
            <span className="min-w-0 flex-1 truncate">{item.label}</span>
            <span className="text-xs text-soft">{item.kind}</span>
          </li>
        ))}
      </ul>
      {found.length === 0 && (
        <p role="status" className="px-4 pb-4 text-soft">
          Nothing is called that.
        </p>
      )}
    </dialog>
  );
}
