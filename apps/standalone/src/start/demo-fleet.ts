import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Simulator, startFleet } from '@netbox-pbs/pbs-simulator'
import { Clock, Effect, Schedule } from 'effect'
import { z } from 'zod'
import { reasonsOf, runSync } from '../commands/sync.ts'
import { writePrivateFile } from '../data-folder/private-file.ts'
import { CannotRun } from '../failures.ts'
import { call, type Remote } from '../remote/remote-api.ts'
import { complain, progress } from '../terminal.ts'

/** A simulated fleet. */
export interface DemoOptions {
  readonly servers: number
  /** Over the whole fleet. */
  readonly snapshots: number
  /** Another seed, another fleet. */
  readonly seed: number
}

/** How often the simulated fleet advances and is read again. */
const beat = '1 minute'
const intervalMinutes = 1

/** What a minute brings to each server: manual backups, and runs of this share of its jobs. */
const eachBeat = { extraBackups: 3, jobRuns: 0.3 }

/** The state from which a simulated fleet is rebuilt: its flags, and its clock, in seconds. */
const DemoFile = z.object({
  servers: z.int(),
  snapshots: z.int(),
  seed: z.int(),
  /** Its time when it was made. */
  born: z.int(),
  /** Its time when it was last seen. */
  now: z.int(),
})
/** A simulated fleet as a kept demo remembers it. */
type DemoFile = z.infer<typeof DemoFile>

const epochNow = Effect.map(Clock.currentTimeMillis, (millis) => Math.floor(millis / 1000))

/**
 * Simulated servers on loopback ports, until the scope closes; each minute brings new backups,
 * prunes and job runs. A data folder stores the state of the fleet, so that the next demo there
 * continues with the same snapshots.
 */
export const demoFleet = (options: DemoOptions, dataDir: string | null) =>
  Effect.gen(function* () {
    progress('starting simulated PBS servers')
    let demo = yield* remembered(options, dataDir)
    const fleet = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () => startFleet({ ...options, host: '127.0.0.1', now: demo.born, clock: 'runs' }),
        catch: (cause) => new CannotRun({ message: 'the simulated servers did not start', cause }),
      }),
      ({ close }) => Effect.promise(() => close()),
    )
    const liveOn = (now: number) =>
      Effect.gen(function* () {
        for (const server of fleet) if (server.state.now < now) server.evolve({ now, ...eachBeat })
        demo = { ...demo, now }
        if (dataDir !== null) yield* writeDemoFile(dataDir, demo)
      })
    yield* liveOn(demo.now)
    yield* Effect.flatMap(epochNow, (now) => liveOn(Math.max(demo.now, now))).pipe(
      Effect.catchAll(({ message }) => Effect.logWarning('the state of the demo could not be stored', message)),
      Effect.delay(beat),
      Effect.repeat(Schedule.forever),
      Effect.forkScoped,
    )
    return {
      /** Connects the servers and reads them once; from then on the schedule does. */
      read: (remote: Remote) => Effect.zipRight(connectFleet(remote, fleet), firstSync(remote, fleet)),
    }
  })

const remembered = (options: DemoOptions, dataDir: string | null): Effect.Effect<DemoFile> =>
  Effect.map(epochNow, (now) => {
    const earlier = dataDir === null ? null : readDemoFile(dataDir)
    const same =
      earlier !== null &&
      earlier.servers === options.servers &&
      earlier.snapshots === options.snapshots &&
      earlier.seed === options.seed
    return same ? earlier : { ...options, born: now, now }
  })

/**
 * Connects the servers over REST, as an operator would, and schedules a sync every minute. Servers
 * of an earlier demo are connected again.
 */
const connectFleet = (remote: Remote, fleet: ReadonlyArray<Simulator>) =>
  Effect.gen(function* () {
    const path = '/api/plugins/pbs/servers/'
    const Known = z.object({ results: z.array(z.object({ id: z.int() })) })
    for (const { name, host, port, fingerprint, tokens } of fleet) {
      progress(`connecting ${name}`)
      const { tokenId: token_id, secret: token_secret } = tokens.audit
      const body = { name, host, port, fingerprint, verify_ssl: true, token_id, token_secret }
      const { results } = yield* call(remote)({ method: 'GET', path: `${path}?name=${name}`, answer: Known })
      const [known] = results
      yield* known === undefined
        ? call(remote)({ method: 'POST', path, body, answer: z.unknown() })
        : // The first sync reads them all.
          call(remote)({
            method: 'PATCH',
            path: `${path}${known.id}/`,
            body: { ...body, untested: true },
            answer: z.unknown(),
          })
    }
    yield* call(remote)({
      method: 'PATCH',
      path: '/api/plugins/pbs/settings/',
      body: { sync_interval_minutes: intervalMinutes },
      answer: z.unknown(),
    })
  })

/** The demo also starts when something could not be read; it only reports the failure. */
const firstSync = (remote: Remote, fleet: ReadonlyArray<Simulator>) =>
  Effect.map(runSync(remote, { servers: fleet.map(({ name }) => name) }), (run) => {
    if (run.status.value === 'completed') return
    complain(`the first sync is ${run.status.value}; "netbox-pbs sync" tries again`)
    for (const reason of reasonsOf(run)) complain(reason)
  })

const pathOf = (dataDir: string): string => join(dataDir, 'demo.json')

/** The fleet of an earlier demo on this folder, or null. */
const readDemoFile = (dataDir: string): DemoFile | null => {
  try {
    return DemoFile.parse(JSON.parse(readFileSync(pathOf(dataDir), 'utf8')))
  } catch {
    return null
  }
}

/** Remembers the fleet. */
const writeDemoFile = (dataDir: string, demo: DemoFile): Effect.Effect<void, CannotRun> =>
  writePrivateFile(pathOf(dataDir), `${JSON.stringify(demo)}\n`)
