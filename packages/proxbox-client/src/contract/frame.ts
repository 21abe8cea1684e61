import { mostUsagePoints, type ScopeResource, scopeResources, scopes, type UsagePoint } from '@netbox-pbs/core'
import { z } from 'zod'
import { Datetime, factShape, observationShape } from './fact-shape.ts'
import { SyncItem } from './summaries.ts'

/** Why a gateway could not list a scope: the codes of a `failed` frame. */
export const failedCodes = [
  'unreachable',
  'tls_fingerprint_mismatch',
  'tls_untrusted',
  'unauthorized',
  'forbidden',
  'maintenance',
  'not_mounted',
  'timeout',
  'protocol',
  'request_limit',
] as const

/** One of {@link failedCodes}. */
export type FailedCode = (typeof failedCodes)[number]

// The keys of a frame have the order of these schemas, which is that of the contract. Reading drops
// unknown keys; facts and measurements come from core's registry.

/** A list whose type is read-only. */
const list = <T extends z.ZodType>(item: T): z.ZodType<ReadonlyArray<z.output<T>>> => z.array(item)

/** The unknown facts of the row. */
const unknown = {
  /**
   * Columns whose value is unknown, because a field of PBS's row was odd, or a manifest or the size
   * of a datastore was unreadable: their values in the frame are placeholders. Left out when there
   * are none.
   */
  unknown: list(z.string()).optional(),
}

/** Why a server or a scope of it could not be read. */
const ConnectionFailure = z.object({
  code: z.enum(failedCodes),
  message: z.string(),
  /** SHA-256 of the certificate that was presented, lower case hex with colons, where it was refused. */
  presented_fingerprint: z.string().optional(),
})

/** A frame about one scope: the fields that identify it are between its resource and `Fields`. */
type ScopeFrameSchema<Name extends string, Fields extends z.ZodRawShape> = {
  readonly [R in ScopeResource]: z.ZodObject<
    { readonly frame: z.ZodLiteral<Name>; readonly resource: z.ZodLiteral<R> } & {
      readonly [Field in (typeof scopes)[R]['by'][number]]: z.ZodString
    } & Fields
  >
}[ScopeResource]

const scopeFrame = <Name extends string, Fields extends z.ZodRawShape>(name: Name, fields: Fields) => {
  const schemas = scopeResources.map((resource) => {
    const text = z.string({
      error: ({ input }) => (input === undefined ? `a scope of ${resource} needs it` : undefined),
    })
    const identity = Object.fromEntries(scopes[resource].by.map((field) => [field, text]))
    return z.object({ frame: z.literal(name), resource: z.literal(resource), ...identity, ...fields })
  })
  type Schema = ScopeFrameSchema<Name, Fields>
  // border: a list that is made from the table has no type of its own
  const typed = schemas as unknown as readonly [Schema, ...ReadonlyArray<Schema>]
  return z.discriminatedUnion('resource', typed, { error: `must be one of ${scopeResources.join(', ')}` })
}

/** Opens a scope: the following frames of this server belong to it, until `complete` or `failed`. */
const ScopeFrame = scopeFrame('scope', {})

/** One endpoint of the gateway. `server` and `name` are the same. */
const ServerFrame = z.object({
  frame: z.literal('server'),
  server: z.string(),
  ...z.object(factShape('server')).omit({ endpoint_state: true }).shape,
  /** Null when it did not answer. */
  version: z.string().nullable(),
  /** Null when it did not answer. */
  timezone: z.string().nullable(),
  endpoint_id: z.int().min(1),
  observed: z.object({
    status: z.string(),
    /** Null when it did not answer. */
    last_seen_at: z.string().nullable(),
    /** How long the request for its version took, in milliseconds. Left out by gateways that do not measure it. */
    latency_ms: z.int().min(0).optional(),
    /** How far its clock is ahead of the gateway's, or behind where negative. Left out where it does not tell its time. */
    clock_offset_seconds: z.int().optional(),
    /** Whether its certificate is checked against a pin or a chain. */
    tls_checked: z.boolean().optional(),
    /** Why it could not be used. */
    error: ConnectionFailure.optional(),
  }),
})
export type ServerFrame = z.output<typeof ServerFrame>

const UsagePoints: z.ZodType<ReadonlyArray<UsagePoint>> = z
  .array(z.object({ time: Datetime, used_bytes: z.int().min(0), total_bytes: z.int().min(0) }))
  .max(mostUsagePoints)

