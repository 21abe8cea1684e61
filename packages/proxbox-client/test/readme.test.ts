import { readFile } from 'node:fs/promises'
import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { encodeFrame } from '../src/contract/index.ts'
import { bytesOf, everyFrame } from './frames.ts'
import { ndjson, serve } from './http-server.ts'
import { countSnapshots } from './readme-example.ts'
import { key, run } from './source.ts'

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

describe('the README', () => {
  test('shows the example that is run here', async () => {
    expect(readme).toContain(await readFile(new URL('./readme-example.ts', import.meta.url), 'utf8'))
  })

  test('the example counts the snapshots of a gateway', async () => {
    const count = await run(
      Effect.flatMap(
        serve((_, response) => ndjson(response).end(bytesOf(everyFrame))),
        ({ url }) => countSnapshots(url, key),
      ),
    )
    expect(count).toBe(2)
  })

  test('shows a frame as it is written', () => {
    expect(readme).toContain(
      encodeFrame({ frame: 'namespace', server: 'pbs-a', datastore_name: 'tank', path: 'site-a' }),
    )
  })
})
