import { type Contact, neverContacted, nextHealth } from '@netbox-pbs/core'
import { Inventory, ServerObservations } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'

/** Observations under test, and the servers that they are of. */
export interface ObservationsUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Inventory | ServerObservations>) => Promise<A>
  /** Adds a server to main and returns its id. */
  readonly addServer: (name: string) => Promise<number>
}

const answered: Contact = {
  ...{ _tag: 'answered', at: '2026-05-01T02:00:00Z', runId: 1, checked: true, latencyMs: 12 },
}
const failed: Contact = {
  ...{ _tag: 'failed', at: '2026-05-01T03:00:00Z', runId: 2, checked: true },
  ...{ code: 'unreachable', message: 'no route', presentedFingerprint: null },
}

/** The contract of `ServerObservations`. */
export const serverObservationsContract = ({ run, addServer }: ObservationsUnderTest): void => {
  const record = (serverId: number, health: ReturnType<typeof nextHealth>) =>
    run(Effect.flatMap(ServerObservations, (observations) => observations.record({ serverId, health })))
  const healthOf = (id: number) =>
    run(
      Effect.map(
        Effect.flatMap(Inventory, (inventory) => inventory.server({ id })),
        Option.match({ onNone: () => undefined, onSome: ({ health }) => health }),
      ),
    )

  test('are those of one server, the newest', async () => {
    const [one, other] = [await addServer('pbs-observed'), await addServer('pbs-unobserved')]
    const first = nextHealth(null, answered)
    await record(one, first)
    expect(await healthOf(one)).toEqual(first)
    const second = nextHealth(first, failed)
    await record(one, second)
    expect(await healthOf(one)).toEqual(second)
    expect((await healthOf(other)) ?? neverContacted).toEqual(neverContacted)
  })

  test('keep the last contact where a health has none', async () => {
    const id = await addServer('pbs-silent')
    await record(id, nextHealth(null, answered))
    const silent = { ...nextHealth(null, failed), last_seen_at: null }
    await record(id, silent)
    expect(await healthOf(id)).toEqual({ ...silent, last_seen_at: answered.at })
  })

  test('of a server that main lacks are ignored', async () => {
    await record(999_999_999, nextHealth(null, answered))
    expect(await healthOf(999_999_999)).toBeUndefined()
  })
}