const DatastoreFrame = z.object({
  frame: z.literal('datastore'),
  ...factShape('datastore'),
  ...unknown,
  observed: z.object({
    ...observationShape('datastore'),
    /** How full it was, oldest first. Left out where PBS keeps no history. */
    usage: UsagePoints.optional(),
  }),
})
/** One datastore. */
export type DatastoreFrame = z.output<typeof DatastoreFrame>

const NamespaceFrame = z.object({ frame: z.literal('namespace'), ...factShape('namespace'), ...unknown })
/** One namespace; the root is the empty path. */
export type NamespaceFrame = z.output<typeof NamespaceFrame>

const JobFrame = z.object({
  frame: z.literal('job'),
  ...factShape('job'),
  ...unknown,
  observed: z.object(observationShape('job')),
})
/** One job. */
export type JobFrame = z.output<typeof JobFrame>

const TaskFrame = z.object({
  frame: z.literal('task'),
  ...factShape('task'),
  ...unknown,
  observed: z.object(observationShape('task')),
})
/** One task. A later stream may have it again, with its end. */
export type TaskFrame = z.output<typeof TaskFrame>

const GroupSnapshot = z.object({
  ...z
    .object(factShape('snapshot'))
    .omit({ server: true, datastore_name: true, namespace: true, backup_type: true, backup_id: true }).shape,
  ...unknown,
})
/** A snapshot inside the frame of its group, without the key fields that it shares with the group. */
export type GroupSnapshot = z.output<typeof GroupSnapshot>

const GroupFrame = z.object({
  frame: z.literal('group'),
  ...factShape('group'),
  ...unknown,
  /** How many of its snapshots could not be read; left out when none. Equal facts are equal bytes only without it. */
  left_out: z.int().min(0).optional(),
  /**
   * Digest of the group's row in PBS's list of groups (count, newest backup, owner, comment, files of the newest); left
   * out when equal rows do not mean equal snapshots, for instance while a backup runs.
   */
  list_digest: z.string().optional(),
  snapshots: list(GroupSnapshot),
})
/** A group and all its snapshots, newest first. It carries no observations: equal facts are equal bytes. */
export type GroupFrame = z.output<typeof GroupFrame>

const UnchangedGroupFrame = z.object({
  frame: z.literal('unchanged_group'),
  server: z.string(),
  list_digest: z.string(),
  /** Snapshots that the group counts. */
  count: z.int().min(0),
})
/** A group whose row has a list digest that the request named in `known_groups`: its snapshots were not read. */
export type UnchangedGroupFrame = z.output<typeof UnchangedGroupFrame>

const UnchangedFrame = z.object({
  frame: z.literal('unchanged_frame'),
  server: z.string(),
  backup_type: z.string(),
  backup_id: z.string(),
  /** As `known_frames` named it. */
  digest: z.string(),
  /** Snapshots of the group's frame. */
  count: z.int().min(0),
})
/** A group that was read, and whose frame has a digest that the request named in `known_frames`. */
export type UnchangedFrame = z.output<typeof UnchangedFrame>

/** Closes a scope that was listed completely: absence is now a fact, unless rows were left out. */
const CompleteFrame = scopeFrame('complete', {
  /** Rows of the model: snapshots, not groups. */
  count: z.int().min(0),
  /** Hash of the caller's privileges that bear on the scope; null where there is none. */
  visibility: z.string().nullable(),
  /**
   * The number of rows or groups of the scope that exist and could not be read; left out: 0. Unless
   * it is 0, absence is not a fact; a `warning` with code `row_unreadable` names each.
   */
  left_out: z.int().min(0).optional(),
})

/** Closes a scope that could not be listed: this scope and all its descendants say nothing. */
const FailedFrame = scopeFrame('failed', {
  error: ConnectionFailure,
  retryable: z.boolean(),
  /**
   * The server answered a request after this failed by `timeout`, `unreachable` or `unauthorized`,
   * so that only this list fails and the others are still requested. Left out where it did not, and
   * with any other code.
   */
  server_answers: z.boolean().optional(),
})
export type FailedFrame = z.output<typeof FailedFrame>

/**
 * A fact about a scope for the operator: hidden rows, an unreadable row, an unknown value, an
 * integer beyond 2^53-1.
 */
const WarningFrame = scopeFrame('warning', { code: z.string(), message: z.string() })

/** What one server was asked. */
const ServerCost = z.object({
  server: z.string(),
  /** The run that asked; left out: none, as with a test of the connection. */
  run: z.string().optional(),
  requests: z.int().min(0),
  bytes: z.int().min(0),
  /** Milliseconds of waiting for it. */
  millis: z.int().min(0),
  /** The most requests that were open at once. */
  most_in_flight: z.int().min(0),
})

