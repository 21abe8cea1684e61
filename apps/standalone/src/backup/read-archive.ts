import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { Effect } from 'effect'
import { extract } from 'tar-stream'
import { CannotRun } from '../failures.ts'
import { Manifest, manifestName, maxManifestBytes } from './manifest.ts'

/** What the manifest of an archive says. */
export const readManifest = (file: string): Effect.Effect<Manifest, CannotRun> =>
  reading(file, async () => {
    let manifest: Manifest | undefined
    for await (const entry of entriesOf(file)) {
      manifest ??= entry.manifest
      break
    }
    if (manifest === undefined) throw new Unfit('is no backup of netbox-pbs')
    return manifest
  })

/**
 * Writes what an archive holds into a new folder, and compares each file with the manifest. Fails when
 * one is missing, is there twice, is another than when it was saved, or is not in the manifest.
 */
export const extractArchive = (file: string, folder: string): Effect.Effect<void, CannotRun> =>
  reading(file, async () => {
    await mkdir(folder, { mode: 0o700 })
    const left = new Map<string, Manifest['files'][number]>()
    for await (const { manifest, name, isFolder, content } of entriesOf(file)) {
      if (name === manifestName) {
        for (const listed of manifest.files) left.set(listed.path, listed)
        for (const path of manifest.folders.toSorted()) await mkdir(join(folder, path), { mode: 0o700 })
      } else if (!(isFolder && manifest.folders.includes(name))) {
        const listed = left.get(name)
        if (listed === undefined || isFolder) throw new Unfit(`is damaged: ${name} does not belong to it`)
        await writeChecked(content, join(folder, name), listed)
        left.delete(name)
      }
    }
    const [missing] = left.keys()
    if (missing !== undefined) throw new Unfit(`is incomplete: ${missing} is missing`)
  })

interface ArchiveEntry {
  readonly name: string
  readonly isFolder: boolean
  readonly content: AsyncIterable<unknown>
  /** Of the archive. */
  readonly manifest: Manifest
}

/** The entries of an archive, one after the other; the first is its manifest, already read. */
async function* entriesOf(file: string): AsyncGenerator<ArchiveEntry> {
  const archive = extract()
  const unpacked = pipeline(createReadStream(file), createGunzip(), archive)
  // Told by the loop as well, which ends when the archive is destroyed.
  unpacked.catch(() => undefined)
  let manifest: Manifest | undefined
  try {
    for await (const entry of archive) {
      const { name, type } = entry.header
      if (manifest === undefined) {
        if (name !== manifestName || type !== 'file') throw new Unfit('is no backup of netbox-pbs')
        manifest = await parseManifest(entry)
      } else if (type !== 'file' && type !== 'directory')
        throw new Unfit(`is damaged: ${name} is neither a file nor a folder`)
      yield { name: name.replace(/\/$/, ''), isFolder: type === 'directory', content: entry, manifest }
      // What was not read is passed over.
      entry.resume()
    }
    await unpacked
  } finally {
    archive.destroy()
  }
}

async function parseManifest(content: AsyncIterable<unknown>): Promise<Manifest> {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of bytesOf(content)) {
    size += chunk.byteLength
    if (size > maxManifestBytes) throw new Unfit('is no backup of netbox-pbs')
    chunks.push(chunk)
  }
  const parsed = Manifest.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')))
  if (!parsed.success) throw new Unfit('was made by another release, or is no backup of netbox-pbs')
  return parsed.data
}

/** The chunks of an entry; the streams of `tar-stream` do not say what theirs are. */
async function* bytesOf(content: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) if (chunk instanceof Uint8Array) yield chunk
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function writeChecked(
  content: AsyncIterable<unknown>,
  place: string,
  { path, size, sha256 }: Manifest['files'][number],
): Promise<void> {
  const damaged = () => new Unfit(`is damaged: ${path} is not as it was saved`)
  const hash = createHash('sha256')
  let read = 0
  const counted = async function* () {
    for await (const chunk of bytesOf(content)) {
      read += chunk.byteLength
      if (read > size) throw damaged()
      hash.update(chunk)
      yield chunk
    }
  }
  await pipeline(counted, createWriteStream(place, { mode: 0o600, flags: 'wx' }))
  if (read !== size || hash.digest('hex') !== sha256) throw damaged()
}

/** What is wrong with an archive, as the rest of a sentence about it. */
class Unfit extends Error {}

const reading = <A>(file: string, work: () => Promise<A>): Effect.Effect<A, CannotRun> =>
  Effect.uninterruptible(
    Effect.tryPromise({
      try: work,
      catch: (cause) => new CannotRun({ message: `${file} ${wrongWith(cause)}; nothing was restored`, cause }),
    }),
  )

function wrongWith(cause: unknown): string {
  if (cause instanceof Unfit) return cause.message
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
    return 'cannot be read: name a file that this user may read'
  if (code === 'ENOSPC') return 'does not fit: free space on the disk of the data folder'
  if (code === 'Z_BUF_ERROR') return 'ends too early: it was cut off'
  if (code.startsWith('Z_')) return 'is damaged, or is no backup of netbox-pbs'
  return 'cannot be read as a backup of netbox-pbs'
}
