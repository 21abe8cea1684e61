import { z } from 'zod'
import { integer, text, type WithUnsafeIntegers } from './fields.ts'

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

/** A file of a snapshot; files outside the manifest have only a name. */
export const PbsSnapshotFile = z
  .object({ filename: z.string(), size: byteCount.nullish(), 'crypt-mode': z.string().nullish() })
  .transform(fileOf)
export type PbsSnapshotFile = Readonly<z.output<typeof PbsSnapshotFile>>

/** The result of the last verification; its time is in the UPID (`verifiedAt`). */
export const PbsVerification = z.object({ upid: z.string(), state: z.string() })
export type PbsVerification = Readonly<z.output<typeof PbsVerification>>

/**
 * A snapshot of one namespace. Store and namespace are not in the row: the caller asked for them. There are millions of
 * these, and zod fills defaults field by field at four times the cost of one transform at the end.
 */
export const PbsSnapshot = z
  .object({
    'backup-type': z.string(),
    'backup-id': z.string(),
    /** Epoch seconds. */
    'backup-time': z.int(),
    files: z
      .array(z.object({ filename: z.string(), size: byteCount.nullish(), 'crypt-mode': z.string().nullish() }))
      .nullish(),
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

function fileOf(file: {
  readonly filename: string
  readonly size?: number | null | undefined
  readonly 'crypt-mode'?: string | null | undefined
}) {
  return { filename: file.filename, size: file.size ?? null, 'crypt-mode': file['crypt-mode'] ?? null }
}
