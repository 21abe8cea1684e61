import { z } from 'zod'
import { databaseName, keptFiles } from '../data-folder/contents.ts'

/** The name of the manifest in an archive, of which it is the first entry. */
export const manifestName = 'netbox-pbs-backup.json'

/** A place below the data folder: a kept file, the database, or what the database consists of. */
const Path = z.string().refine((path) => {
  const [first = '', ...rest] = path.split('/')
  const plain = rest.every((part) => /^[\w.-]+$/.test(part) && part !== '.' && part !== '..')
  return rest.length === 0 ? first === databaseName || keptFiles.includes(first) : first === databaseName && plain
})

/**
 * What an archive holds, and when and by which release it was made. A restore compares every file with
 * its size and digest.
 */
export const Manifest = z.object({
  format: z.literal('netbox-pbs backup'),
  version: z.literal(1),
  /** RFC 3339. */
  made_at: z.string(),
  /** Of netbox-pbs. */
  release: z.string(),
  /** Variables from which the system had a key, so that the archive lacks it. */
  keys_elsewhere: z.array(z.string().regex(/^NETBOX_PBS_[A-Z_]+$/)),
  folders: z.array(Path),
  files: z.array(z.object({ path: Path, size: z.int().nonnegative(), sha256: z.hash('sha256') })),
})
/** The first entry of an archive. */
export type Manifest = z.infer<typeof Manifest>

/** Manifests of larger databases than the embedded one holds are not read. */
export const maxManifestBytes = 16 * 1024 * 1024
