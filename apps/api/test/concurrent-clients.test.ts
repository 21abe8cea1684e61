import { Database } from '@netbox-pbs/store-postgres'
import { change, landOnce, may, rootOf, serverIdOf, snapshotFacts } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { type Call, checkHistory, type LogEntry, type Merge } from './history/check-history.ts'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, engines, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
/** Ten histories of 8 clients with NETBOX_PBS_FAULTS=all (`pnpm faults`); else one, and a shorter one on PGlite. */
const all = process.env['NETBOX_PBS_FAULTS'] === 'all'
const seeds = all ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] : [1]
const days = [1, 2, 3, 4]

/** Numbers from 0 to `below`, the same for the same seed: a linear congruential generator (Numerical Recipes). */
const randomOf = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const snapshot = (backup_id: string, day: number, comment: string) => ({
  ...{
    server: { name: 'pbs-a' },
    datastore_name: 'tank',
    backup_type: 'vm',
    backup_id,
    backup_time: may(day),
    comment,
  },
})

/** The entries of main's log about snapshots. Those of one object are in the order of their writes. */
const logOf = (api: TestApi): Promise<ReadonlyArray<LogEntry>> =>
  api.run(
    Effect.flatMap(Database, ({ driver }) =>
      Effect.promise(async () => {
        const text = `
          select object_id::int as object, case action when 'create' then null else before ->> 'comment' end as before,
            case action when 'delete' then null else after ->> 'comment' end as after,
            case when run_id is not null then 'run' when branch_id is not null then 'merge' else 'user' end as author
          from changes where model = 'snapshot' and object_id is not null order by id`
        const { rows } = driver._tag === 'pg' ? await driver.pool.query(text) : await driver.pglite.query(text)
        return rows as ReadonlyArray<LogEntry> // border: the columns above
      }),
    ),
  )

/** What clients do at once, and what they are told. */
class Clients {
  readonly calls: Array<Call> = []
  readonly merges: Array<Merge> = []
  readonly ids: Array<number>
  readonly #api: TestApi
  readonly #branch: string
  #texts = 0

  constructor(api: TestApi, branch: string, ids: ReadonlyArray<number>) {
    this.#api = api
    this.#branch = branch
    this.ids = [...ids]
  }

  /** Does some things, one after the other, as one client. */
  async run(client: number, steps: number, random: (below: number) => number): Promise<void> {
    const known = new Map<number, { readonly etag: string; readonly text: string }>()
    for (let step = 0; step < steps; step++) {
      const object = this.ids[random(this.ids.length)] ?? 0
      const place = random(4) === 0 ? this.#branch : 'main'
      const about = { client, place, object }
      const kind = random(20)
      if (kind < 8) {
        const read = await this.#call({ ...about, kind: 'read', text: null }, 'GET')
        const etag = read.headers.get('etag')
        if (place === 'main' && read.status === 200 && etag !== null)
          known.set(object, { etag, text: read.json.comment })
      } else if (kind < 17) {
        const version = place === 'main' && random(3) > 0 ? known.get(object) : undefined
        const write = { ...about, kind: 'write', text: this.#newText(place) } as const
        await this.#call(version === undefined ? write : { ...write, replaces: version.text }, 'PATCH', version?.etag)
      } else if (kind < 18 && place === 'main') {
        await this.#call({ ...about, kind: 'delete', text: null }, 'DELETE')
      } else if (kind >= 18) await this.#create(client)
    }
  }

  async merge(id: number): Promise<void> {
    const start = performance.now()
    const { status, text } = await this.#api.ask('POST', `${root}/branches/${id}/merge/`, { body: { commit: true } })
    expect([200, 409], text).toContain(status)
    const outcome = status === 200 ? 'done' : 'refused'
    this.merges.push({ place: this.#branch, start, end: performance.now(), outcome })
  }

  #newText(place: string): string {
    this.#texts += 1
    return `${place}-${this.#texts}`
  }

  async #create(client: number): Promise<void> {
    const start = performance.now()
    const text = this.#newText('main')
    const { status, json } = await this.#api.ask('POST', `${root}/snapshots/`, { body: snapshot('100', 9, text) })
    // Of the clients that create one key, one at a time can have it.
    expect([201, 400]).toContain(status)
    if (status !== 201) return
    this.ids.push(json.id)
    const end = performance.now()
    this.calls.push({ client, start, end, place: 'main', object: json.id, kind: 'create', text, outcome: 'done' })
  }

  async #call(call: Omit<Call, 'start' | 'end' | 'outcome'>, method: string, etag?: string): Promise<Answer> {
    const headers = {
      ...(call.place === 'main' ? {} : { 'X-NetBox-Branch': call.place }),
      ...(etag === undefined ? {} : { 'If-Match': etag }),
    }
    const body = call.kind === 'write' ? { body: { comment: call.text } } : {}
    const start = performance.now()
    const answer = await this.#api.ask(method, `${root}/snapshots/${call.object}/`, { headers, ...body })
    const { status, json, text } = answer
    const ended = { 200: 'done', 204: 'done', 404: 'missing', 412: 'refused' } as const
    const outcome = ended[status as keyof typeof ended]
    // A branch that is merged is answered 400.
    if (call.place !== 'main' && status === 400) return answer
    if (outcome === undefined) throw new Error(`${method} was answered ${status}: ${text}`)
    const saw = call.kind === 'read' && status === 200 ? { saw: String(json.comment) } : {}
    this.calls.push({ ...call, ...saw, start, end: performance.now(), outcome })
    return answer
  }
}

