/**
 * Measures one snapshot list: `node --conditions=source --import tsx bench/one-big-list.ts [snapshots]`.
 *
 * A child process serves one namespace; this process reads it over TLS, counts bytes and rows, and parses nothing.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:https'
import { fileURLToPath } from 'node:url'
import { fillNamespaces } from '../src/fleet/bulk-groups.ts'
import { emptyNamespace, emptyState, emptyStore, startSimulator } from '../src/index.ts'
import { createRandom } from '../src/state/random.ts'

const [countText = '1000000', role = 'measure'] = process.argv.slice(2)
const snapshots = Number(countText)
const now = 1_780_358_400

const serve = async (): Promise<void> => {
  const start = performance.now()
  const fleet = emptyState({ name: 'pbs-a', now })
  const root = emptyNamespace('')
  fillNamespaces(createRandom(1), [{ namespace: root, weight: 1 }], {
    total: snapshots,
    now,
    verifyRuns: [],
    firstNumber: 100,
  })
  fleet.datastores = [emptyStore('tank', { namespaces: [root] })]
  const sim = await startSimulator({ fleet })
  const ready = Math.round(performance.now() - start)
  process.send?.({ port: sim.port, authorization: authorizationOf(sim.tokens.audit), ready })
  await once(process, 'message')
  process.send?.({ peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) })
  process.disconnect?.()
  await sim.close()
}

const authorizationOf = (token: { readonly tokenId: string; readonly secret: string }): string =>
  `PBSAPIToken=${token.tokenId}:${token.secret}`

const readList = (port: number, authorization: string): Promise<{ firstByte: number; bytes: number; rows: number }> =>
  new Promise((resolve, reject) => {
    const path = '/api2/json/admin/datastore/tank/snapshots'
    const start = performance.now()
    const options = { host: '127.0.0.1', port, path, rejectUnauthorized: false, headers: { authorization } }
    request(options, (response) => {
      let [firstByte, bytes, rows] = [0, 0, 0]
      response.on('data', (chunk: Buffer) => {
        if (bytes === 0) firstByte = performance.now() - start
        bytes += chunk.length
        for (let at = chunk.indexOf('"backup-time"'); at !== -1; at = chunk.indexOf('"backup-time"', at + 1)) rows += 1
      })
      response.on('end', () => resolve({ firstByte, bytes, rows }))
      response.on('error', reject)
    })
      .on('error', reject)
      .end()
  })

const measure = async (): Promise<void> => {
  const child = fork(fileURLToPath(import.meta.url), [countText, 'serve'])
  const [{ port, authorization, ready }] = await once(child, 'message')
  const start = performance.now()
  const { firstByte, bytes, rows } = await readList(port, authorization)
  const seconds = (performance.now() - start) / 1000
  child.send('done')
  const [{ peakMiB }] = await once(child, 'message')
  process.stdout.write(
    `${snapshots} snapshots: generated and listening in ${ready} ms, first byte after ${firstByte.toFixed(0)} ms, ` +
      `list in ${seconds.toFixed(1)} s, ${(bytes / 1e6).toFixed(0)} MB, about ${rows} rows seen ` +
      `(names split between chunks are not counted), server's peak RSS ${peakMiB} MiB\n`,
  )
}

await (role === 'serve' ? serve() : measure())
