import { readFileSync } from 'node:fs'
import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { syncOnce } from './examples/sync-once.ts'
import { MemorySystem, run } from './memory/system.ts'

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

test('the example of the README is shown as it is run here', () => {
  expect(text('../README.md')).toContain(`\`\`\`ts\n${text('./examples/sync-once.ts').trim()}\n\`\`\``)
})

test('the example of the README lands the servers', async () => {
  const system = new MemorySystem()
  system.fleet = [{ name: 'pbs-a', endpointId: 1, datastores: {} }]
  const outcome = await run(syncOnce.pipe(Effect.provide(system.layer), Effect.orDie))
  expect(outcome).toMatchObject({ _tag: 'done', run: { status: 'completed', counts: { created: 1 } } })
  expect(system.queue.jobs).toEqual([])
})
