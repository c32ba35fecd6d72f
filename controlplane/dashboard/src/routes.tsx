import type { ComponentType } from "react";
import type { RouteObject } from "react-router";
import { Crash, NotFound } from "./shell/faults";
import { Start } from "./shell/start";
import { TenantShell } from "./shell/shell";
import type { IconName } from "./ui/icons";

/** Whom pages are shown to. */
export interface Needs {
  /** Those alone who may do this. */
  scope?: string;
  /** Of the installation: in its first tenant alone. */
  platform?: true;
}

export interface Section extends Needs {
  /** Below the tenant's address; "" is its overview. */
  path: string;
  label: string;
  icon: IconName;
  group: "" | "Build" | "Serve" | "Observe" | "Manage";
}

/** What stands in the navigation and the palette, in this order. A page is added here and below. */
export const SECTIONS: Section[] = [
  { path: "", label: "Overview", icon: "home", group: "" },
  { path: "models", label: "Models", icon: "model", group: "Build", scope: "models:read" },
  { path: "endpoints", label: "Endpoints", icon: "endpoint", group: "Serve", scope: "endpoints:read" },
  { path: "loadtests", label: "Load tests", icon: "loadtest", group: "Observe", scope: "endpoints:read" },
  { path: "usage", label: "Usage", icon: "usage", group: "Observe", scope: "endpoints:read" },
  { path: "audit", label: "Audit log", icon: "audit", group: "Observe", scope: "admin" },
  { path: "members", label: "Members", icon: "members", group: "Manage", scope: "admin" },
  { path: "keys", label: "API keys", icon: "key", group: "Manage" },
  { path: "clients", label: "Clients", icon: "client", group: "Manage", scope: "admin" },
  { path: "webhooks", label: "Webhooks", icon: "webhook", group: "Manage", scope: "admin" },
  { path: "quota", label: "Quotas", icon: "usage", group: "Manage", scope: "endpoints:read" },
  { path: "tenants", label: "Tenants", icon: "tenant", group: "Manage", scope: "admin", platform: true },
  { path: "people", label: "People", icon: "person", group: "Manage", scope: "admin", platform: true },
];

/** A page is a module of its own, loaded when somebody goes there. */
const page = (load: () => Promise<{ default: ComponentType }>): Pick<RouteObject, "lazy"> => ({
  lazy: async () => ({ Component: (await load()).default }),
});

const PAGES: RouteObject[] = [
  { index: true, ...page(() => import("./pages/overview")) },
  { path: "models", ...page(() => import("./pages/models")) },
  { path: "endpoints", ...page(() => import("./pages/endpoints")) },
  {
    path: "endpoints/:endpoint",
    ...page(() => import("./pages/endpoint/layout")),
    children: [
      { index: true, ...page(() => import("./pages/endpoint/overview")) },
      { path: "try", ...page(() => import("./pages/endpoint/try")) },
      { path: "traffic", ...page(() => import("./pages/endpoint/traffic")) },
      { path: "releases", ...page(() => import("./pages/endpoint/releases")) },
      { path: "logs", ...page(() => import("./pages/endpoint/logs")) },
      { path: "payloads", ...page(() => import("./pages/endpoint/payloads")) },
      { path: "drift", ...page(() => import("./pages/endpoint/drift")) },
      { path: "settings", ...page(() => import("./pages/endpoint/settings")) },
    ],
  },
  { path: "upload", handle: { scope: "models:write" }, ...page(() => import("./pages/upload")) },
  { path: "models/:model", ...page(() => import("./pages/model")) },
  { path: "models/:model/:version", ...page(() => import("./pages/version")) },
  { path: "loadtests", ...page(() => import("./pages/loadtests")) },
  { path: "loadtests/new", handle: { scope: "endpoints:write" }, ...page(() => import("./pages/loadtest_new")) },
  { path: "loadtests/:loadtest", ...page(() => import("./pages/loadtest")) },
  { path: "usage", ...page(() => import("./pages/usage")) },
  { path: "audit", ...page(() => import("./pages/audit")) },
  { path: "members", ...page(() => import("./pages/members")) },
  { path: "keys", ...page(() => import("./pages/keys")) },
  { path: "clients", ...page(() => import("./pages/clients")) },
  { path: "webhooks", ...page(() => import("./pages/webhooks")) },
  { path: "webhooks/:webhook", ...page(() => import("./pages/webhook")) },
  { path: "quota", ...page(() => import("./pages/quota")) },
  { path: "tenants", ...page(() => import("./pages/tenants")) },
  { path: "tenants/:named", ...page(() => import("./pages/tenant")) },
  { path: "people", ...page(() => import("./pages/people")) },
];

/** A page is for those who see its section, where it says nothing else. */
function guarded(one: RouteObject): RouteObject {
  return { handle: SECTIONS.find(({ path }) => path === one.path?.split("/")[0]), ...one };
}

export const routes: RouteObject[] = [
  {
    path: "/dashboard",
    ErrorBoundary: Crash,
    HydrateFallback: () => null,
    children: [
      { index: true, Component: Start },
      {
        path: ":tenant",
        Component: TenantShell,
        children: [
          { ErrorBoundary: Crash, children: [...PAGES.map(guarded), { path: "*", Component: NotFound }] },
        ],
      },
    ],
  },
  { path: "*", Component: NotFound },
];
