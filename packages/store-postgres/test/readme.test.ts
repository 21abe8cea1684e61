import { readFile } from 'node:fs/promises'
import { Effect, Option } from 'effect'
import { expect, test } from 'vitest'
import { example } from './readme-example.ts'

test('the example of the README runs', async () => {
  const [readme, source] = await Promise.all(
    ['../README.md', './readme-example.ts'].map((path) => readFile(new URL(path, import.meta.url), 'utf8')),
  )
  expect(readme).toContain(source)
  const claimed = Option.getOrThrow(await Effect.runPromise(example))
  expect(claimed).toMatchObject({ attempt: 1, job: { runId: 1, serverId: 1, resources: ['snapshots'] } })
})
