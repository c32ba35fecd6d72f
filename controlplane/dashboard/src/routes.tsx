import type { ComponentType } from "react";
import type { RouteObject } from "react-router";
import { Crash, NotFound } from "./shell/faults";
import { Start } from "./shell/start";
import { TenantShell } from "./shell/shell";
import type { IconName } from "./ui/icons";

export interface Section {
  /** Below the tenant's address; "" is its overview. */
  path: string;
  label: string;
  icon: IconName;
  group: "" | "Build" | "Serve" | "Observe" | "Manage";
  /** Shown to those alone who may read it. */
  scope?: string;
}

/** What stands in the navigation and the palette, in this order. A page is added here and below. */
export const SECTIONS: Section[] = [
  { path: "", label: "Overview", icon: "home", group: "" },
  { path: "models", label: "Models", icon: "model", group: "Build", scope: "models:read" },
  { path: "endpoints", label: "Endpoints", icon: "endpoint", group: "Serve", scope: "endpoints:read" },
];

/** A page is a module of its own, loaded when somebody goes there. */
const page = (load: () => Promise<{ default: ComponentType }>): Pick<RouteObject, "lazy"> => ({
  lazy: async () => ({ Component: (await load()).default }),
});

const PAGES: RouteObject[] = [
  { index: true, ...page(() => import("./pages/overview")) },
  { path: "models", ...page(() => import("./pages/models")) },
];

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
          { ErrorBoundary: Crash, children: [...PAGES, { path: "*", Component: NotFound }] },
        ],
      },
    ],
  },
  { path: "*", Component: NotFound },
];
