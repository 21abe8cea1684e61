import { z } from 'zod'
import { integer, text, type WithUnsafeIntegers } from './decode-item.ts'

const byteCount = z.int().min(0)

/** A namespace of a datastore; the root is the empty string. */
export const PbsNamespace = z.object({ ns: z.string(), comment: text })
export type PbsNamespace = WithUnsafeIntegers<Readonly<z.output<typeof PbsNamespace>>>

/** A backup group of one namespace. `last-backup` is 0 when it has no snapshot. */
export const PbsGroup = z.object({
  'backup-type': z.string(),
  'backup-id': z.string(),
  'last-backup': integer,
  'backup-count': integer,
  /** File names of the last snapshot. */
  files: z
    .array(z.string())
    .nullish()
    .transform((files) => files ?? []),
  owner: text,
  comment: text,
})
export type PbsGroup = WithUnsafeIntegers<Readonly<z.output<typeof PbsGroup>>>

const file = z.object({ filename: z.string(), size: byteCount.nullish(), 'crypt-mode': z.string().nullish() })

/** A file of a snapshot; files outside the manifest have only a name. */
export const PbsSnapshotFile = file.transform(fileOf)
export type PbsSnapshotFile = Readonly<z.output<typeof PbsSnapshotFile>>

/** The result of the last verification. Its time is that of its UPID. */
export const PbsVerification = z.object({ upid: z.string(), state: z.string() })
export type PbsVerification = Readonly<z.output<typeof PbsVerification>>

/**
 * A snapshot of one namespace; its row lacks store and namespace, since the caller requested them.
 * One transform at the end fills the defaults: field by field, zod takes four times as long, and
 * there are millions of rows.
 */
export const PbsSnapshot = z
  .object({
    'backup-type': z.string(),
    'backup-id': z.string(),
    /** Epoch seconds. */
    'backup-time': z.int(),
    files: z.array(file).nullish(),
    size: byteCount.nullish(),
    owner: z.string().nullish(),
    comment: z.string().nullish(),
    protected: z.boolean().nullish(),
    verification: PbsVerification.nullish(),
    /** Of the client's encryption key. */
    fingerprint: z.string().nullish(),
  })
  .transform((row) => ({
    'backup-type': row['backup-type'],
    'backup-id': row['backup-id'],
    'backup-time': row['backup-time'],
    files: row.files?.map(fileOf) ?? [],
    size: row.size ?? null,
    owner: row.owner ?? null,
    comment: row.comment ?? null,
    protected: row.protected ?? false,
    verification: row.verification ?? null,
    fingerprint: row.fingerprint ?? null,
  }))
export type PbsSnapshot = WithUnsafeIntegers<Readonly<z.output<typeof PbsSnapshot>>>

function fileOf({ filename, size, 'crypt-mode': mode }: z.output<typeof file>) {
  return { filename, size: size ?? null, 'crypt-mode': mode ?? null }
}
