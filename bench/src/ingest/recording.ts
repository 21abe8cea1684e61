import { createWriteStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { encodeFrame } from '@netbox-pbs/proxbox-client/contract'
import { type Fleet, framesOf } from './fleet.ts'

/** The resources that a sync of the benchmark reads, in this order. */
export const recordedResources = ['servers', 'datastores', 'snapshots'] as const

/** The path of one resource of a recording. */
export const recordedFile = (folder: string, recording: string, resource: string): string =>
  join(folder, recording, `${resource}.ndjson`)

/** Writes every stream that a gateway sends of a fleet, as the gateway encodes it. */
export async function record(folder: string, recording: string, fleet: Fleet): Promise<void> {
  await mkdir(join(folder, recording))
  for (const resource of recordedResources) {
    const lines = Readable.from(encoded(fleet, resource), { objectMode: true, highWaterMark: 16 })
    await pipeline(lines, createWriteStream(recordedFile(folder, recording, resource)))
  }
}

/** Removes a recording. */
export const discard = (folder: string, recording: string): Promise<void> =>
  rm(join(folder, recording), { recursive: true, force: true })

function* encoded(fleet: Fleet, resource: (typeof recordedResources)[number]): Generator<string> {
  for (const frame of framesOf(fleet, resource)) yield encodeFrame(frame)
}
