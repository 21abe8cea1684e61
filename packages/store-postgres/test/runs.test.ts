import { runsContract } from '@netbox-pbs/testing'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { sql } from 'kysely'
import { afterAll, describe } from 'vitest'
import { Database } from '../src/database/database.ts'
import { runsLayer } from '../src/runs/runs.ts'
import { engines } from './engines.ts'

describe.each(engines)('Runs on $engine', ({ migrated }) => {
  const runtime = ManagedRuntime.make(Layer.provideMerge(runsLayer, migrated))
  afterAll(() => runtime.dispose())
  const change = (text: string) =>
    runtime.runPromise(
      Effect.flatMap(Database, ({ query }) =>
        query('changing servers', async (db) => (await sql.raw<{ id: number }>(text).execute(db)).rows),
      ),
    )

  runsContract({
    run: (effect) => runtime.runPromise(effect),
    addServer: async (name) => {
      const [row] = await change(
        `insert into servers (name, host, token_id, presence) values ('${name}', 'h', 'a@pbs!b', 'manual') returning id`,
      )
      return row?.id ?? 0
    },
    renameServer: (id, name) => change(`update servers set name = '${name}' where id = ${id}`),
    removeServer: (id) => change(`delete from servers where id = ${id}`),
  })
})
