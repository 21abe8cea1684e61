import { z } from 'zod'
import { integer, text, type WithUnsafeIntegers } from './fields.ts'

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
export const PbsSnapshotFile = z.object({ filename: z.string(), size: integer, 'crypt-mode': text })
export type PbsSnapshotFile = Readonly<z.output<typeof PbsSnapshotFile>>

/** The result of the last verification; its time is in the UPID (`verifiedAt`). */
export const PbsVerification = z.object({ upid: z.string(), state: z.string() })
export type PbsVerification = Readonly<z.output<typeof PbsVerification>>

/** A snapshot of one namespace. Store and namespace are not in the row: the caller asked for them. */
export const PbsSnapshot = z.object({
  'backup-type': z.string(),
  'backup-id': z.string(),
  /** Epoch seconds. */
  'backup-time': z.number(),
  files: z
    .array(PbsSnapshotFile)
    .nullish()
    .transform((files) => files ?? []),
  size: integer,
  owner: text,
  comment: text,
  protected: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
  verification: PbsVerification.nullable().default(null),
  /** Of the client's encryption key. */
  fingerprint: text,
})
export type PbsSnapshot = WithUnsafeIntegers<Readonly<z.output<typeof PbsSnapshot>>>
