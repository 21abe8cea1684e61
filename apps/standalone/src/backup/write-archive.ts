import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { type Pack, pack } from 'tar-stream'
import { keyNames } from '../config.ts'
import { databaseName, keptFiles, keyFiles } from '../data-folder/contents.ts'
import { syncFolder } from '../data-folder/sync-folder.ts'
import { type Manifest, manifestName } from './manifest.ts'

/** What goes into an archive. */
export interface ArchiveSource {
  /** Where the keys and the token lie. */
  readonly dataDir: string
  /** The files of the database, which must not change while they are read. */
  readonly database: string
  readonly about: Pick<Manifest, 'made_at' | 'release' | 'keys_elsewhere'>
  /** Aborted when the files of the database may change or go: then there is no archive. */
  readonly released: AbortSignal
}

/**
 * Writes a backup to a file that only its owner may read: a gzipped tar archive with its manifest
 * first. The file appears when it is complete and on the disk. Gives its size in bytes.
 */
export async function writeArchive(file: string, source: ArchiveSource): Promise<number> {
  const { released } = source
  const { manifest, places } = await describe(source)
  const draft = `${file}.${randomUUID()}`
  try {
    const archive = pack()
    const written = pipeline(archive, createGzip(), createWriteStream(draft, { mode: 0o600, flags: 'wx', flush: true }))
    const results = await Promise.allSettled([fill(archive, manifest, places, released), written])
    for (const result of results) if (result.status === 'rejected') throw result.reason
    const { size } = await stat(draft)
    released.throwIfAborted()
    await rename(draft, file)
    await syncFolder(dirname(file))
    return size
  } finally {
    await rm(draft, { force: true })
  }
}

/** The manifest, and where each of its files lies. */
async function describe({ dataDir, database, about }: ArchiveSource) {
  const entries = await readdir(database, { recursive: true, withFileTypes: true })
  const inDatabase = entries.map((entry) => {
    const place = join(entry.parentPath, entry.name)
    return { entry, place, path: `${databaseName}${place.slice(database.length)}` }
  })
  // The file of a key that the system has from elsewhere holds another one.
  const keys = ['secretKey', 'gatewaySecretKey'] as const
  const unused: ReadonlyArray<string> = keys
    .filter((key) => about.keys_elsewhere.includes(keyNames[key]))
    .map((key) => keyFiles[key])
  const kept = (await readdir(dataDir)).filter((name) => keptFiles.includes(name) && !unused.includes(name))
  const places = new Map([
    ...kept.map((name) => [name, join(dataDir, name)] as const),
    ...inDatabase.filter(({ entry }) => entry.isFile()).map(({ path, place }) => [path, place] as const),
  ])
  const files: Array<Manifest['files'][number]> = []
  for (const [path, place] of places) files.push({ path, ...(await digestOf(place)) })
  const folders = [
    databaseName,
    ...inDatabase.filter(({ entry }) => entry.isDirectory()).map(({ path }) => path),
  ].toSorted()
  const manifest: Manifest = { format: 'netbox-pbs backup', version: 1, ...about, folders, files }
  return { manifest, places }
}

async function digestOf(place: string): Promise<{ readonly size: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(place)) {
    size += chunk.length
    hash.update(chunk)
  }
  return { size, sha256: hash.digest('hex') }
}

async function fill(
  archive: Pack,
  manifest: Manifest,
  places: ReadonlyMap<string, string>,
  released: AbortSignal,
): Promise<void> {
  try {
    await add(archive, { name: manifestName, mode: 0o600 }, JSON.stringify(manifest))
    for (const name of manifest.folders) await add(archive, { name, type: 'directory', mode: 0o700 })
    for (const { path, size } of manifest.files) {
      released.throwIfAborted()
      const entry = archive.entry({ name: path, size, mode: 0o600 })
      await pipeline(createReadStream(places.get(path) ?? ''), entry)
    }
    archive.finalize()
  } catch (cause) {
    archive.destroy(cause instanceof Error ? cause : new Error(String(cause)))
    throw cause
  }
}

const add = (archive: Pack, header: Parameters<Pack['entry']>[0], content = ''): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (error?: Error | null) => (error ? reject(error) : resolve())
    archive.entry(header, content, done).on('error', reject)
  })
