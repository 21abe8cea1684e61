import { Effect, Stream } from 'effect'
import { expect, test } from 'vitest'
import { lineOf } from '../scopes/open-scope.ts'
import { syncDocument } from './sync-routes.ts'

const lines = [
  lineOf({ frame: 'scope', resource: 'datastores', server: 'pbs-a' }),
  lineOf({ frame: 'complete', resource: 'datastores', server: 'pbs-a', count: 0, visibility: 'v' }),
  lineOf({ frame: 'end', items: [] }),
]
const size = lines.reduce((sum, { text }) => sum + text.length, 0)

const gather = (max: number) => Effect.runPromise(Effect.either(syncDocument(Stream.fromIterable(lines), max)))

test('rows are gathered under their names', async () => {
  expect(await gather(size)).toMatchObject({
    _tag: 'Right',
    right: {
      items: [],
      raw: {
        complete: [{ resource: 'datastores', server: 'pbs-a', count: 0, visibility: 'v' }],
        failed: [],
        warnings: [],
      },
    },
  })
})

test('more than fits is refused with the way out', async () => {
  expect(await gather(size - 1)).toMatchObject({
    _tag: 'Left',
    left: { status: 400, detail: expect.stringContaining('application/x-ndjson') },
  })
})
