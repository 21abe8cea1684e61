import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, engines, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs/'
const server = { host: '192.0.2.1', token_id: 'a@pbs!b' }

describe.each(engines)('messages for the change log, on $engine', ({ database }) => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database })
  })
  afterAll(() => api.stop())

  const ask = (method: string, path: string, body?: unknown, headers = {}) =>
    api.ask(method, `${root}${path}`, { headers, ...(body === undefined ? {} : { body }) })
  /** What the log says about a request: action, object and message, in the order of the entries. */
  const logged = async (answer: Answer) => {
    const { json } = await ask('GET', `changes/?request_id=${answer.headers.get('x-request-id')}&after_id=0`)
    return json.results.map(
      ({ action, object_repr, message }: { action: { value: string }; object_repr: string; message: string }) => [
        action.value,
        object_repr,
        message,
      ],
    )
  }

  test('come with each write of one object', async () => {
    const made = await ask('POST', 'servers/', { ...server, name: 'one', changelog_message: ' as planned ' })
    expect([made.status, 'changelog_message' in made.json]).toEqual([201, false])
    expect(await logged(made)).toEqual([['create', 'one', 'as planned']])
    const path = `servers/${made.json.id}/`
    const changed = await ask('PATCH', path, { version: '2', changelog_message: 'newer' })
    expect(await logged(changed)).toEqual([['update', 'one', 'newer']])
    expect(await logged(await ask('PATCH', path, { version: '3' }))).toEqual([['update', 'one', '']])
    const gone = await ask('DELETE', path, { changelog_message: 'sold' })
    expect([gone.status, await logged(gone)]).toEqual([204, [['delete', 'one', 'sold']]])
  })

  test('come with each object of a bulk write', async () => {
    const bodies = ['a', 'b', 'c'].map((name) => ({
      ...server,
      name: `bulk-${name}`,
      changelog_message: `new ${name}`,
    }))
    const made = await ask('POST', 'servers/', bodies)
    expect(await logged(made)).toEqual([
      ['create', 'bulk-a', 'new a'],
      ['create', 'bulk-b', 'new b'],
      ['create', 'bulk-c', 'new c'],
    ])
    const ids: ReadonlyArray<number> = made.json.map(({ id }: { id: number }) => id)
    const changes = ids.map((id, nth) => ({ id, version: '2', ...(nth === 1 ? { changelog_message: 'only b' } : {}) }))
    expect(await logged(await ask('PATCH', 'servers/', changes))).toEqual([
      ['update', 'bulk-a', ''],
      ['update', 'bulk-b', 'only b'],
      ['update', 'bulk-c', ''],
    ])
    const removals = ids.map((id, nth) => ({ id, changelog_message: nth === 2 ? 'broken' : '' }))
    expect(await logged(await ask('DELETE', 'servers/', removals))).toEqual([
      ['delete', 'bulk-a', ''],
      ['delete', 'bulk-b', ''],
      ['delete', 'bulk-c', 'broken'],
    ])
  })

  test('of a server that is connected are those of its one entry', async () => {
    const body = { ...server, name: 'connected', token_secret: 's', changelog_message: 'hello' }
    const made = await ask('POST', 'servers/', body)
    expect(await logged(made)).toEqual([['create', 'connected', 'hello']])
    const path = `servers/${made.json.id}/`
    const moved = await ask('PATCH', path, { name: 'moved', changelog_message: 'to the new rack' })
    expect(await logged(moved)).toEqual([['update', 'moved', 'to the new rack']])
    const gone = await ask('DELETE', path, { changelog_message: 'bye' })
    expect(await logged(gone)).toEqual([['delete', 'moved', 'bye']])
  })

  test('of a branch are shown with its changes, and logged by its merge', async () => {
    const { json: stays } = await ask('POST', 'servers/', { ...server, name: 'stays' })
    const { json: goes } = await ask('POST', 'servers/', { ...server, name: 'goes' })
    const { json: branch } = await ask('POST', 'branches/', { name: 'with messages' })
    const there = (method: string, path: string, body: unknown) =>
      ask(method, path, body, { 'X-NetBox-Branch': branch.schema_id })
    await there('PATCH', `servers/${stays.id}/`, { version: '1', changelog_message: 'first' })
    await there('PATCH', `servers/${stays.id}/`, { version: '2', changelog_message: 'second' })
    await there('PATCH', `servers/${stays.id}/`, { version: '3' })
    await there('DELETE', 'servers/', [{ id: goes.id, changelog_message: 'gone' }])
    await there('POST', 'servers/', [
      { ...server, name: 'silent' },
      { ...server, name: 'said', changelog_message: 'new' },
    ])
    const expected = [
      ['create', 'said', 'new'],
      ['create', 'silent', ''],
      ['delete', 'goes', 'gone'],
      ['update', 'stays', 'second'],
    ]
    const { json: changes } = await ask('GET', `branches/${branch.id}/changes/`)
    const shown = changes.results.map(
      ({ action, object_repr, message }: { action: { value: string }; object_repr: string; message: string }) => [
        action.value,
        object_repr,
        message,
      ],
    )
    expect(shown.toSorted()).toEqual(expected)
    const merge = await ask('POST', `branches/${branch.id}/merge/`, { commit: true })
    expect(merge.status).toBe(200)
    const about = (await logged(merge)).filter(([, title]: [string, string]) => title !== 'with messages')
    expect(about.toSorted()).toEqual(expected)
  })

  test.each([
    [null, 'This field may not be null.'],
    [['x'], 'Not a valid string.'],
    ['x'.repeat(201), 'Ensure this field has no more than 200 characters.'],
    ['a\0b', 'Null characters are not allowed.'],
  ])('cannot be %j', async (changelog_message, sentence) => {
    const { json } = await ask('GET', 'servers/?name=stays')
    const [{ id }] = json.results
    const errors = { changelog_message: [sentence] }
    expect(await ask('POST', 'servers/', { ...server, name: 'x', changelog_message })).toMatchObject({
      status: 400,
      json: errors,
    })
    for (const method of ['PATCH', 'DELETE'])
      expect(await ask(method, `servers/${id}/`, { changelog_message })).toMatchObject({ status: 400, json: errors })
    expect((await ask('PATCH', 'servers/', [{ id, changelog_message }])).json.errors).toEqual([{ id, errors }])
    expect((await ask('DELETE', 'servers/', [{ id, changelog_message }])).json.errors).toEqual([{ index: 0, errors }])
  })
})
