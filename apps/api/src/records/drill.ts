import {
  backupTypes,
  type Drill as CoreDrill,
  type DrillValues,
  drillFields,
  drillOutcomes,
  drillStates,
  parseTimestamp,
} from '@netbox-pbs/core'
import { z } from 'zod'
import { drillsPath, rowUrl } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { choice } from '../rest/row.ts'
import { text } from '../validation/read-record.ts'
import { choiceOf, reference, time } from './fields.ts'

/** A restore: what was read back, by whom, and whether it worked. */
export const Drill = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  state: choiceOf(drillStates).describe(
    'Proposed by a task that read a backup, until a user confirms or dismisses it.',
  ),
  server: reference.extend({ name: z.string() }),
  datastore_name: z.string(),
  namespace: z.string().describe('A task does not say it, so that of a proposal it is blank.'),
  backup_type: z.string(),
  backup_id: z.string(),
  backup_time: time.nullable().describe('The snapshot; null: not known.'),
  started: time,
  duration_seconds: z.int().nullable(),
  outcome: choiceOf(drillOutcomes),
  performed_by: z.string(),
  note: z.string(),
  upid: z.string().describe('The task that proposed it; blank: a user recorded it.'),
  created: time,
  last_updated: time,
})

/** The filters of the ledger. */
export const drillFilter = recordFilter(Drill, { fields: drillFields })

const moment = z.string().transform((given, context) => {
  const read = parseTimestamp(given)
  if (read !== null) return read
  context.addIssue({ code: 'custom', message: 'Datetime has wrong format: use 2026-05-01T02:00:00Z.' })
  return z.NEVER
})

const types = backupTypes.map(({ value }) => value)

/** The body of a write. */
export const DrillRequest = z.object({
  server: z.union([z.int(), text(255).min(1)], 'Enter the name of a server, or its id.'),
  state: z.enum(drillStates),
  datastore_name: text(255).min(1),
  namespace: text(256),
  backup_type: text(64).refine((given) => types.includes(given), `Enter one of ${types.join(', ')}.`),
  backup_id: text(255).min(1),
  backup_time: moment.nullable(),
  started: moment,
  duration_seconds: z.int('A valid integer is required.').min(0).max(31_536_000).nullable(),
  outcome: z.enum(drillOutcomes),
  performed_by: text(255),
  note: text(2000),
})

/** How the body of a drill is read. */
export const drillBody = {
  schema: DrillRequest,
  required: ['server', 'datastore_name', 'backup_type', 'backup_id', 'started', 'outcome'],
  unbuilt: {},
} as const

/** The values of a new drill that its body leaves out. */
export const drillDefaults: Pick<DrillValues, 'state' | 'namespace' | 'backup_time' | 'duration_seconds' | 'note'> = {
  state: 'confirmed',
  namespace: '',
  backup_time: null,
  duration_seconds: null,
  note: '',
}

/** A drill as REST answers it. */
export const servedDrill = (base: string, { server, state, outcome, ...drill }: CoreDrill): z.infer<typeof Drill> => ({
  id: drill.id,
  url: `${base}${drillsPath}${drill.id}/`,
  display: `${drill.backup_type}/${drill.backup_id} of ${drill.datastore_name} on ${server.name}`,
  state: choice(state),
  server: { id: server.id, url: rowUrl(base, 'server', server.id), display: server.name, name: server.name },
  datastore_name: drill.datastore_name,
  namespace: drill.namespace,
  backup_type: drill.backup_type,
  backup_id: drill.backup_id,
  backup_time: drill.backup_time,
  started: drill.started,
  duration_seconds: drill.duration_seconds,
  outcome: choice(outcome),
  performed_by: drill.performed_by,
  note: drill.note,
  upid: drill.upid,
  created: drill.created,
  last_updated: drill.last_updated,
})
