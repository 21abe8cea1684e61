import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPart } from '../child.ts'
import type { Result } from '../measure.ts'
import type { GatewayAnswer, GatewayTask } from './gateway.ts'
import { type IngestOptions, syncOnce } from './ingest.ts'
import { record } from './recording.ts'
import { executed, migrated, withDriver } from './store.ts'
import { pgliteStores, pgStores } from './stores.ts'

/**
 * Runs whose branch waits for approval: one that stages its changes, and more of them that find the
 * same, in a new process (`waiting_cold`) and after two in the same one. They are compared with a run
 * that finds nothing changed in main, also after two.
 */
export async function* waiting(
  options: Omit<IngestOptions, 'profiles'> & { readonly changes: number },
): AsyncGenerator<Result> {
  const { snapshots, changes, store } = options
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  try {
    const { synced, drop } = store === 'pg' ? await pgStores(options.databaseUrl) : pgliteStores(folder)
    try {
      await migrated(synced)
      await record(folder, 'recorded', { snapshots, changedEvery: null })
      await record(folder, 'changed', { snapshots, changedEvery: Math.max(1, Math.floor(snapshots / changes)) })
      const gateway = await startPart<GatewayTask, GatewayAnswer>('ingest/gateway', { folder })
      const sync = (recording: string, before = 0) =>
        syncOnce({ store: synced, gatewayUrl: `${gateway.answer.url}/${recording}`, measureReads: false, before }, [])
      const result = (title: string, { seconds, ...measured }: Awaited<ReturnType<typeof sync>>) => ({
        ...{ bench: `waiting ${store}`, case: title, n: snapshots, changes, seconds },
        rowsPerSecond: snapshots / seconds,
        ...measured,
      })
      try {
        await sync('recorded')
        const unchanged = await sync('recorded', 2)
        yield result('unchanged', unchanged)
        await withDriver(synced, (driver) =>
          executed(
            driver,
            `update settings set changed = changed || '{"branching_enabled": true, "branch_approval_required": true}'`,
          ),
        )
        yield result('staged', await sync('changed'))
        const yardstick = { title: 'unchanged in main', seconds: unchanged.seconds }
        yield { ...result('waiting_cold', await sync('changed')), yardstick }
        yield { ...result('waiting', await sync('changed', 2)), yardstick }
      } finally {
        await gateway.stop()
      }
    } finally {
      await drop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
