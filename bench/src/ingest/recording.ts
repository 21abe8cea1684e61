import { hash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { shortDigest } from '@netbox-pbs/core'
import { encodeFrame, type Frame } from '@netbox-pbs/proxbox-client/contract'
import { type Fleet, framesOf } from './fleet.ts'

/** The resources that a sync of the benchmark reads, in this order. */
export const recordedResources = ['servers', 'datastores', 'snapshots'] as const

/** The path of one resource of a recording. */
export const recordedFile = (folder: string, recording: string, resource: string): string =>
  join(folder, recording, `${resource}.ndjson`)

/** A line of a recording: where it ends, and of a group its digest and the line that names it. */
interface RecordedLine {
  readonly end: number
  readonly digest?: string
  readonly name?: string
}

const indexFile = (file: string): string => `${file}.index.json`

/** Writes every stream that a gateway sends of a fleet, as the gateway encodes it. */
export async function record(folder: string, recording: string, fleet: Fleet): Promise<void> {
  await mkdir(join(folder, recording))
  for (const resource of recordedResources) {
    const index: Array<RecordedLine> = []
    const lines = Readable.from(encoded(fleet, resource, index), { objectMode: true, highWaterMark: 16 })
    const file = recordedFile(folder, recording, resource)
    await pipeline(lines, createWriteStream(file))
    await writeFile(indexFile(file), JSON.stringify(index))
  }
}

/** Removes a recording. */
export const discard = (folder: string, recording: string): Promise<void> =>
  rm(join(folder, recording), { recursive: true, force: true })

function* encoded(
  fleet: Fleet,
  resource: (typeof recordedResources)[number],
  index: Array<RecordedLine>,
): Generator<string> {
  let end = 0
  for (const frame of framesOf(fleet, resource)) {
    const line = encodeFrame(frame)
    end += Buffer.byteLength(line)
    index.push({ end, ...nameOf(frame, line) })
    yield line
  }
}

/** How a gateway names a group to a caller that has its frame. */
function nameOf(frame: Frame, line: string): Omit<RecordedLine, 'end'> {
  if (frame.frame !== 'group') return {}
  const digest = shortDigest(hash('sha256', line.slice(0, -1), 'hex'))
  const { server, backup_type, backup_id, snapshots } = frame
  const count = snapshots.length
  return { digest, name: encodeFrame({ frame: 'unchanged_frame', server, backup_type, backup_id, digest, count }) }
}

/** Pieces of about this size are sent. */
const pieceBytes = 1 << 20

/** Reads the index of a recorded file. */
export const readIndex = async (file: string): Promise<ReadonlyArray<RecordedLine>> =>
  // border: written by `record`
  JSON.parse(await readFile(indexFile(file), 'utf8')) as ReadonlyArray<RecordedLine>

/** A recorded file as it is sent to a caller that has some of its frames. */
export async function* unlessKnown(
  file: string,
  index: ReadonlyArray<RecordedLine>,
  known: ReadonlySet<string>,
): AsyncGenerator<Buffer> {
  const handle = await open(file)
  try {
    let names = ''
    let [from, end] = [0, 0]
    for (const line of index) {
      const isKnown = line.digest !== undefined && known.has(line.digest)
      if (isKnown && end > from) yield await slice(handle, from, end)
      if (!isKnown && names !== '') {
        yield Buffer.from(names)
        names = ''
      }
      if (isKnown) {
        names += line.name
        from = line.end
      }
      end = line.end
      if (names.length > pieceBytes) {
        yield Buffer.from(names)
        names = ''
      }
      if (end - from > pieceBytes) {
        yield await slice(handle, from, end)
        from = end
      }
    }
    if (end > from) yield await slice(handle, from, end)
    if (names !== '') yield Buffer.from(names)
  } finally {
    await handle.close()
  }
}

async function slice(handle: Awaited<ReturnType<typeof open>>, from: number, to: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(to - from)
  await handle.read(bytes, 0, bytes.length, from)
  return bytes
}
