import {
  atLeast,
  type FaultInput,
  type PbsState,
  type Profile,
  profiles,
  type RequestMatch,
  type Simulator,
} from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { homeOnPostgres } from './support/homes.ts'
import { expectInventory } from './support/inventory.ts'
import { moveOn, startMatrixServer, stateNow } from './support/matrix-server.ts'
import { connect, failures, type RunAnswer, setTimeoutSeconds, syncAndWait, syncTwice } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'
import { expectScopes } from './support/scope-rows.ts'

/**
 * Every answer at every place on every release with NETBOX_PBS_MATRIX=all (`pnpm matrix`); else on one
 * release every answer somewhere, and two of them at every place.
 */
const whole = process.env['NETBOX_PBS_MATRIX'] === 'all'
const releases: ReadonlyArray<Profile> = whole ? profiles : ['4.2']

interface Place {
  readonly place: string
  /** The server it is on: places that fail independently share one. */
  readonly server: string
  readonly match: RequestMatch
  /** The scopes that a fault there fails. */
  readonly fails: ReadonlyArray<string>
  /** The scopes whose rows stay as they were, when they are not those alone. */
  readonly keeps?: RegExp
}

const jobs = (server: string) => ['gc', 'prune', 'sync', 'tape', 'verify'].map((type) => `${type} jobs of ${server}`)
const stores = (server: string) => ['tank', 'vault'].map((store) => `namespaces of ${server}/${store}`)
const all = (server: string) => [`datastores of ${server}`, ...stores(server), ...jobs(server), `tasks of ${server}`]

const places: ReadonlyArray<Place> = [
  { place: 'every request', server: 'all', match: {}, fails: all('all'), keeps: /./ },
  {
    place: 'permissions',
    server: 'privileges',
    match: { path: '/access/permissions' },
    fails: all('privileges'),
    keeps: /./,
  },
  { place: 'usage of datastores', server: 'observed', match: { path: '/status/datastore-usage' }, fails: [] },
  { place: 'state of garbage collection', server: 'observed', match: { path: /\/gc$/ }, fails: [] },
  { place: 'ACL', server: 'acl', match: { path: '/access/acl' }, fails: all('acl'), keeps: /./ },
  { place: 'version', server: 'version', match: { path: '/version' }, fails: ['sync jobs of version'] },
  {
    place: 'list of datastores',
    server: 'stores',
    match: { path: '/admin/datastore' },
    fails: ['datastores of stores', ...stores('stores'), 'gc jobs of stores'],
    keeps: /^(datastores|namespaces|snapshots|gc jobs) /,
  },
  {
    place: 'configuration of datastores',
    server: 'config',
    match: { path: '/config/datastore' },
    fails: ['datastores of config', 'gc jobs of config'],
  },
  {
    place: 'list of namespaces',
    server: 'lists',
    match: { path: '/admin/datastore/tank/namespace' },
    fails: ['namespaces of lists/tank'],
    keeps: /^(namespaces|snapshots) of lists.tank/,
  },
  {
    place: 'list of groups',
    server: 'lists',
    match: { path: '/admin/datastore/vault/groups', query: { ns: 'site-a' } },
    fails: ['snapshots of lists/vault/site-a'],
  },
  {
    place: 'list of snapshots',
    server: 'lists',
    match: { path: '/admin/datastore/vault/snapshots', query: { ns: '' } },
    fails: ['snapshots of lists/vault'],
  },
  ...['verify', 'prune', 'sync', 'tape'].map((type) => ({
    place: `list of ${type} jobs`,
    server: 'lists',
    match: { path: type === 'tape' ? '/tape/backup' : `/admin/${type}` },
    fails: [`${type} jobs of lists`],
  })),
]

interface Answer {
  readonly fault: string
  readonly input: FaultInput
  readonly code: string
  /** Lasts as long as an endpoint's timeout. */
  readonly lasts?: true
  /** Places where it is no fault: PBS may answer so. */
  readonly believedAt?: RegExp
}

