import type { components } from "./schema";

/** What the API takes and gives, by its names in the reference. */
export type Schemas = components["schemas"];

export interface Me {
  subject: string;
  email: string | null;
  name: string | null;
  tenant: string | null;
  role: string | null;
  scopes: string[];
  tenants: { name: string; role: string }[];
}

export interface PageOf<T> {
  items: T[];
  next: string | null;
}

/** One fault of a refused request; which members there are depends on the route. */
export interface Fault {
  field?: string;
  row?: number;
  column?: string;
  detail: string;
}

/** A problem (RFC 9457) as the API told it, or that there was no answer at all (status 0). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly type: string,
    readonly errors: Fault[],
    readonly requestId: string | null,
    readonly retryAfter: number | null,
    readonly members: Record<string, unknown>,
  ) {
    super(detail);
    this.name = "ApiProblem";
  }
}

export function noAnswer(detail: string): ApiProblem {
  return new ApiProblem(0, "No answer", detail, "about:blank", [], null, null, {});
}

export function problemFrom(
  status: number,
  body: unknown,
  retryAfter: string | null = null,
): ApiProblem {
  const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const text = (name: string, otherwise: string) =>
    typeof told[name] === "string" ? (told[name] as string) : otherwise;
  return new ApiProblem(
    status,
    text("title", `The server answered ${status}`),
    text("detail", "It did not say why."),
    text("type", "about:blank"),
    faultsOf(told["errors"]),
    typeof told["request_id"] === "string" ? told["request_id"] : null,
    retryAfter !== null && Number.isFinite(Number(retryAfter)) ? Number(retryAfter) : null,
    told,
  );
}

function faultsOf(errors: unknown): Fault[] {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((one): Fault[] => {
    if (typeof one === "string") return [{ detail: one }];
    if (typeof one === "object" && one !== null && "detail" in one) {
      const fault = one as Fault;
      return [{ ...fault, detail: String(fault.detail) }];
    }
    return [];
  });
}

let leaving = false;

/** Whoever is not signed in any more goes to sign in, and comes back to where they were. */
export function signInAgain(): void {
  if (leaving) return; // several requests are refused at once
  leaving = true;
  const here = location.pathname + location.search;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

/** A key for a POST that may be sent twice. `crypto.randomUUID` wants https; this does not. */
export function freshKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export interface Options {
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** The API as one tenant: the session's cookie says who asks, a header in which tenant. */
export class Api {
  private readonly etags = new Map<string, string>();

  constructor(readonly tenant: string | null) {}

  headers(more: Record<string, string> = {}): Record<string, string> {
    return {
      accept: "application/json",
      ...(this.tenant === null ? {} : { "kubeserve-tenant": this.tenant }),
      ...more,
    };
  }

  /** Gives an answer that is no refusal. Throws ApiProblem. */
  async send(method: string, path: string, options: Options = {}): Promise<Response> {
    const headers = this.headers(options.headers);
    const init: RequestInit = { method, headers, signal: options.signal ?? null };
    if (options.body !== undefined) {
      headers["content-type"] ??= "application/json";
      init.body = JSON.stringify(options.body);
    }
    if (method === "POST") headers["idempotency-key"] ??= freshKey();
    let response: Response;
    try {
      response = await fetch(path, init);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw noAnswer("The control plane cannot be reached. Check the connection, then try again.");
    }
    if (response.ok) return response;
    if (response.status === 401) signInAgain();
    const body: unknown = await response.json().catch(() => null);
    throw problemFrom(response.status, body, response.headers.get("retry-after"));
  }

  private async json<T>(method: string, path: string, options: Options): Promise<T> {
    const response = await this.send(method, path, options);
    const etag = response.headers.get("etag");
    if (etag !== null && method === "GET") this.etags.set(path, etag);
    return (response.status === 204 ? null : await response.json()) as T;
  }

  get<T>(path: string, options: Options = {}): Promise<T> {
    return this.json<T>("GET", path, options);
  }
  post<T>(path: string, body?: unknown, options: Options = {}): Promise<T> {
    return this.json<T>("POST", path, { ...options, body });
  }
  put<T>(path: string, body: unknown, options: Options = {}): Promise<T> {
    return this.json<T>("PUT", path, { ...options, body });
  }
  patch<T>(path: string, body: unknown, options: Options = {}): Promise<T> {
    return this.json<T>("PATCH", path, { ...options, body });
  }
  delete(path: string, options: Options = {}): Promise<null> {
    return this.json<null>("DELETE", path, options);
  }

  /** The ETag with which a path was read last; for `If-Match`. */
  etag(path: string): string | undefined {
    return this.etags.get(path);
  }

  /** The address of a document that the browser itself opens or saves: it sends no header. */
  href(path: string): string {
    if (this.tenant === null) return path;
    return `${path}${path.includes("?") ? "&" : "?"}kubeserve-tenant=${encodeURIComponent(this.tenant)}`;
  }

  /** Gives server-sent events, those behind number `after`. Ends with the stream. */
  async *events(path: string, signal: AbortSignal, after: number): AsyncGenerator<Told> {
    const response = await this.send("GET", path, {
      signal,
      headers: { accept: "text/event-stream", "last-event-id": String(after) },
    });
    let number = after;
    for await (const line of linesOf(response)) {
      if (line.startsWith("id:")) number = Number(line.slice(3));
      else if (line.startsWith("data:")) yield { number, document: JSON.parse(line.slice(5)) };
    }
  }

  /** Gives the lines of a stream (`application/x-ndjson`) as they come. Ends with the stream. */
  async *lines(path: string, signal: AbortSignal): AsyncGenerator<unknown> {
    const response = await this.send("GET", path, {
      signal,
      headers: { accept: "application/x-ndjson" },
    });
    for await (const line of linesOf(response)) yield JSON.parse(line);
  }
}

/** One event of a stream; its number goes on from the one before. */
export interface Told {
  number: number;
  document: Record<string, unknown>;
}

/** The lines of an answer that are not empty, as they come. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  if (response.body === null) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) if (line.trim() !== "") yield line;
    }
    if (rest.trim() !== "") yield rest;
  } finally {
    await reader.cancel().catch(() => undefined); // it is over, whatever it says
  }
}
