import { expect, test } from 'vitest'
import { adviceFor } from './announce.ts'

test('PostgreSQL is recommended beyond 200 000 snapshots', () => {
  expect(adviceFor(200_000)).toBeNull()
  expect(adviceFor(200_001)).toBe(
    'the embedded database holds 200001 snapshots and is meant for up to 200000: set DATABASE_URL to a PostgreSQL to stay fast',
  )
})
