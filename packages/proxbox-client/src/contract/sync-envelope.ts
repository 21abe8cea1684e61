import type { Frame } from './frame.ts'
import type { SyncItem } from './summaries.ts'

/** Where the rows of a frame lie under `raw`. */
const rawKeys = {
  server: 'servers',
  datastore: 'datastores',
  namespace: 'namespaces',
  group: 'groups',
  job: 'jobs',
  task: 'tasks',
  complete: 'complete',
  failed: 'failed',
  warning: 'warnings',
} as const

/**
 * The rows of a sync as one JSON document, asked for with `Accept: application/json`: frames
 * without their `frame` key.
 */
export interface SyncEnvelope {
  readonly items: ReadonlyArray<SyncItem>
  readonly raw: Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>
}

/** Gathers the frames of a whole stream into the envelope. */
export function envelopeOf(frames: Iterable<Frame>): SyncEnvelope {
  const raw: Record<string, Array<Readonly<Record<string, unknown>>>> = { complete: [], failed: [], warnings: [] }
  let items: ReadonlyArray<SyncItem> = []
  for (const frame of frames) {
    if (frame.frame === 'end') items = frame.items
    if (frame.frame === 'end' || frame.frame === 'scope') continue
    const { frame: name, ...row } = frame
    const key = rawKeys[name]
    const rows = raw[key]
    if (rows === undefined) raw[key] = [row]
    else rows.push(row)
  }
  return { items, raw }
}