const status = (code: number, body: string): FaultInput => ({ kind: 'status', status: code, body })
const answers: ReadonlyArray<Answer> = [
  { fault: 'connection reset', input: { kind: 'reset' }, code: 'unreachable' },
  { fault: '401', input: status(401, 'authentication failed'), code: 'unauthorized' },
  { fault: 'the 400 that is a 401', input: status(400, 'authentication failed'), code: 'unauthorized' },
  { fault: '403', input: status(403, 'permission check failed'), code: 'forbidden' },
  { fault: '404 of a proxy', input: { kind: 'html', status: 404 }, code: 'protocol' },
  { fault: '500', input: status(500, 'internal error'), code: 'protocol' },
  { fault: '503', input: status(503, 'busy'), code: 'protocol' },
  { fault: 'a redirect', input: { kind: 'redirect', location: 'https://192.0.2.1/' }, code: 'protocol' },
  { fault: 'hang', input: { kind: 'hang' }, code: 'timeout', lasts: true },
  {
    fault: 'silence in the body',
    input: { kind: 'slow', chunkBytes: 9, intervalMs: 60_000 },
    code: 'timeout',
    lasts: true,
  },
  { fault: 'cut in the body', input: { kind: 'cut', afterBytes: 15 }, code: 'unreachable' },
  { fault: 'truncated JSON', input: { kind: 'truncate', afterBytes: 15 }, code: 'protocol' },
  { fault: 'HTML of a proxy', input: { kind: 'html', status: 502 }, code: 'protocol' },
  { fault: 'HTML with 200', input: { kind: 'html', status: 200 }, code: 'protocol' },
  { fault: 'empty 200', input: { kind: 'body', body: '' }, code: 'protocol' },
  { fault: 'null', input: { kind: 'body', body: '{"data":null}' }, code: 'protocol' },
  {
    fault: 'an empty list',
    input: { kind: 'body', body: '{"data":[]}' },
    code: 'protocol',
    // A server without such jobs, or whose ACL is empty, says so: only the guard can doubt it.
    believedAt: /jobs$|^ACL$/,
  },
]

/** Which answer each place gives in a run, where it is a fault. */
interface Round {
  readonly title: string
  readonly answers: ReadonlyArray<Answer | undefined>
}

const isFault = (place: Place, { believedAt }: Answer): boolean =>
  believedAt === undefined || !believedAt.test(place.place)

const rounds: ReadonlyArray<Round> = whole
  ? answers.map((answer) => ({
      title: answer.fault,
      answers: places.map((place) => (isFault(place, answer) ? answer : undefined)),
    }))
  : [0, 9].map((shift) => ({
      title: `another answer at each place, the first of them ${answers[shift]?.fault}`,
      answers: places.map((place, nth) => {
        const from = (nth + shift) % answers.length
        return [...answers.slice(from), ...answers.slice(0, from)].find((answer) => isFault(place, answer))
      }),
    }))

test('every answer is given somewhere', () => {
  expect(new Set(rounds.flatMap((round) => round.answers.map((answer) => answer?.fault)))).toEqual(
    new Set([...answers.map(({ fault }) => fault), ...(whole ? [undefined] : [])]),
  )
})

/**
 * A server whose lists of observations cannot be read: its facts, without the states of garbage
 * collection. The datastores are asked for their sizes one by one, unless the answer is one of a
 * server that does not answer: then they stay as they were before.
 */
const unmeasured = (state: PbsState, code: string | undefined, before: PbsState): PbsState => ({
  ...state,
  datastores: state.datastores.map((store) => ({
    ...store,
    usage:
      (['unreachable', 'unauthorized'].includes(code ?? '')
        ? before.datastores.find(({ name }) => name === store.name)
        : null
      )?.usage ?? store.usage,
    gc: { ...store.gc, lastRun: null },
  })),
})

