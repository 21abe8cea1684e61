import { z } from 'zod'
import { flag, integer, text, texts, type WithUnsafeIntegers } from './decode-item.ts'

/**
 * The fields of every job row. `last-run-state` is null while a run is under way (the UPID names
 * it) and when none ever ran.
 */
const common = {
  id: z.string(),
  store: z.string(),
  comment: text,
  schedule: text,
  ns: text,
  'max-depth': integer,
  'next-run': integer,
  'last-run-state': text,
  'last-run-upid': text,
  'last-run-endtime': integer,
}

/** A row of `/admin/verify`. */
export const PbsVerifyJob = z.object({
  ...common,
  'ignore-verified': flag,
  'outdated-after': integer,
  'read-threads': integer,
  'verify-threads': integer,
})
export type PbsVerifyJob = WithUnsafeIntegers<Readonly<z.output<typeof PbsVerifyJob>>>

/** A row of `/admin/prune`. */
export const PbsPruneJob = z.object({
  ...common,
  disable: flag,
  'keep-last': integer,
  'keep-hourly': integer,
  'keep-daily': integer,
  'keep-weekly': integer,
  'keep-monthly': integer,
  'keep-yearly': integer,
})
export type PbsPruneJob = WithUnsafeIntegers<Readonly<z.output<typeof PbsPruneJob>>>

/** A row of `/admin/sync`; without `remote` both sides are local, without `sync-direction` it pulls. */
export const PbsSyncJob = z.object({
  ...common,
  remote: text,
  'remote-store': text,
  'remote-ns': text,
  'sync-direction': text,
  owner: text,
  'remove-vanished': flag,
  'group-filter': texts,
  'transfer-last': integer,
  'rate-in': text,
  'rate-out': text,
  'burst-in': text,
  'burst-out': text,
  'resync-corrupt': flag,
  'encrypted-only': flag,
  'verified-only': flag,
  'run-on-mount': flag,
  'unmount-on-done': flag,
  'worker-threads': integer,
})
export type PbsSyncJob = WithUnsafeIntegers<Readonly<z.output<typeof PbsSyncJob>>>

/** A row of `/tape/backup`. */
export const PbsTapeJob = z.object({
  ...common,
  pool: text,
  drive: text,
  'eject-media': flag,
  'export-media-set': flag,
  'latest-only': flag,
  'group-filter': texts,
  'worker-threads': integer,
  'next-media-label': text,
})
export type PbsTapeJob = WithUnsafeIntegers<Readonly<z.output<typeof PbsTapeJob>>>

/** The types of jobs that have rows of their own; a gc job is part of the configuration of its datastore. */
export type PbsJobType = 'verify' | 'prune' | 'sync' | 'tape'

/** A row of one of the four lists of jobs. */
export type PbsJob = PbsVerifyJob | PbsPruneJob | PbsSyncJob | PbsTapeJob

/**
 * A row of `/nodes/localhost/tasks`; without `endtime` and `status` the task is running. The row's
 * own `node` is always `localhost`: the UPID has the name.
 */
export const PbsTask = z.object({
  upid: z.string(),
  /** Epoch seconds. */
  starttime: z.int(),
  worker_type: z.string(),
  /** Unescaped. */
  worker_id: text,
  /** `user@realm` or `user@realm!token`. */
  user: text,
  endtime: integer,
  status: text,
})
export type PbsTask = WithUnsafeIntegers<Readonly<z.output<typeof PbsTask>>>
