import * as z from 'zod'

const server = z.string().optional()

/** Which server a control request is for; all of them when left out. */
export const ServerQuery = z.strictObject({ server })

/** `POST /control/faults`: a server and a fault; a pattern for the path is written `{"pattern": "/snapshots$"}`. */
export const AddFault = z.looseObject({
  server,
  match: z
    .looseObject({
      path: z
        .union([
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
        .optional(),
    })
    .optional(),
})

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

/** `POST /control/operations`: one explicit change of one server. */
export const Operation = z.discriminatedUnion('operation', [
  z.strictObject({ server: z.string(), operation: z.literal('addNamespace'), store, ns }),
  z.strictObject({ server: z.string(), operation: z.literal('removeNamespace'), store, ns }),
  z.strictObject({ server: z.string(), operation: z.literal('removeStore'), store }),
  z.strictObject({ server: z.string(), operation: z.literal('removeGroup'), ...group }),
  z.strictObject({ server: z.string(), operation: z.literal('pruneGroup'), ...group, keep: z.int().nonnegative() }),
  z.strictObject({
    server: z.string(),
    operation: z.literal('setMaintenance'),
    store,
    mode: z.string().nullable(),
    message: z.string().nullable().default(null),
  }),
  z.strictObject({ server: z.string(), operation: z.literal('rotateCertificate') }),
  z.strictObject({ server: z.string(), operation: z.literal('pause') }),
  z.strictObject({ server: z.string(), operation: z.literal('resume') }),
])
export type Operation = z.infer<typeof Operation>