/** Before 3.2 the state of garbage collection is read as the release has it, so without the release it is unknown. */
const withoutRelease = (state: PbsState): PbsState => ({
  ...state,
  datastores: state.datastores.map((store) =>
    !atLeast(state, '3.2') ? { ...store, gc: { ...store.gc, lastRun: null } } : store,
  ),
})

const names = [...new Set(places.map(({ server }) => server)), 'well']

describe.each(releases)('PBS %s', (release) => {
  const servers = new Map<string, Simulator>()
  const ids = new Map<string, number>()
  let running: RunningSystem
  let round = 0

  const at = (name: string): Simulator => {
    const found = servers.get(name)
    if (found === undefined) throw new Error(`no server ${name}`)
    return found
  }

  beforeAll(async () => {
    running = await startSystem(await homeOnPostgres())
    for (const [index, name] of names.entries()) {
      servers.set(name, await startMatrixServer(name, 40 + index, release))
      const { endpoint_id } = await connect(running, at(name))
      ids.set(name, Number(endpoint_id))
      moveOn(at(name), round)
    }
    expect((await syncAndWait(running)).status.value).toBe('completed')
  })
  afterAll(async () => {
    await running.stop()
    await Promise.all([...servers.values()].map((server) => server.close()))
  })

  describe.each(rounds)('$title', (given) => {
    const before = new Map<string, PbsState>()
    const struck = places.flatMap((place, nth) => {
      const answer = given.answers[nth]
      return answer === undefined ? [] : [{ ...place, answer }]
    })
    let run: RunAnswer

    beforeAll(async () => {
      round += 1
      for (const [name, server] of servers) {
        before.set(name, stateNow(server))
        moveOn(server, round)
        // Any change of an endpoint gives it a new client without memory of earlier runs.
        const lasts = struck.some(({ server: of, answer }) => of === name && answer.lasts === true)
        if (name !== 'well') await setTimeoutSeconds(running, ids.get(name) ?? 0, lasts ? 1 : 30 + round)
      }
      for (const { server, match, answer } of struck) at(server).faults.add({ ...answer.input, match })
      run = await syncAndWait(running)
      for (const server of servers.values()) server.faults.clear()
    })

    test.each(names.slice(0, -1))('on %s: the struck scopes fail, their rows stay, all others land', async (name) => {
      const here = struck.filter(({ server }) => server === name)
      const failed = here.flatMap(({ fails, answer }) =>
        fails.map((title) => ({ title, outcome: 'failed', code: answer.code })),
      )
      expect(failures(run, name)).toEqual(failed.sort((a, b) => (a.title < b.title ? -1 : 1)))
      const usageCode = here.find(({ place }) => place === 'usage of datastores')?.answer.code
      const { state } = at(name)
      const earlier = before.get(name) ?? state
      const observed = name === 'observed' ? unmeasured(state, usageCode, earlier) : state
      await expectScopes(running, {
        before: earlier,
        after: here.some(({ place }) => place === 'version') ? withoutRelease(observed) : observed,
        kept: (title) =>
          here.some((place) => (place.keeps === undefined ? place.fails.includes(title) : place.keeps.test(title))),
      })
    })

    test('another server is read as ever, and the run says that it is incomplete', async () => {
      expect(run.status.value).toBe('incomplete')
      expect(failures(run, 'well')).toEqual([])
      await expectScopes(running, { before: at('well').state, after: at('well').state, kept: () => false })
    })

    test('the next good runs repair everything', async () => {
      for (const name of names) await setTimeoutSeconds(running, ids.get(name) ?? 0, 30)
      // A scope that failed is listed for the first time by the first of them.
      const good = await syncTwice(running)
      expect({ status: good.status.value, error: good.error }).toEqual({ status: 'completed', error: '' })
      await expectInventory(
        running,
        names.map((name) => at(name).state),
      )
    })
  })
})
