import {
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { createContext, useContext, type ReactNode } from "react";
import { useToast } from "../ui/toast";
import { Api, ApiProblem, type Me, type PageOf } from "./client";

interface Session {
  api: Api;
  me: Me;
}

const Current = createContext<Session | null>(null);

export function SessionProvider({ value, children }: { value: Session; children: ReactNode }) {
  return <Current value={value}>{children}</Current>;
}

export function useSession(): Session {
  const found = useContext(Current);
  if (found === null) throw new Error("useSession outside of a tenant's pages");
  return found;
}

export function useApi(): Api {
  return useSession().api;
}

/** The tenant whose administrators are the installation's. */
const PLATFORM = "default";

/** Whether a page stands in the navigation of who is signed in. */
export function useShown(): (section: { scope?: string; platform?: true }) => boolean {
  const can = useCan();
  const tenant = useTenant();
  return ({ scope, platform }) =>
    (scope === undefined || can(scope)) && (platform === undefined || tenant === PLATFORM);
}

/** The name of the tenant whose pages are shown. */
export function useTenant(): string {
  return useApi().tenant ?? "";
}

/** The address of a page of this tenant: `usePath()("models", name)`. */
export function usePath(): (...parts: (string | number)[]) => string {
  const tenant = useTenant();
  return (...parts) =>
    ["/dashboard", tenant, ...parts.map((part) => encodeURIComponent(String(part)))].join("/");
}

/** Whether who is signed in may do what wants this scope; administrators may all. */
export function useCan(): (scope: string) => boolean {
  const { scopes } = useSession().me;
  return (scope) => scopes.includes(scope) || scopes.includes("admin");
}

export interface Asking {
  /** Milliseconds after which it is asked again while the page is looked at. */
  every?: number | ((data: never) => number | false);
}

/** Reads one document of the API; `null` for a path: not yet. */
export function useGet<T>(
  path: string | null,
  every?: number | ((data: T | undefined) => number | false),
): UseQueryResult<T, ApiProblem> {
  const api = useApi();
  return useQuery<T, ApiProblem>({
    queryKey: [api.tenant, path],
    queryFn: ({ signal }) => api.get<T>(path ?? "", { signal }),
    enabled: path !== null,
    ...(every === undefined
      ? {}
      : {
          refetchInterval:
            typeof every === "number" ? every : (query) => every(query.state.data as T | undefined),
        }),
  });
}

/** Reads a list page by page: `items` of all pages so far, `more()` if there are more. */
export function useList<T>(path: string | null, every?: number) {
  const api = useApi();
  const asked = useInfiniteQuery<PageOf<T>, ApiProblem>({
    queryKey: [api.tenant, path, "list"],
    initialPageParam: null,
    enabled: path !== null,
    queryFn: ({ pageParam, signal }) => {
      const mark = (path ?? "").includes("?") ? "&" : "?";
      const cursor = pageParam === null ? "" : `${mark}cursor=${encodeURIComponent(String(pageParam))}`;
      return api.get<PageOf<T>>(`${path}${cursor}`, { signal });
    },
    getNextPageParam: (last) => last.next,
    ...(every === undefined ? {} : { refetchInterval: every }),
  });
  return {
    ...asked,
    items: asked.data?.pages.flatMap((page) => page.items) ?? [],
    more: asked.hasNextPage ? () => void asked.fetchNextPage() : null,
  };
}

/**
 * Changes something. Afterwards everything below the `touches` paths is read again; a refusal is a
 * toast unless `quiet`, for who shows `error` beside the form.
 */
export function useAct<In = void, Out = unknown>(
  act: (api: Api, given: In) => Promise<Out>,
  options: {
    touches: string[];
    says?: string | ((out: Out, given: In) => string);
    quiet?: boolean;
    then?: (out: Out, given: In) => void;
  },
): UseMutationResult<Out, ApiProblem, In> {
  const api = useApi();
  const queries = useQueryClient();
  const toast = useToast();
  return useMutation<Out, ApiProblem, In>({
    mutationFn: (given) => act(api, given),
    onSuccess: async (out, given) => {
      const { says, then, touches } = options;
      if (says !== undefined) toast.good(typeof says === "function" ? says(out, given) : says);
      then?.(out, given);
      await queries.invalidateQueries({
        predicate: ({ queryKey: [, path] }) =>
          typeof path === "string" && touches.some((start) => path.startsWith(start)),
      });
    },
    onError: (error) => {
      if (options.quiet !== true) toast.problem(error);
    },
  });
}
