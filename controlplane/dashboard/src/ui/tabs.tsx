import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { NavLink, useLocation } from "react-router";

const TAB = "border-b-2 px-1 py-2 font-medium whitespace-nowrap";
const ON = "border-main text-ink";
const OFF = "border-transparent text-soft hover:text-ink";

/** Parts of a page that have addresses of their own. */
export function LinkTabs({ label, tabs }: { label: string; tabs: { to: string; label: string }[] }) {
  const list = useRef<HTMLUListElement>(null);
  const { pathname } = useLocation();
  useEffect(() => {
    // On a narrow screen the part that is shown may stand beyond the edge of the row.
    list.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [pathname]);
  return (
    <nav aria-label={label} className="mb-5 overflow-x-auto border-b border-line">
      <ul ref={list} className="flex gap-5">
        {tabs.map((tab) => (
          <li key={tab.to}>
            <NavLink
              end
              preventScrollReset
              to={tab.to}
              className={({ isActive }) => `-outline-offset-2 block ${TAB} ${isActive ? ON : OFF}`}
            >
              {tab.label}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Ways to see one thing; arrow keys go from one to the next. */
export function Tabs({
  label,
  tabs,
}: {
  label: string;
  tabs: { name: string; label: string; content: ReactNode }[];
}) {
  const id = useId();
  const [chosen, setChosen] = useState(tabs[0]?.name);
  const step = (event: KeyboardEvent, at: number) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next === undefined) return;
    setChosen(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  };
  return (
    <div className="min-w-0">
      <div role="tablist" aria-label={label} className="mb-3 flex gap-4 overflow-x-auto border-b border-line">
        {tabs.map((tab, at) => (
          <button
            key={tab.name}
            type="button"
            role="tab"
            id={`${id}-${tab.name}`}
            aria-selected={chosen === tab.name}
            aria-controls={`${id}-${tab.name}-panel`}
            tabIndex={chosen === tab.name ? 0 : -1}
            onClick={() => setChosen(tab.name)}
            onKeyDown={(event) => step(event, at)}
            className={`-outline-offset-2 ${TAB} ${chosen === tab.name ? ON : OFF}`}
          >
            {tab.label}
          </button>
        ))}
      </div>
      {tabs.map((tab) => (
        <div
          key={tab.name}
          role="tabpanel"
          id={`${id}-${tab.name}-panel`}
          aria-labelledby={`${id}-${tab.name}`}
          hidden={chosen !== tab.name}
        >
          {chosen === tab.name && tab.content}
        </div>
      ))}
    </div>
  );
}