/** Always last: a stream without it was cut off. */
const EndFrame = z.object({
  frame: z.literal('end'),
  items: list(SyncItem),
  /**
   * Only where the request names its run: what the servers of the request were asked since they were last told, also by
   * streams that broke off. Left out by gateways that do not count.
   */
  costs: list(ServerCost).optional(),
})
export type EndFrame = z.output<typeof EndFrame>

/** One row of a scope. Servers have a scope of their own. */
export const RowFrame = z.discriminatedUnion('frame', [
  DatastoreFrame,
  NamespaceFrame,
  JobFrame,
  TaskFrame,
  GroupFrame,
  UnchangedGroupFrame,
  UnchangedFrame,
])
export type RowFrame = z.output<typeof RowFrame>

/** One line of a sync stream. */
export const Frame = z.discriminatedUnion('frame', [
  ScopeFrame,
  ServerFrame,
  RowFrame,
  CompleteFrame,
  FailedFrame,
  WarningFrame,
  EndFrame,
])
export type Frame = z.output<typeof Frame>

/** The name of a frame. */
export type FrameName = Frame['frame']

/**
 * A frame as its line, newline included; throws where the frame breaks the contract. Canonical:
 * keys in the order of the contract, no unknown keys, no white space, so that equal facts are equal
 * bytes.
 */
export const encodeFrame = (frame: Frame): string => `${JSON.stringify(Frame.parse(frame))}\n`

/**
 * The row of a frame, or of a malformed one: `group vm/110 in tank/site-a of pbs-a`, and with the
 * path of a fault inside a group also the snapshot. Names are those of the source, so bound the
 * text where it is shown.
 */
export function rowTitle(frame: unknown, path: ReadonlyArray<PropertyKey> = []): string {
  const of = (key: string) => textAt(frame, key)
  const server = of('server') === '' ? '' : ` of ${of('server')}`
  switch (of('frame')) {
    case 'group': {
      const place = [of('datastore_name'), of('namespace')].filter((part) => part !== '').join('/')
      const time = path[0] === 'snapshots' ? textAt(snapshotAt(frame, path[1]), 'backup_time') : ''
      const snapshot = time === '' ? '' : ` at ${time}`
      return `${snapshot === '' ? 'group' : 'snapshot'} ${of('backup_type')}/${of('backup_id')}${snapshot} in ${place}${server}`
    }
    case 'job':
      return `${of('job_type')} job ${of('job_id')}${server}`
    case 'namespace':
      return `namespace ${of('path')} of ${of('datastore_name')}${server}`
    case 'datastore':
      return `datastore ${of('name')}${server}`
    case 'task':
      return `task ${of('upid')}${server}`
    case 'server':
      return `server ${of('name')}`
    default:
      return `${of('frame')} frame${server}`
  }
}

const textAt = (value: unknown, key: string): string => {
  const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof text === 'string' ? text : ''
}

const snapshotAt = (frame: unknown, index: PropertyKey | undefined): unknown => {
  const snapshots: unknown = typeof frame === 'object' && frame !== null ? Reflect.get(frame, 'snapshots') : undefined
  return Array.isArray(snapshots) && typeof index === 'number' ? snapshots[index] : undefined
}

/** The name of a frame's rows under `raw`. */
const rawKeys = {
  server: 'servers',
  datastore: 'datastores',
  namespace: 'namespaces',
  group: 'groups',
  unchanged_group: 'unchanged_groups',
  unchanged_frame: 'unchanged_frames',
  job: 'jobs',
  task: 'tasks',
  complete: 'complete',
  failed: 'failed',
  warning: 'warnings',
} as const

/**
 * The rows of a sync as one JSON document, asked for with `Accept: application/json`: frames
 * without their `frame` key.
 */
export interface SyncEnvelope {
  readonly items: ReadonlyArray<SyncItem>
  readonly raw: Readonly<Record<string, ReadonlyArray<Readonly<Record<string, unknown>>>>>
}

/** Gathers the frames of a whole stream into the envelope. */
export function envelopeOf(frames: Iterable<Frame>): SyncEnvelope {
  const raw: Record<string, Array<Readonly<Record<string, unknown>>>> = { complete: [], failed: [], warnings: [] }
  let items: ReadonlyArray<SyncItem> = []
  for (const frame of frames) {
    if (frame.frame === 'end') items = frame.items
    if (frame.frame === 'end' || frame.frame === 'scope') continue
    const { frame: name, ...row } = frame
    const key = rawKeys[name]
    const rows = raw[key]
    if (rows === undefined) raw[key] = [row]
    else rows.push(row)
  }
  return { items, raw }
}
