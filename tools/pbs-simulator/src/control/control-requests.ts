import * as z from 'zod'
import { RequestMatch } from '../faults/request-match.ts'

const server = z.string().optional()

/** Which server a control request is for; all of them when left out. */
export const ServerQuery = z.strictObject({ server })

/** A path, or a pattern written `{"pattern": "/snapshots$"}`. */
const path = z.union([
  z.string(),
  z.strictObject({ pattern: z.string().max(200) }).transform(({ pattern }, context) => {
    try {
      return new RegExp(pattern)
    } catch {
      context.addIssue({ code: 'custom', message: 'not a regular expression' })
      return z.NEVER
    }
  }),
])

/** `POST /control/faults`: a server and a fault. */
export const AddFault = z.looseObject({ server, match: z.looseObject({ path: path.optional() }).optional() })

const share = z.number().min(0).max(1).optional()

/** `POST /control/evolve`: a server and how much happens. */
export const EvolveRequest = z.strictObject({
  server,
  seed: z.int().optional(),
  now: z.int().positive().optional(),
  backups: share,
  prunes: share,
  verify: z.boolean().optional(),
  jobRuns: share,
})

const store = z.string()
const ns = z.string()
const group = { store, ns, backupType: z.string(), backupId: z.string() }
const common = {
  server: z.string(),
  /** Makes the change when such a request arrives, instead of now. */
  on: z
    .strictObject({
      ...RequestMatch.shape,
      path: path.optional(),
      after: z.int().nonnegative().optional(),
      times: z.int().positive().optional(),
    })
    .optional(),
}

/** `POST /control/operations`: one explicit change of one server. */
export const Operation = z.discriminatedUnion('operation', [
  z.strictObject({ ...common, operation: z.literal('addNamespace'), store, ns }),
  z.strictObject({ ...common, operation: z.literal('removeNamespace'), store, ns }),
  z.strictObject({ ...common, operation: z.literal('removeStore'), store }),
  z.strictObject({ ...common, operation: z.literal('removeGroup'), ...group }),
  z.strictObject({
    ...common,
    operation: z.literal('moveGroup'),
    ...group,
    to: z.strictObject({ store, ns }),
    times: z.array(z.int().positive()).optional(),
  }),
  z.strictObject({ ...common, operation: z.literal('pruneGroup'), ...group, keep: z.int().nonnegative() }),
  z.strictObject({ ...common, operation: z.literal('addSnapshot'), ...group, backupTime: z.int().positive() }),
  z.strictObject({
    ...common,
    operation: z.literal('setMaintenance'),
    store,
    mode: z.string().nullable(),
    message: z.string().nullable().default(null),
  }),
  z.strictObject({ ...common, operation: z.literal('setMounted'), store, mounted: z.boolean() }),
  z.strictObject({
    ...common,
    operation: z.literal('grant'),
    path: z.string(),
    authId: z.string(),
    role: z.string(),
    propagate: z.boolean().default(true),
  }),
  z.strictObject({ ...common, operation: z.literal('revoke'), path: z.string(), authId: z.string() }),
  z.strictObject({ ...common, operation: z.literal('rotateCertificate') }),
  z.strictObject({ ...common, operation: z.literal('pause') }),
  z.strictObject({ ...common, operation: z.literal('resume') }),
])
export type Operation = z.infer<typeof Operation>
