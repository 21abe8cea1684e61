import type { ObjectiveRuleValues } from '@netbox-pbs/core'
import { Changes, ObjectiveNameTaken, Objectives, VersionChanged } from '@netbox-pbs/core/ports'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'

/** Rules about objectives under test; the suite names each once. */
export interface ObjectivesUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Objectives | Changes>) => Promise<A>
}

const actor = { user: 'ada', requestId: '5c0f2f7e-0000-4000-8000-000000000085' }

/** A rule of a test. */
export const objectiveValues = (name: string, change: Partial<ObjectiveRuleValues> = {}): ObjectiveRuleValues => ({
  name,
  weight: 1000,
  server: null,
  datastore: null,
  namespace: null,
  backup_type: null,
  backup_id: null,
  tag: null,
  hours: 26,
  comment: '',
  ...change,
})

/** The contract of `Objectives`. */
export const objectivesContract = ({ run }: ObjectivesUnderTest): void => {
  const objectives = <A, E>(use: (objectives: typeof Objectives.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Objectives, use))
  const make = (name: string, change: Partial<ObjectiveRuleValues> = {}) =>
    objectives((o) => o.create({ values: objectiveValues(name, change), actor }))
  const names = async (request: Partial<Parameters<typeof Objectives.Service.list>[0]>) =>
    (await objectives((o) => o.list({ limit: 100, offset: 0, ...request }))).rows.map(({ name }) => name)

  test('keeps a rule, changes it by its version, and logs each write', async () => {
    const given = { namespace: '', tag: 'gold', hours: null, comment: 'why' }
    const made = await make('kept', given)
    expect(made).toEqual({
      id: made.id,
      ...objectiveValues('kept', given),
      created: expect.stringMatching(/Z$/),
      last_updated: made.created,
    })
    expect(await objectives((o) => o.get({ id: made.id }))).toEqual(Option.some(made))
    const change = { hours: 4, server: 'pbs-*' }
    const after = Option.getOrThrow(
      await objectives((o) => o.update({ id: made.id, change, actor, versions: [made.last_updated] })),
    )
    expect(after).toEqual({ ...made, ...change, last_updated: after.last_updated })
    const stale = { id: made.id, actor, versions: [made.last_updated] }
    expect(await objectives((o) => Effect.flip(o.update({ ...stale, change: {} })))).toEqual(
      new VersionChanged({ version: after.last_updated }),
    )
    expect(await objectives((o) => Effect.flip(o.remove(stale)))).toBeInstanceOf(VersionChanged)
    expect(await objectives((o) => o.remove({ id: made.id, actor, versions: undefined }))).toBe(true)
    const gone = { id: made.id, actor, versions: undefined }
    expect(await objectives((o) => o.remove(gone))).toBe(false)
    expect(await objectives((o) => o.update({ ...gone, change: {} }))).toEqual(Option.none())
    const log = await run(
      Effect.flatMap(Changes, (changes) =>
        changes.list({ filter: { models: ['objective'], objectIds: [made.id] }, limit: 10, offset: 0 }),
      ),
    )
    expect(log.rows.map(({ action, title, before, after: to }) => ({ action, title, before, after: to }))).toEqual([
      { action: 'delete', title: 'kept', before: objectiveValues('kept', { ...given, ...change }), after: null },
      { action: 'update', title: 'kept', before: { hours: null, server: null }, after: change },
      { action: 'create', title: 'kept', before: null, after: objectiveValues('kept', given) },
    ])
  })

  test('are in the order in which they apply, by weight and age', async () => {
    await make('order-1', { weight: 20 })
    await make('order-3', { weight: 20 })
    await make('order-2', { weight: 10 })
    expect(await names({ search: 'ORDER-' })).toEqual(['order-2', 'order-1', 'order-3'])
    const where = [{ field: 'weight', lookup: 'exact', values: [20] }] as const
    expect(await names({ search: 'order-', where })).toEqual(['order-1', 'order-3'])
    expect(await names({ search: 'order-', order: [{ field: 'name', descending: true }] })).toEqual([
      'order-3',
      'order-2',
      'order-1',
    ])
  })

  test('have names of their own', async () => {
    const { id } = await make('own-1')
    await make('own-2')
    const taken = new ObjectiveNameTaken({ name: 'own-2' })
    expect(await objectives((o) => Effect.flip(o.create({ values: objectiveValues('own-2'), actor })))).toEqual(taken)
    expect(
      await objectives((o) => Effect.flip(o.update({ id, change: { name: 'own-2' }, actor, versions: undefined }))),
    ).toEqual(taken)
  })
}
