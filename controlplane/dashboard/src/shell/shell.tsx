import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link, NavLink, Outlet, ScrollRestoration, useLocation, useMatches, useNavigate, useNavigation, useParams } from "react-router";
import { Api, type ApiProblem, type Me } from "../api/client";
import { SessionProvider, usePath, useSession, useShown } from "../api/hooks";
import { SECTIONS, type Needs } from "../routes";
import { ButtonLink, Problem, Skeleton } from "../ui/basics";
import { Icon } from "../ui/icons";
import { AccountMenu } from "./account";
import { Barred } from "./faults";
import { Palette } from "./palette";
import { rememberTenant } from "./remembered";

/** All pages of a tenant: who is signed in is known before any of them is drawn. */
export function TenantShell() {
  const { tenant = "" } = useParams();
  const api = useMemo(() => new Api(tenant), [tenant]);
  const me = useQuery<Me, ApiProblem>({
    queryKey: [tenant, "/v1/me"],
    queryFn: ({ signal }) => api.get<Me>("/v1/me", { signal }),
    staleTime: 60_000,
  });
  useEffect(() => {
    if (me.data !== undefined) rememberTenant(tenant);
  }, [me.data, tenant]);
  if (me.error !== null && me.data === undefined) {
    return (
      <main className="mx-auto grid max-w-2xl gap-4 p-6">
        <h1 className="text-xl font-semibold">The tenant {tenant}</h1>
        <Problem problem={me.error} retry={() => void me.refetch()} />
        <div>
          <ButtonLink to="/dashboard">Go to a tenant of yours</ButtonLink>
        </div>
      </main>
    );
  }
  if (me.data === undefined) {
    return (
      <main aria-busy="true" className="mx-auto max-w-2xl p-6">
        <h1 className="sr-only">Loading {tenant}</h1>
        <PageSkeleton />
      </main>
    );
  }
  return (
    <SessionProvider value={{ api, me: me.data }}>
      <Frame key={tenant} />
    </SessionProvider>
  );
}

function Frame() {
  const [palette, setPalette] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  const navigation = useNavigation();
  const path = usePath();
  useEffect(() => {
    const keys = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest("input, textarea, select, [contenteditable], dialog");
      const wanted = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && typing === null);
      if (!wanted || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      setPalette(true);
    };
    document.addEventListener("keydown", keys);
    return () => document.removeEventListener("keydown", keys);
  }, []);
  const isShown = useShown();
  const barred = useMatches().map(({ handle }) => handle as Needs | undefined).find((needs) => needs !== undefined && !isShown(needs));
  const came = useRef(pathname);
  useEffect(() => {
    if (came.current === pathname) return; // the first page begins at its top, as any page
    came.current = pathname;
    setDrawer(false);
    // The link that led here is gone with its page: readers go on at the top of this one.
    if (document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[14rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-16 rounded bg-main px-3 py-1.5 text-on-main focus:translate-y-0"
      >
        Skip to the content
      </a>
      <aside className="hidden border-r border-line lg:block">
        <div className="sticky top-0 flex h-dvh flex-col overflow-y-auto p-3">
          <Brand />
          <Navigation label="Pages" />
        </div>
      </aside>
      <div className="flex min-w-0 flex-col">
        <header className="sticky top-0 z-30 flex h-13 items-center gap-2 border-b border-line bg-paper px-3 sm:px-6">
          <button
            type="button"
            aria-expanded={drawer}
            aria-controls="drawer"
            onClick={() => setDrawer(!drawer)}
            className="-ml-1 rounded p-2 lg:hidden"
          >
            <Icon name={drawer ? "close" : "menu"} />
            <span className="sr-only">Pages</span>
          </button>
          <TenantSwitcher />
          <div className="ml-auto flex items-center gap-2">
            <button
              type="button"
              onClick={() => setPalette(true)}
              className="flex h-8 items-center gap-2 rounded-md border border-line bg-card px-2.5 text-soft hover:text-ink"
            >
              <Icon name="search" />
              <span className="sr-only sm:not-sr-only">Go to…</span>
              <kbd className="hidden rounded border border-line px-1 text-xs sm:block">/</kbd>
            </button>
            <AccountMenu />
          </div>
        </header>
        {drawer && (
          <div id="drawer" className="border-b border-line bg-card p-3 lg:hidden">
            <Navigation label="All pages" />
          </div>
        )}
        {navigation.state === "loading" && (
          <div role="status" className="fixed inset-x-0 top-0 z-50 h-0.5 animate-pulse bg-main">
            <span className="sr-only">Loading the page</span>
          </div>
        )}
        <main
          id="main"
          ref={main}
          tabIndex={-1}
          className="w-full max-w-6xl flex-1 px-3 py-5 outline-none sm:px-6"
        >
          {barred === undefined ? <Outlet /> : <Barred scope={barred.scope} />}
        </main>
        <footer className="px-3 pt-4 pb-6 text-xs text-soft sm:px-6">
          <Link to={path()} className="hover:text-ink">
            KubeServe
          </Link>
          {" · "}
          <a href="/docs" className="hover:text-ink">
            API reference
          </a>
        </footer>
      </div>
      <ScrollRestoration />
      {palette && <Palette onClose={() => setPalette(false)} />}
    </div>
  );
}

function Brand() {
  const path = usePath();
  return (
    <Link to={path()} className="mb-4 flex items-center gap-2 rounded px-2 py-1 text-base font-semibold">
      <img src="/assets/icon.svg" alt="" className="size-5" />
      KubeServe
    </Link>
  );
}

function Navigation({ label }: { label: string }) {
  const path = usePath();
  const isShown = useShown();
  const shown = SECTIONS.filter(isShown);
  const groups = [...new Set(shown.map(({ group }) => group))];
  return (
    <nav aria-label={label} className="grid gap-4">
      {groups.map((group) => (
        <div key={group}>
          {group !== "" && <p className="mb-1 px-2 text-xs font-medium text-soft">{group}</p>}
          <ul className="grid gap-0.5">
            {shown
              .filter((one) => one.group === group)
              .map((one) => (
                <li key={one.path}>
                  <NavLink
                    to={one.path === "" ? path() : path(one.path)}
                    end={one.path === ""}
                    className={({ isActive }) =>
                      `flex items-center gap-2.5 rounded-md px-2 py-1.5 ${isActive ? "bg-tint font-medium text-main" : "text-soft hover:bg-sunk hover:text-ink"}`
                    }
                  >
                    <Icon name={one.icon} />
                    {one.label}
                  </NavLink>
                </li>
              ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

/** A select, since it is a choice of one: every device knows how to show it. */
function TenantSwitcher() {
  const { me, api } = useSession();
  const go = useNavigate();
  return (
    <label className="flex min-w-0 items-center gap-2">
      <span className="sr-only">Tenant</span>
      <Icon name="tenant" className="text-soft" />
      <select
        value={api.tenant ?? ""}
        onChange={(event) => void go(`/dashboard/${event.target.value}`)}
        className="h-8 max-w-40 min-w-0 truncate rounded-md border border-transparent bg-paper pr-1 font-medium hover:bg-sunk"
      >
        {me.tenants.map(({ name, role }) => (
          <option key={name} value={name}>
            {name} ({role})
          </option>
        ))}
      </select>
    </label>
  );
}

/** What a page shows while its code is loaded. */
export function PageSkeleton() {
  return <Skeleton lines={6} />;
}
