import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Branches } from '@netbox-pbs/core/ports'
import { inventoryLayer } from '@netbox-pbs/store-postgres'
import { Effect, Layer, ManagedRuntime } from 'effect'
import { serverName, servers } from '../branch/fill-main.ts'
import { changeOf, changesOf, openBranch, stageAll } from '../branch/stage-changes.ts'
import { runPart, startPart } from '../child.ts'
import type { GatewayAnswer, GatewayTask } from '../ingest/gateway.ts'
import { record } from '../ingest/recording.ts'
import { databaseAt, type StoreAt } from '../ingest/store.ts'
import type { WorkerAnswer, WorkerTask } from '../ingest/worker.ts'

/** Work that writes main, prepared so that only the writing remains. */
export interface Writer {
  readonly title: string
  readonly write: () => Promise<void>
  readonly close: () => Promise<void>
}

/** A first sync of another server, by a worker of its own. */
export async function firstSync(store: StoreAt, snapshots: number): Promise<Writer> {
  const folder = await mkdtemp(join(tmpdir(), 'netbox-pbs-bench-'))
  await record(folder, 'recorded', { snapshots, changedEvery: null })
  const gateway = await startPart<GatewayTask, GatewayAnswer>('ingest/gateway', { folder })
  return {
    title: 'first_sync',
    write: async () => {
      const task = { store, gatewayUrl: `${gateway.answer.url}/recorded`, measureReads: false }
      const { run } = await runPart<WorkerTask, WorkerAnswer>('ingest/worker', task)
      if (run.status !== 'completed') throw new Error(`the run ended ${run.status}: ${JSON.stringify(run)}`)
    },
    close: async () => {
      await gateway.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The merge of a branch of a sync with so many changes. */
export async function merge(store: StoreAt, snapshots: number, changes: number): Promise<Writer> {
  const runtime = ManagedRuntime.make(Layer.provideMerge(inventoryLayer, databaseAt(store)))
  const fleet = Array.from({ length: servers }, (_, place) => serverName(place))
  const made = await runtime.runPromise(
    changesOf(fleet, { step: Math.max(1, Math.floor(snapshots / changes)), change: changeOf }),
  )
  const { id } = await runtime.runPromise(openBranch('to-merge', 20_000))
  await runtime.runPromise(stageAll(id, 20_000, made))
  const by = { user: 'bench', requestId: '5f6c0f6e-6a53-4a3a-9c0b-0a4d0c7f0001' }
  return {
    title: 'merge',
    write: async () => {
      const merging = { id, by, at: '2026-06-03T00:00:00Z', approval: false, commit: true }
      await runtime.runPromise(Effect.flatMap(Branches, (branches) => branches.merge(merging)))
    },
    close: () => runtime.dispose(),
  }
}
