import { parseUpid } from './upid.ts'

/** What these rules read of a snapshot. */
export interface SnapshotFacts {
  readonly files: ReadonlyArray<{ readonly filename: string; readonly 'crypt-mode'?: string | null }>
}

/** How the files of a snapshot are protected; `mixed` when they differ. */
export type SnapshotCryptMode = 'none' | 'encrypt' | 'sign-only' | 'mixed'

const manifest = 'index.json.blob'

/** A backup is finished when its manifest was written; a running or failed one has none. */
export const isFinished = (snapshot: SnapshotFacts): boolean =>
  snapshot.files.some((file) => file.filename === manifest)

/** What tells whether PBS could read the manifest of a snapshot. */
export interface ManifestFacts {
  readonly files: ReadonlyArray<{
    readonly filename: string
    readonly size?: number | null | undefined
    readonly 'crypt-mode'?: string | null | undefined
  }>
  readonly size?: number | null | undefined
  readonly comment?: string | null | undefined
  readonly verification?: object | null | undefined
}

/**
 * Whether PBS could read the manifest of a snapshot, where it has one. If not, PBS lists names of files and nothing that
 * stands in the manifest: no size, mode, note or verification. What is missing is then unknown.
 */
export const hasReadableManifest = ({ files, size, comment, verification }: ManifestFacts): boolean =>
  files.every((file) => file.filename !== manifest) ||
  (size ?? null) !== null ||
  (comment ?? null) !== null ||
  (verification ?? null) !== null ||
  files.some((file) => (file.size ?? null) !== null || (file['crypt-mode'] ?? null) !== null)

/**
 * The rule of the PBS web pages: all files encrypted, all signed, neither anywhere, or mixed. The manifest itself and
 * files without a mode (not in the manifest, such as `client.log.blob`) do not count.
 * Says nothing of a snapshot whose manifest cannot be read: ask `hasReadableManifest` first.
 */
export const cryptModeOf = (snapshot: SnapshotFacts): SnapshotCryptMode => {
  const modes = snapshot.files
    .filter((file) => file.filename !== manifest)
    .map((file) => file['crypt-mode'] ?? null)
    .filter((mode) => mode !== null)
  const encrypted = modes.filter((mode) => mode === 'encrypt').length
  const signed = modes.filter((mode) => mode === 'sign-only').length
  if (encrypted + signed === 0) return 'none'
  if (encrypted === modes.length) return 'encrypt'
  return signed === modes.length ? 'sign-only' : 'mixed'
}

/** When a verification began (epoch seconds): PBS stores no time with it, so it is taken from the UPID. */
export const verifiedAt = (verification: { readonly upid: string } | null | undefined): number | null =>
  verification === null || verification === undefined ? null : (parseUpid(verification.upid)?.startTime ?? null)
