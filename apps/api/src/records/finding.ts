import {
  type Finding as CoreFinding,
  type FindingKind,
  type FindingModel,
  findingFields,
  findingKindRules,
  findingKinds,
  findingStates,
  modelNames,
  parseTimestamp,
  registry,
  severities,
} from '@netbox-pbs/core'
import type { FindingFilter } from '@netbox-pbs/core/ports'
import { z } from 'zod'
import { branchUrl, findingsPath, rowUrl } from '../rest/links.ts'
import { recordFilter, search } from '../rest/read-filter.ts'
import { choice } from '../rest/row.ts'
import { text } from '../validation/read-record.ts'
import { choiceOf, reference, time } from './fields.ts'

/** What is wrong, since when, and what mends it. */
export const Finding = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  kind: choiceOf(findingKinds),
  severity: choiceOf(severities),
  state: choiceOf(findingStates).describe('Of a finding that is snoozed until a time: open again after it.'),
  server: reference.extend({ name: z.string() }).nullable(),
  object_type: z.string().nullable().describe('Null: the system as a whole.'),
  object_id: z.int().nullable(),
  object: z
    .object({ id: z.int(), url: z.url().nullable(), display: z.string() })
    .nullable()
    .describe('The object may be gone: its words outlive it.'),
  parent: reference
    .nullable()
    .describe('The finding that keeps this one from being judged, such as the outage of its server.'),
  since: time.nullable().describe('Null: not known.'),
  count: z.int().describe('How many things it stands for, such as the deletions that wait.'),
  sentence: z.string(),
  step: z.string().describe('What mends it.'),
  opened: time,
  last_seen: time.describe('When its cause was seen last.'),
  closed: time.nullable(),
  closed_by: z.string().describe('The observation that closed it; empty: it is not closed.'),
  snoozed_until: time.nullable(),
  snooze_reason: z.string(),
  snoozed_by: z.string(),
  snoozed_at: time.nullable(),
})

const longestReason = 200

/** How a finding is snoozed. */
export const FindingChange = z.object({
  snoozed_until: z
    .string()
    .transform((given, context) => {
      const read = parseTimestamp(given)
      if (read !== null) return read
      context.addIssue({ code: 'custom', message: 'Datetime has wrong format: use 2026-05-01T02:00:00Z.' })
      return z.NEVER
    })
    .nullable(),
  snooze_reason: text(longestReason),
})

/** The filters of the list of findings. */
export const findingFilter = recordFilter<Pick<FindingFilter, 'search'>>(Finding, {
  fields: findingFields,
  parameters: { search: search('q') },
})

/** NetBox's names of the models that findings are about. */
const objectTypes: Readonly<Record<FindingModel, string>> = {
  ...Object.fromEntries(modelNames.map((model) => [model, registry[model].objectType])),
  held_deletions: 'netbox_pbs.helddeletions',
  branch: 'netbox_branching.branch',
} as Readonly<Record<FindingModel, string>> // border: fromEntries forgets the names

const kindChoice = (kind: FindingKind) => ({ value: kind, label: findingKindRules[kind].label })

/** Address of a finding in REST. */
const findingUrl = (base: string, id: number): string => `${base}${findingsPath}${id}/`

/** The address of the object of a finding; null: it has none of its own. */
function objectUrl(base: string, { model, object_id }: CoreFinding): string | null {
  if (model === null || object_id === null || model === 'held_deletions') return null
  return model === 'branch' ? branchUrl(base, object_id) : rowUrl(base, model, object_id)
}

/** A finding as REST answers it. */
export const servedFinding = (base: string, finding: CoreFinding): z.infer<typeof Finding> => {
  const { id, kind, severity, state, server, model, object_id, title, parent } = finding
  return {
    id,
    url: findingUrl(base, id),
    display: `${findingKindRules[kind].label}: ${title}`,
    kind: kindChoice(kind),
    severity: choice(severity),
    state: choice(state),
    server:
      server === null
        ? null
        : { id: server.id, url: rowUrl(base, 'server', server.id), display: server.name, name: server.name },
    object_type: model === null ? null : objectTypes[model],
    object_id,
    object: object_id === null ? null : { id: object_id, url: objectUrl(base, finding), display: title },
    parent: parent === null ? null : { id: parent.id, url: findingUrl(base, parent.id), display: parent.title },
    since: finding.since,
    count: finding.count,
    sentence: finding.sentence,
    step: finding.step,
    opened: finding.opened,
    last_seen: finding.last_seen,
    closed: finding.closed,
    closed_by: finding.closed_by,
    snoozed_until: finding.snoozed_until,
    snooze_reason: finding.snooze_reason,
    snoozed_by: finding.snoozed_by,
    snoozed_at: finding.snoozed_at,
  }
}