describe.each(engines)('clients at once on $engine', ({ engine, database }) => {
  const [count, steps] = engine === 'PGlite' ? [4, 12] : [8, all ? 60 : 25]

  test.each(seeds)('some order explains all that they are told, and the log has it (seed %i)', async (seed) => {
    const api = await startTestApi(fakeGateway().layer, { database })
    try {
      const made = async (path: string, body: unknown) => (await api.ask('POST', `${root}/${path}/`, { body })).json
      await made('servers', { name: 'pbs-a', host: 'a.example', token_id: 'a@pbs!b' })
      const rows = await made(
        'snapshots',
        days.map((day) => snapshot('100', day, `first-${day}`)),
      )
      const branch = await made('branches', { name: 'of a user' })
      const ids: ReadonlyArray<number> = rows.map(({ id }: { id: number }) => id)
      const before = await logOf(api)
      const clients = new Clients(api, branch.schema_id, ids)
      const syncs = async () => {
        for (const [nth, day] of days.entries())
          await api.run(
            Effect.gen(function* () {
              const facts = snapshotFacts((yield* serverIdOf('pbs-a')) ?? 0, '100', may(day))
              const found = change('snapshot', ids[nth] ?? 0, facts, { comment: `run-${day}` })
              yield* landOnce(rootOf('pbs-a'), [{ model: 'snapshot', changes: [found] }])
            }),
          )
      }
      await Promise.all([
        syncs(),
        ...Array.from({ length: count }, async (_, nth) => {
          await clients.run(nth, steps, randomOf(seed * 1000 + nth))
          if (nth === 0) await clients.merge(branch.id)
        }),
      ])
      const { json } = await api.ask('GET', `${root}/snapshots/?limit=1000`)
      const last = new Map<number, string>(
        json.results.map(({ id, comment }: { id: number; comment: string }) => [id, comment]),
      )
      const first = new Map(ids.map((id, nth) => [id, `first-${days[nth]}`]))
      const log = (await logOf(api)).slice(before.length)
      const { calls, merges } = clients
      expect(checkHistory({ calls, merges, log, first, last })).toEqual([])
      expect(calls.filter(({ kind, outcome }) => kind === 'write' && outcome === 'done').length).toBeGreaterThan(count)
      const { json: groups } = await api.ask('GET', `${root}/groups/`)
      const counted = groups.results.map((row: { snapshot_count: number }) => row.snapshot_count)
      expect(counted.reduce((sum: number, rowCount: number) => sum + rowCount, 0)).toBe(json.count)
    } finally {
      await api.stop()
    }
  })
})
