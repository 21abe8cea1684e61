import type { PbsSnapshot, PbsSnapshotFile, PbsVerification } from './content-schemas.ts'
import { noFields } from './decode-item.ts'

/**
 * The snapshot of a row as PBS writes it, with known fields of their own types only; null for any other row, which
 * `decodeItem` has to read. The result is the same as that of `decodeItem`, which takes ten times as long, and there are
 * millions of rows.
 *
 * @param value - Parsed JSON whose texts are all printable.
 */
export const plainSnapshot = (value: unknown): PbsSnapshot | null => {
  const row = fieldsOf(value)
  const { 'backup-type': type, 'backup-id': id, 'backup-time': time } = row
  if (typeof type !== 'string' || typeof id !== 'string' || !Number.isSafeInteger(time)) return null
  const { files, size, owner, comment, protected: flag, verification, fingerprint } = row
  const optional =
    present(files) +
    present(size) +
    present(owner) +
    present(comment) +
    present(flag) +
    present(verification) +
    present(fingerprint)
  if (Object.keys(row).length !== 3 + optional) return null
  if (!isTextOrNone(owner) || !isTextOrNone(comment) || !isTextOrNone(fingerprint)) return null
  if (!isByteCountOrNone(size) || (typeof flag !== 'boolean' && !isNone(flag))) return null
  const plainFiles = isNone(files) ? [] : filesOf(files)
  if (plainFiles === null || (!isNone(verification) && !isVerification(verification))) return null
  return {
    'backup-type': type,
    'backup-id': id,
    'backup-time': Number(time),
    files: plainFiles,
    size: size ?? null,
    owner: owner ?? null,
    comment: comment ?? null,
    protected: flag ?? false,
    verification: verification ?? null,
    fingerprint: fingerprint ?? null,
    unsafeIntegers: noFields,
  }
}

/** A border: an object of parsed JSON is a plain object or an array, and no array has the fields of a row. */
const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : noRow

const noRow = Object.freeze({})

/** JSON has no undefined values. */
const present = (value: unknown): 0 | 1 => (value === undefined ? 0 : 1)

const isNone = (value: unknown): value is null | undefined => value === undefined || value === null

const isTextOrNone = (value: unknown): value is string | null | undefined => typeof value === 'string' || isNone(value)

const isByteCountOrNone = (value: unknown): value is number | null | undefined =>
  typeof value === 'number' ? Number.isSafeInteger(value) && value >= 0 : isNone(value)

const isVerification = (value: unknown): value is PbsVerification => {
  const fields = fieldsOf(value)
  return typeof fields['upid'] === 'string' && typeof fields['state'] === 'string' && Object.keys(fields).length === 2
}

/** Null when one of them is odd. */
const filesOf = (value: unknown): Array<PbsSnapshotFile> | null => {
  if (!Array.isArray(value)) return null
  const files: Array<PbsSnapshotFile> = []
  for (const item of value) {
    const file = fieldsOf(item)
    const { filename, size, 'crypt-mode': mode } = file
    if (typeof filename !== 'string' || !isByteCountOrNone(size) || !isTextOrNone(mode)) return null
    if (Object.keys(file).length !== 1 + present(size) + present(mode)) return null
    files.push({ filename, size: size ?? null, 'crypt-mode': mode ?? null })
  }
  return files
}
