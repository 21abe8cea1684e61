import { logFields, logLine } from '@netbox-pbs/app-shell'
import { Database } from '@netbox-pbs/store-postgres'
import { migratedTemplate } from '@netbox-pbs/store-postgres/engines'
import {
  allCases,
  caseTitle,
  type FaultedWork,
  postgresUrl,
  someCases,
  withFault,
  withoutFault,
} from '@netbox-pbs/testing'
import { Effect, Layer, Logger, Redacted } from 'effect'
import { expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'

const apiOn = (url: string, logger?: Logger.Logger<unknown, void>) =>
  startTestApi(fakeGateway().layer, {
    database: Layer.orDie(
      Database.layerPg({ url: Redacted.make(url), poolSize: 4, patienceMillis: 100, abandonedMillis: 2000 }),
    ),
    ...(logger === undefined ? {} : { logger }),
  })

/** A request that a client sends and sends again after a 503. */
interface Request {
  readonly name: string
  readonly before: (api: TestApi) => Promise<void>
  readonly send: (api: TestApi) => Promise<Answer>
  /** The statuses that tell a client that an earlier request was done. */
  readonly already?: ReadonlyArray<number>
}

const made = async (answer: Promise<Answer>): Promise<Answer['json']> => {
  const { status, text, json } = await answer
  expect(status, text).toBe(201)
  return json
}
const snapshot = (day: number) => ({
  server: { name: 'pbs-a' },
  datastore_name: 'tank',
  backup_type: 'vm',
  backup_id: '100',
  backup_time: `2026-05-0${day}T02:00:00Z`,
})
const inventory = async (api: TestApi): Promise<void> => {
  const server = { name: 'pbs-a', host: 'a.example', token_id: 'a@pbs!b' }
  await made(api.ask('POST', `${root}/servers/`, { body: server }))
  await made(api.ask('POST', `${root}/snapshots/`, { body: [1, 2, 3].map(snapshot) }))
}
const ids = async (api: TestApi): Promise<ReadonlyArray<number>> =>
  (await api.ask('GET', `${root}/snapshots/?ordering=backup_time`)).json.results.map(({ id }: { id: number }) => id)

const requests: ReadonlyArray<Request> = [
  {
    name: 'a change',
    before: inventory,
    send: (api) => api.ask('PATCH', `${root}/snapshots/${known[0]}/`, { body: { comment: 'edited' } }),
  },
  {
    name: 'a creation',
    before: inventory,
    send: (api) => api.ask('POST', `${root}/snapshots/`, { body: snapshot(4) }),
    already: [400],
  },
  {
    name: 'a deletion',
    before: inventory,
    send: (api) => api.ask('DELETE', `${root}/snapshots/${known[0]}/`),
    already: [404],
  },
  {
    name: 'a merge',
    before: async (api) => {
      await inventory(api)
      const { schema_id } = await made(api.ask('POST', `${root}/branches/`, { body: { name: 'tidy' } }))
      const [first] = await ids(api)
      const headers = { 'X-NetBox-Branch': schema_id }
      const edited = await api.ask('PATCH', `${root}/snapshots/${first}/`, { headers, body: { comment: 'kept' } })
      expect(edited.status).toBe(200)
    },
    send: (api) => api.ask('POST', `${root}/branches/1/merge/`, { body: { commit: true } }),
    already: [409],
  },
]
/** The ids of the snapshots, which are those of the template. */
let known: ReadonlyArray<number> = []

const faultedRequest = ({ name, before, send, already = [] }: Request): FaultedWork => ({
  name,
  staging: ['staged_', 'change_set'],
  history: ['api_tokens', 'users'],
  template: {
    name: `faults-of-${name}`,
    prepare: async (url) => {
      await migratedTemplate.prepare(url)
      const api = await apiOn(url)
      try {
        await before(api)
      } finally {
        await api.stop()
      }
    },
  },
  open: async (url) => {
    const lines: Array<string> = []
    const api = await apiOn(
      url,
      Logger.make((event) => void lines.push(logLine(logFields(event), 'text'))),
    )
    known = await ids(api)
    return {
      attempt: async () => {
        const { status, json, text, headers } = await send(api)
        if (status >= 200 && status < 300) return { ended: 'done' }
        if (already.includes(status)) return { ended: 'already' }
        if (status !== 503) throw new Error(`answered ${status}: ${text}`)
        // What may have been done already is not to be repeated without a look.
        const repeats = headers.get('retry-after') !== null
        expect([json.detail, repeats]).toEqual([json.detail, !json.detail.includes('look at it before you repeat it')])
        return { ended: 'failed', sentence: json.detail }
      },
      log: () => lines,
      close: () => api.stop(),
    }
  },
})

/** Every fault at every statement with NETBOX_PBS_FAULTS=all (`pnpm faults`); else two of each request. */
const all = process.env['NETBOX_PBS_FAULTS'] === 'all'
/** Only what hangs is ended: a busy machine takes ten times as long as a quiet one. */
const timeout = all ? 14_400_000 : 600_000

test.each(requests.map((request, nth) => [request.name, request, nth] as const))(
  'a fault between the API and PostgreSQL in %s',
  async (_, request, nth) => {
    const faulted = faultedRequest(request)
    const expected = await withoutFault(faulted)
    const cases = all ? allCases(expected) : someCases(expected, 2, nth)
    const found: Array<string> = []
    for (const one of cases)
      for (const fault of await withFault(faulted, expected, one)) found.push(`${caseTitle(expected, one)}\n  ${fault}`)
    expect(found).toEqual([])
  },
  timeout,
)

test('while writers hold every connection, readers are told so after a bounded wait, and all goes on afterwards', async () => {
  const url = await postgresUrl(migratedTemplate)
  const database = Layer.orDie(Database.layerPg({ url: Redacted.make(url), poolSize: 3, connectMillis: 2000 }))
  const api = await startTestApi(fakeGateway().layer, { database })
  try {
    await inventory(api)
    const [first] = await ids(api)
    const path = `${root}/snapshots/${first}/`
    const waiting: Array<Promise<Answer>> = []
    await api.run(
      Effect.gen(function* () {
        const { driver } = yield* Database
        if (driver._tag !== 'pg') return yield* Effect.dieMessage('not PostgreSQL')
        const holder = yield* Effect.promise(() => driver.pool.connect())
        yield* Effect.promise(() => holder.query('begin; lock table snapshots in exclusive mode'))
        for (const nth of [1, 2]) waiting.push(api.ask('PATCH', path, { body: { comment: `writer ${nth}` } }))
        // Both have a connection, and wait for the table.
        yield* Effect.promise(() =>
          holder.query<{ count: number }>(
            'select count(*)::int as count from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())',
          ),
        ).pipe(Effect.repeat({ until: ({ rows }) => (rows[0]?.count ?? 0) >= 2 }))
        const readers = yield* Effect.promise(() =>
          Promise.all(Array.from({ length: 5 }, () => api.ask('GET', `${root}/servers/`))),
        )
        for (const { status, headers, json } of readers) {
          expect([status, headers.get('retry-after')]).toEqual([503, '5'])
          expect(json.detail).toMatch(/: other requests used up the time that this one may wait; try again\.$/)
        }
        yield* Effect.promise(() => holder.query('commit'))
        holder.release()
      }),
    )
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200])
    expect((await api.ask('GET', `${root}/servers/`)).json.count).toBe(1)
  } finally {
    await api.stop()
  }
})
