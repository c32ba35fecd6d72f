import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createBrowserRouter, RouterProvider } from "react-router";
import { ApiProblem } from "./api/client";
import "./index.css";
import { routes } from "./routes";
import { ToastProvider } from "./ui/toast";

/** Worth asking again: no answer came, or one that says so. A refusal stays one. */
const PASSING = new Set([0, 429, 502, 503, 504]);

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      retry: (failures, error) =>
        failures < 3 && error instanceof ApiProblem && PASSING.has(error.status),
      retryDelay: (failures, error) =>
        error instanceof ApiProblem && error.retryAfter !== null
          ? Math.min(error.retryAfter, 30) * 1000
          : 500 * 2 ** failures,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <ToastProvider>
        <RouterProvider router={createBrowserRouter(routes, { basename: "/" })} />
      </ToastProvider>
    </QueryClientProvider>
  </StrictMode>,
);
