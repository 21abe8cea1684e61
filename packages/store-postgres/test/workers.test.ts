import { workersContract } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe } from 'vitest'
import { Database } from '../src/database/database.ts'
import { workersLayer } from '../src/workers/workers.ts'
import { engines } from './engines.ts'

describe.each(engines)('Workers on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(workersLayer, migrated))
  afterAll(() => runtime.dispose())

  workersContract({
    run: (effect) => runtime.runPromise(effect),
    age: (seconds) =>
      runtime.runPromise(
        Effect.flatMap(Database, (database) =>
          database.query('testing', (db) =>
            sql`update workers set heard_at = heard_at - ${seconds}::bigint * interval '1 second'`.execute(db),
          ),
        ),
      ),
  })
})
