/**
 * Worker types of tasks after which a namespace need not be listed in full: they read, they add backups (which shows in
 * the list of groups), or they do not touch a datastore. After any other type, a known or a new one, it is.
 * Source: the worker types that proxmox-backup registers.
 */
export const harmlessTasks: ReadonlyArray<string> = [
  'backup',
  'reader',
  'tape-backup',
  'tape-backup-job',
  'logrotate',
  'aptupdate',
  'termproxy',
  'srvstart',
  'srvstop',
  'srvrestart',
  'srvreload',
  'acme-register',
  'acme-deactivate',
  'acme-new-cert',
  'acme-renew-cert',
  'acme-revoke-cert',
  'realm-sync',
  'dircreate',
  'zfscreate',
  'diskinit',
  'wipedisk',
  'barcode-label-media',
  'clean-drive',
  'eject-media',
  'format-media',
  'inventory-update',
  'label-media',
  'load-media',
  'rewind-media',
  'unload-media',
]

/**
 * Seconds before a full list began in which a task's end counts as after it: the clocks of a server and of the gateway
 * may differ a little.
 */
export const taskToleranceSeconds = 600

/**
 * Since when a namespace must have been listed in full, so that a light run may leave it at its list of groups.
 *
 * @param now - Milliseconds since 1970.
 * @param hours - `full_sync_interval_hours`.
 * @returns Milliseconds since 1970; null: every run is full.
 */
export const fullSince = (now: number, hours: number): number | null => (hours === 0 ? null : now - hours * 3_600_000)

/**
 * The part of a frame's digest (SHA-256, hex) that stands for it between worker and gateway: its first 32 digits, which
 * no two frames of a fleet share.
 */
export const shortDigest = (digest: string): string => digest.slice(0, 32)

/** The most groups that a request may name as known. */
export const mostKnownGroups = 500_000
