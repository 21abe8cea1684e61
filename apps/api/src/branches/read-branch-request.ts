import {
  type ConflictKind,
  conflictKinds,
  type FieldErrors,
  type FieldValue,
  modelNames,
  type Resolution,
  registry,
} from '@netbox-pbs/core'
import type { ConflictFilter } from '@netbox-pbs/core/ports'
import { Effect } from 'effect'
import { z } from 'zod'
import { invalid, type Refused } from '../http/refused.ts'

const objectTypes = modelNames.map((model) => registry[model].objectType)
const models: ReadonlyMap<string, (typeof modelNames)[number]> = new Map(
  modelNames.map((model) => [registry[model].objectType, model]),
)
const oneOrMore = <A extends z.ZodType>(item: A) =>
  z.union([item.transform((one) => [one]), z.array(item).max(1000)]) as unknown as z.ZodType<Array<z.infer<A>>> // border: a union of the same list twice

const Changed = z.strictObject({
  name: z.string().trim().min(1, 'This field may not be blank.').max(100).optional(),
  description: z.string().max(1024).optional(),
})
const Committed = z.strictObject({ commit: z.boolean('Must be a valid boolean.').default(true) })
const Resolved = z.strictObject({
  resolution: z.enum(['main', 'branch', 'value', 'skip']).nullable(),
  value: z.json().optional(),
  conflicts: z.array(z.int().positive()).max(1000).optional(),
  kind: oneOrMore(z.enum(conflictKinds)).optional(),
  object_type: oneOrMore(z.enum(objectTypes)).optional(),
  field: oneOrMore(z.string().max(100)).optional(),
  all: z.boolean().optional(),
})

/** Which conflicts get which answer. */
export interface ResolveRequest {
  readonly filter: ConflictFilter
  /** Null takes the answers back. */
  readonly resolution: Resolution | null
}

/** Reads the body of a change to the branch's own name and description. */
export const readBranchChange = (body: unknown) =>
  Effect.map(parsed(Changed, body), ({ name, description }) => ({
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
  }))

/** Reads `{"commit": true}`, which is the default; false is a dry run. Anything else is refused, so that a typing error does nothing. */
export const readCommit = (body: unknown) => Effect.map(parsed(Committed, body), ({ commit }) => commit)

/** Reads which conflicts to answer and how. Without a choice of conflicts it needs `"all": true`, so that nothing is answered by an oversight. */
export const readResolve = (body: unknown): Effect.Effect<ResolveRequest, Refused> =>
  Effect.gen(function* () {
    const { resolution, value, conflicts, kind, object_type, field, all } = yield* parsed(Resolved, body)
    const named = [conflicts, kind, object_type, field].some((given) => given !== undefined)
    const errors: FieldErrors = {
      ...(!named && all !== true
        ? { conflicts: ['Name conflicts, or a kind, object_type or field of them, or send "all": true.'] }
        : {}),
      ...(resolution === 'value' && value === undefined ? { value: ['This field is required.'] } : {}),
      ...(resolution !== 'value' && value !== undefined ? { value: ['Only the resolution "value" has one.'] } : {}),
    }
    if (Object.keys(errors).length > 0) return yield* invalid(errors)
    const filter: ConflictFilter = {
      ...(conflicts === undefined ? {} : { ids: conflicts }),
      ...(kind === undefined ? {} : { kinds: kind }),
      ...(object_type === undefined ? {} : { models: modelsOf(object_type) }),
      ...(field === undefined ? {} : { fields: field }),
    }
    if (resolution === null) return { filter, resolution }
    if (resolution !== 'value') return { filter, resolution: { choice: resolution } }
    return { filter, resolution: { choice: resolution, value: (value ?? null) as FieldValue } }
  })

/** Reads the filters of a list of conflicts, 400 with NetBox's sentences. */
export function readConflictFilter(params: URLSearchParams): Effect.Effect<ConflictFilter, Refused> {
  const given = (name: string) => params.getAll(name).filter((text) => text !== '')
  const [kinds, types, fields] = [given('kind'), given('object_type'), given('field')]
  const resolved = given('resolved').at(-1)?.toLowerCase()
  const isKind = (text: string): text is ConflictKind => conflictKinds.some((kind) => kind === text)
  const unknown = (text: string | undefined) =>
    text === undefined ? [] : [`Select a valid choice. ${text} is not one of the available choices.`]
  const errors = Object.entries({
    kind: unknown(kinds.find((kind) => !isKind(kind))),
    object_type: unknown(types.find((type) => !models.has(type))),
    resolved: resolved === undefined || resolved === 'true' || resolved === 'false' ? [] : ['Must be true or false.'],
  }).filter(([, sentences]) => sentences.length > 0)
  if (errors.length > 0) return Effect.fail(invalid(Object.fromEntries(errors)))
  return Effect.succeed({
    ...(kinds.length === 0 ? {} : { kinds: kinds.filter(isKind) }),
    ...(types.length === 0 ? {} : { models: modelsOf(types) }),
    ...(fields.length === 0 ? {} : { fields }),
    ...(resolved === undefined ? {} : { resolved: resolved === 'true' }),
  })
}

const modelsOf = (types: ReadonlyArray<string>) => types.flatMap((type) => models.get(type) ?? [])

function parsed<A extends z.ZodType>(schema: A, body: unknown): Effect.Effect<z.infer<A>, Refused> {
  const result = schema.safeParse(body)
  if (result.success) return Effect.succeed(result.data)
  const errors: Record<string, Array<string>> = {}
  for (const { path, message, code, ...issue } of result.error.issues) {
    const names =
      code === 'unrecognized_keys' && 'keys' in issue
        ? (issue.keys as ReadonlyArray<string>)
        : [String(path[0] ?? '__all__')]
    for (const name of names) {
      const sentence =
        code === 'unrecognized_keys' ? 'There is no such field.' : `${message}${message.endsWith('.') ? '' : '.'}`
      errors[name] = [...(errors[name] ?? []), sentence]
    }
  }
  return Effect.fail(invalid(errors))
}
