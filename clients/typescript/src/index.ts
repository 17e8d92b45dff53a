// Client of Strongroom for Node.js 20 and later, and other runtimes with fetch. schema.d.ts is made by `make clients`.

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

export type { components, paths } from "./schema.js";
export type Problem = components["schemas"]["Problem"];

export interface Options {
  /** Where the service is, with a path prefix if it has one. */
  url: string;
  /** An API key or a JWT; or a function that returns the one to use now, asked before each attempt. */
  key: string | (() => string | Promise<string>);
  /** How often a call is tried: 4. Each is safe to repeat, because one that changes something has its key. */
  attempts?: number;
  /** Milliseconds for one attempt: 35,000. */
  timeout?: number;
  /** Of your own, for a proxy or a test. */
  fetch?: typeof globalThis.fetch;
}

/** The service refused or failed (problem details, RFC 9457), or could not be reached. Look at `code`: it is stable. */
export class StrongroomError extends Error {
  override readonly name = "StrongroomError";

  constructor(
    readonly code: string,
    detail: string,
    readonly status?: number,
    readonly field?: string,
    /** Why the network refuses a transaction. */
    readonly reason?: string,
    /** Finds the request in the service's log. */
    readonly requestId?: string,
  ) {
    super(detail);
  }
}

/** Calls by method and path: `strongroom.POST("/api/v1/wallets", { body: { label: "Hot" } })`. */
export function strongroom(options: Options): Client<paths> {
  const url = options.url.replace(/\/$/, "").replace(/\/api\/v1$/, "");
  return createClient<paths>({ baseUrl: url, fetch: (request: Request) => send(request, options) });
}

/** The result of a call. Throws StrongroomError. */
export async function ok<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok && data !== undefined) {
    return data;
  }
  const problem = error as Partial<Problem> | undefined;
  if (typeof problem?.code !== "string") {
    throw new StrongroomError("unexpected_response", `HTTP ${response.status} without problem details`, response.status);
  }
  throw new StrongroomError(
    problem.code,
    problem.detail ?? problem.code,
    response.status,
    problem.field,
    problem.reason,
    problem.request_id,
  );
}

const RETRIED = new Set([408, 429, 502, 503, 504]);
const LONGEST_WAIT = 30_000;

async function send(request: Request, options: Options): Promise<Response> {
  const attempts = options.attempts ?? 4;
  const headers = new Headers(request.headers);
  if (request.method !== "GET" && !headers.has("Idempotency-Key")) {
    headers.set("Idempotency-Key", crypto.randomUUID());
  }
  const body = request.body === null ? undefined : await request.text();
  for (let attempt = 1; ; attempt++) {
    const key = typeof options.key === "function" ? await options.key() : options.key;
    headers.set("Authorization", `Bearer ${key}`);
    let wait = 200 * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
    try {
      const response = await (options.fetch ?? fetch)(request.url, {
        method: request.method,
        headers,
        body,
        signal: AbortSignal.timeout(options.timeout ?? 35_000),
      });
      wait = Math.max(wait, 1000 * Number(response.headers.get("Retry-After") ?? 0));
      if (attempt >= attempts || wait > LONGEST_WAIT || !(await isRetried(response))) {
        return response;
      }
      await response.body?.cancel();
    } catch (error) {
      if (attempt >= attempts) {
        throw new StrongroomError("no_response", said(error));
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** `fetch` only says that it failed. Its cause says whether it is DNS, the port or TLS. */
function said(error: unknown): string {
  if (!(error instanceof Error)) {
    return "the connection failed";
  }
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.message || cause?.code || error.name;
}

async function isRetried(response: Response): Promise<boolean> {
  if (response.status !== 409) {
    return RETRIED.has(response.status);
  }
  const problem = (await response.clone().json().catch(() => ({}))) as Partial<Problem>;
  return problem.code === "operation_in_flight";
}
