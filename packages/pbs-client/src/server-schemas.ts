import { z } from 'zod'
import { integer, text, type WithUnsafeIntegers } from './decode-item.ts'

/** `/version`: `4.2`, patch level `3`. */
export const PbsVersion = z.object({
  version: z.string(),
  release: z
    .union([z.string(), z.number().transform(String)])
    .nullable()
    .default(null),
  repoid: text,
})
export type PbsVersion = WithUnsafeIntegers<Readonly<z.output<typeof PbsVersion>>>

/** `/nodes/localhost/time`: schedules are in `timezone`, everything else is UTC. */
export const PbsTime = z.object({ timezone: z.string(), time: z.number(), localtime: integer })
export type PbsTime = WithUnsafeIntegers<Readonly<z.output<typeof PbsTime>>>

const usage = z.object({ total: integer, used: integer }).nullable().default(null)

/** `/nodes/localhost/status`. */
export const PbsNodeStatus = z.object({
  uptime: integer,
  cpu: z.number().nullable().default(null),
  loadavg: z.array(z.number()).nullable().default(null),
  memory: usage,
  swap: usage,
  root: usage,
  kversion: text,
  info: z.object({ fingerprint: text }).nullable().default(null),
})
export type PbsNodeStatus = WithUnsafeIntegers<Readonly<z.output<typeof PbsNodeStatus>>>

/** `/access/permissions`: path, privilege, and whether it propagates. Paths without privileges are missing. */
export const PbsPermissions = z.record(
  z.string(),
  z.record(z.string(), z.union([z.boolean(), z.number().transform((n) => n !== 0)])),
)
export type PbsPermissions = Readonly<Record<string, Readonly<Record<string, boolean>>>>

/** `/access/acl`: one role of one user, token or group on one path. */
export const PbsAclEntry = z.object({
  path: z.string().transform((path) => (path === '' ? '/' : path)),
  ugid: z.string(),
  ugid_type: z.string(),
  propagate: z
    .union([z.boolean(), z.number().transform((n) => n !== 0)])
    .nullable()
    .default(null),
  roleid: z.string(),
})
export type PbsAclEntry = WithUnsafeIntegers<Readonly<z.output<typeof PbsAclEntry>>>
