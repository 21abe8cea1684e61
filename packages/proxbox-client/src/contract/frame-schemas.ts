import { mostUsagePoints, registry } from '@netbox-pbs/core'
import { z } from 'zod'
import { Datetime, factShape, observationShape, wireName, without } from './fact-fields.ts'
import { failedCodes } from './failed-codes.ts'
import type { Frame, FrameName } from './frame.ts'
import { checkScope, scopeShape } from './scope-fields.ts'
import { SyncItem } from './summaries.ts'

const server = factShape('server')
/** `presented_fingerprint` came later, and is left out where no certificate was refused. */
const failure = z.object({
  code: z.enum(failedCodes),
  message: z.string(),
  presented_fingerprint: z.string().optional(),
})
const usagePoint = z.object({
  time: Datetime,
  used_bytes: z.int().min(0),
  total_bytes: z.int().min(0),
})
const unknown = { unknown: z.array(z.string()).optional() }
const snapshotsOfGroup = z.object({
  ...without(factShape('snapshot'), ...registry.group.key.map(wireName)),
  ...unknown,
})

/**
 * The shape of every frame: its keys in the contract's order, and what each holds. The facts come from core's registry.
 * Reading is tolerant: unknown keys are dropped.
 */
export const frameShapes = {
  scope: z.object({ frame: z.literal('scope'), ...scopeShape }).superRefine(checkScope),
  server: z.object({
    frame: z.literal('server'),
    server: z.string(),
    ...without(
      {
        ...server,
        version: z.string().nullable(),
        timezone: z.string().nullable(),
        endpoint_id: z.int().min(1),
      },
      'endpoint_state',
    ),
    observed: z.object({
      status: z.string(),
      last_seen_at: z.string().nullable(),
      latency_ms: z.int().min(0).optional(),
      tls_checked: z.boolean().optional(),
      error: failure.optional(),
    }),
  }),
  datastore: z.object({
    frame: z.literal('datastore'),
    ...factShape('datastore'),
    ...unknown,
    observed: z.object({
      ...observationShape('datastore'),
      usage: z.array(usagePoint).max(mostUsagePoints).optional(),
    }),
  }),
  namespace: z.object({ frame: z.literal('namespace'), ...factShape('namespace'), ...unknown }),
  job: z.object({
    frame: z.literal('job'),
    ...factShape('job'),
    ...unknown,
    observed: z.object(observationShape('job')),
  }),
  task: z.object({
    frame: z.literal('task'),
    ...factShape('task'),
    ...unknown,
    observed: z.object(observationShape('task')),
  }),
  group: z.object({
    frame: z.literal('group'),
    ...factShape('group'),
    ...unknown,
    left_out: z.int().min(0).optional(),
    snapshots: z.array(snapshotsOfGroup),
  }),
  complete: z
    .object({
      frame: z.literal('complete'),
      ...scopeShape,
      count: z.int().min(0),
      visibility: z.string().nullable(),
      left_out: z.int().min(0).optional(),
    })
    .superRefine(checkScope),
  failed: z
    .object({
      frame: z.literal('failed'),
      ...scopeShape,
      error: failure,
      retryable: z.boolean(),
      server_answers: z.boolean().optional(),
    })
    .superRefine(checkScope),
  warning: z
    .object({ frame: z.literal('warning'), ...scopeShape, code: z.string(), message: z.string() })
    .superRefine(checkScope),
  end: z.object({ frame: z.literal('end'), items: z.array(SyncItem) }),
} as const satisfies Record<FrameName, z.ZodObject>

/** Reads a frame of one kind. The shapes come from core's registry at run time, the types from the registry's type. */
export const frameSchema = <N extends FrameName>(name: N): z.ZodType<Extract<Frame, { readonly frame: N }>> =>
  frameShapes[name] as unknown as z.ZodType<Extract<Frame, { readonly frame: N }>>

/** Whether a text names a frame. */
export const isFrameName = (name: unknown): name is FrameName =>
  typeof name === 'string' && Object.hasOwn(frameShapes, name)
