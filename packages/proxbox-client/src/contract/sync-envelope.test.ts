import { expect, test } from 'vitest'
import { everyFrame } from '../../test/frames.ts'
import { envelopeOf } from './sync-envelope.ts'

test('the envelope holds the rows of a stream without their frame key', () => {
  const { items, raw } = envelopeOf(everyFrame)
  expect(items).toMatchObject([{ endpoint_id: 3, fetched: 5 }])
  expect(Object.fromEntries(Object.entries(raw).map(([name, rows]) => [name, rows.length]))).toEqual({
    servers: 1,
    datastores: 1,
    namespaces: 1,
    groups: 1,
    jobs: 1,
    tasks: 1,
    complete: 5,
    failed: 1,
    warnings: 1,
  })
  expect(raw['namespaces']).toEqual([{ server: 'pbs-a', datastore_name: 'tank', path: 'site-a' }])
})

test('an empty stream has no rows, and says so', () => {
  expect(envelopeOf([{ frame: 'end', items: [] }])).toEqual({
    items: [],
    raw: { complete: [], failed: [], warnings: [] },
  })
})
