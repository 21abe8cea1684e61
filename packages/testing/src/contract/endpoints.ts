import { type EndpointInput, Endpoints } from '@netbox-pbs/core/ports'
import { Effect, Either, Redacted } from 'effect'
import { expect, test } from 'vitest'

/** The endpoints of a gateway under test. */
export interface EndpointsUnderTest {
  readonly run: <A, E>(effect: Effect.Effect<A, E, Endpoints>) => Promise<A>
  /** A connection that works, under a name. */
  readonly connection: (name: string) => EndpointInput
  /** Ends the gateway; no test comes after. */
  readonly goDown: () => Promise<unknown>
}

/** The contract of `Endpoints`. */
export const endpointsContract = ({ run, connection, goDown }: EndpointsUnderTest): void => {
  const endpoints = <A, E>(use: (endpoints: typeof Endpoints.Service) => Effect.Effect<A, E>) =>
    run(Effect.flatMap(Endpoints, use))
  const failure = <A, E>(use: (endpoints: typeof Endpoints.Service) => Effect.Effect<A, E>) =>
    endpoints((all) => Effect.flip(use(all)))
  const shown = ({ token_secret: _, ...endpoint }: EndpointInput) => endpoint

  test('are shown without their secret, each under an id of its own', async () => {
    const [one, other] = [connection('pbs-one'), connection('pbs-two')]
    const made = await endpoints((e) => e.create(one))
    const second = await endpoints((e) => e.create(other))
    expect(made).toEqual({ ...shown(one), id: made.id, enabled: true })
    expect(second.id).not.toBe(made.id)
    expect(await endpoints((e) => e.get({ id: made.id }))).toEqual(made)
    expect(await endpoints((e) => e.get({ id: second.id }))).toEqual(second)
  })

  test('change in the named fields only', async () => {
    const made = await endpoints((e) => e.create(connection('pbs-changed')))
    const change = { name: 'pbs-renamed', timeout_seconds: 77 }
    expect(await endpoints((e) => e.update({ id: made.id, change }))).toEqual({ ...made, ...change })
    expect(await endpoints((e) => e.get({ id: made.id }))).toEqual({ ...made, ...change })
  })

  test('are refused with a reason for the field', async () => {
    const taken = connection('pbs-taken')
    const { id } = await endpoints((e) => e.create(taken))
    expect(await failure((e) => e.create(taken))).toMatchObject({
      ...{ _tag: 'EndpointRejected', errors: { name: [expect.any(String)] } },
    })
    expect(await failure((e) => e.create({ ...connection('pbs-odd'), host: 'https://host/' }))).toMatchObject({
      ...{ _tag: 'EndpointRejected', errors: { host: [expect.any(String)] } },
    })
    // A stored secret is sent to no other host.
    expect(await failure((e) => e.update({ id, change: { host: 'thief.example.org' } }))).toMatchObject({
      ...{ _tag: 'EndpointRejected', errors: { token_secret: [expect.any(String)] } },
    })
    expect(await endpoints((e) => e.get({ id }))).toMatchObject({ host: taken.host })
    const change = { host: 'other.example.org', token_secret: Redacted.make('another-secret') }
    expect(await endpoints((e) => e.update({ id, change }))).toMatchObject({ host: 'other.example.org' })
  })

  test('are tested whether they are stored or not, and a test stores nothing', async () => {
    const works = { reachable: true, error: null, code: null }
    const { id } = await endpoints((e) => e.create(connection('pbs-tested')))
    expect(await endpoints((e) => e.test({ id }))).toMatchObject(works)
    expect(await endpoints((e) => e.test(connection('pbs-thought-of')))).toMatchObject(works)
    expect(await endpoints((e) => Effect.either(e.create(connection('pbs-thought-of'))))).toSatisfy(Either.isRight)
  })

  test('are gone once they are removed', async () => {
    const { id } = await endpoints((e) => e.create(connection('pbs-removed')))
    await endpoints((e) => e.remove({ id }))
    const gone = { _tag: 'EndpointNotFound', id }
    expect(await failure((e) => e.get({ id }))).toMatchObject(gone)
    expect(await failure((e) => e.update({ id, change: { port: 1 } }))).toMatchObject(gone)
    expect(await failure((e) => e.remove({ id }))).toMatchObject(gone)
    expect(await failure((e) => e.test({ id }))).toMatchObject(gone)
  })

  test('cannot be asked for while the gateway is down', async () => {
    const { id } = await endpoints((e) => e.create(connection('pbs-unasked')))
    await goDown()
    const down = { _tag: 'GatewayUnavailable', message: expect.any(String) }
    expect(await failure((e) => e.get({ id }))).toMatchObject(down)
    expect(await failure((e) => e.create(connection('pbs-late')))).toMatchObject(down)
    expect(await failure((e) => e.update({ id, change: { port: 1 } }))).toMatchObject(down)
    expect(await failure((e) => e.remove({ id }))).toMatchObject(down)
    expect(await failure((e) => e.test({ id }))).toMatchObject(down)
  })
}
