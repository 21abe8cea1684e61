import type { Simulator } from '@netbox-pbs/pbs-simulator'
import { type ResponseCheck, responseCheck } from '@netbox-pbs/testing'
import { expect, vi } from 'vitest'

/** A REST client for tests: the address of a system and a token. */
export interface Rest {
  readonly url: string
  readonly token: string
}

/**
 * The check of responses against the document of the first system that was asked; every system of a
 * test run serves the same.
 */
let documented: Promise<ResponseCheck> | null = null

async function describedBy(url: string): Promise<ResponseCheck> {
  const response = await fetch(new URL('/api/schema/', url))
  return responseCheck((await response.json()) as object, { partialBy: ['brief', 'fields', 'omit'] })
}

/** One request; the answer's status and JSON. The OpenAPI document must describe the answer. */
export async function request(
  { url, token }: Rest,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly json: unknown }> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: 'application/json',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const { status, headers } = response
  documented ??= describedBy(url)
  const check = await documented
  check({ method, path, status, contentType: headers.get('content-type'), text })
  return { status, json: text === '' ? null : JSON.parse(text) }
}

/** A row of a list. */
export type Row = Record<string, unknown> & { readonly id: number }

/** Every row of a list, page by page. */
export async function allRows(rest: Rest, model: string, query = ''): Promise<ReadonlyArray<Row>> {
  const rows: Array<Row> = []
  let next: string | null = `/api/plugins/pbs/${model}/?limit=1000${query}`
  while (next !== null) {
    const { status, json } = await request(rest, 'GET', next)
    expect(status, next).toBe(200)
    const page = json as { results: ReadonlyArray<Row>; next: string | null } // border: a test reads what it asserts
    rows.push(...page.results)
    next = page.next
  }
  return rows
}

/** A run as REST shows it. */
export interface RunAnswer {
  readonly id: number
  readonly status: { readonly value: string }
  readonly counts: Record<string, number>
  readonly cost: Record<string, number>
  readonly outcomes: Record<string, number>
  readonly scopes: ReadonlyArray<{
    readonly display: string
    readonly outcome: { readonly value: string }
    readonly reason: { readonly code: string; readonly message: string } | null
  }>
  readonly warnings: ReadonlyArray<{ readonly code: string; readonly message: string }>
  readonly error: string
}

const ended = new Set(['completed', 'incomplete', 'failed', 'cancelled'])

/** Starts a run and waits until it has ended. */
export async function syncAndWait(rest: Rest, body: unknown = {}): Promise<RunAnswer> {
  const made = await request(rest, 'POST', '/api/plugins/pbs/sync-runs/', body)
  expect(made.status, JSON.stringify(made.json)).toBe(201)
  return runEnded(rest, (made.json as RunAnswer).id)
}

/** Syncs twice and returns the second run: rows that both lists lack are deleted. */
export async function syncTwice(rest: Rest): Promise<RunAnswer> {
  await syncAndWait(rest)
  return syncAndWait(rest)
}

/** Waits until a run has ended. */
export async function runEnded(rest: Rest, id: number): Promise<RunAnswer> {
  const read = async (): Promise<RunAnswer> =>
    (await request(rest, 'GET', `/api/plugins/pbs/sync-runs/${id}/`)).json as RunAnswer
  await vi.waitFor(async () => expect([...ended]).toContain((await read()).status.value), {
    timeout: 90_000,
    interval: 100,
  })
  // A run shows its first scopes only.
  const scopes = (await allRows(rest, `sync-runs/${id}/scopes`)) as unknown as RunAnswer['scopes'] // border: as above
  return { ...(await read()), scopes }
}

/** Connects a simulated server by REST, as an operator does, and answers with its row. */
export async function connect(rest: Rest, simulator: Simulator, change: Record<string, unknown> = {}): Promise<Row> {
  const { status, json } = await request(rest, 'POST', '/api/plugins/pbs/servers/', {
    name: simulator.name,
    host: simulator.host,
    port: simulator.port,
    fingerprint: simulator.fingerprint,
    token_id: simulator.tokens.audit.tokenId,
    token_secret: simulator.tokens.audit.secret,
    ...change,
  })
  expect(status, JSON.stringify(json)).toBe(201)
  return json as Row
}

/** The scopes of one server that a run did not land or find unchanged, by title. */
export const failures = (
  run: RunAnswer,
  server: string,
): ReadonlyArray<{ readonly title: string; readonly outcome: string; readonly code: string | undefined }> =>
  run.scopes
    .filter(({ outcome }) => !['landed', 'unchanged'].includes(outcome.value))
    .map(({ display, outcome, reason }) => ({ title: display, outcome: outcome.value, code: reason?.code }))
    .filter(({ title }) => title.endsWith(` of ${server}`) || title.includes(` of ${server}/`))
    .sort((a, b) => (a.title < b.title ? -1 : 1))

/** Changes the timeout of an endpoint at the gateway. */
export async function setTimeoutSeconds(
  gateway: { readonly gatewayUrl: string; readonly gatewayKey: string },
  endpointId: number,
  seconds: number,
): Promise<void> {
  const response = await fetch(`${gateway.gatewayUrl}/pbs/endpoints/${endpointId}`, {
    method: 'PUT',
    headers: { 'X-Proxbox-API-Key': gateway.gatewayKey },
    body: JSON.stringify({ timeout_seconds: seconds }),
  })
  expect(response.status, await response.text()).toBe(200)
}
