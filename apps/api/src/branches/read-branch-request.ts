import {
  type Branch,
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
import { type HttpError, invalid } from '../rest/http-error.ts'

const objectTypes = modelNames.map((model) => registry[model].objectType)
const models: ReadonlyMap<string, (typeof modelNames)[number]> = new Map(
  modelNames.map((model) => [registry[model].objectType, model]),
)
const oneOrMore = <A extends z.ZodType>(item: A) =>
  z.union([item.transform((one) => [one]), z.array(item).max(1000)]) as unknown as z.ZodType<Array<z.infer<A>>> // border: a union of the same list twice

/** The longest name of a branch. */
export const maxBranchName = 100

/** The longest description of a branch. */
export const maxBranchDescription = 1024

const noNull = 'Null characters are not allowed.'
const noSurrogate = 'Surrogate characters are not allowed.'
const text = z
  .string()
  .refine((given) => !given.includes('\0'), noNull)
  .refine((given) => given.isWellFormed(), noSurrogate)
/** Every text in a value, keys included. A body is never deep enough to make this call itself too often. */
const textsOf = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsOf(inner)])
}
const required = (issue: { readonly input: unknown }) =>
  issue.input === undefined ? 'This field is required.' : undefined
const name = z
  .string({ error: required })
  .refine((given) => !given.includes('\0'), noNull)
  .refine((given) => given.isWellFormed(), noSurrogate)
  .trim()
  .min(1, 'This field may not be blank.')
  .max(maxBranchName, `Ensure this field has no more than ${maxBranchName} characters.`)
const description = text.max(
  maxBranchDescription,
  `Ensure this field has no more than ${maxBranchDescription} characters.`,
)
const commit = z.boolean('Must be a valid boolean.').default(true).describe('False: a dry run.')

/** The body that opens a branch. */
export const NewBranch = z.strictObject({ name, description: description.default('') })
/** A change to a branch's own name and description. */
export const BranchRequest = z.strictObject({ name: name.optional(), description: description.optional() })
/** The body of an action that may be a dry run. */
export const CommitRequest = z.strictObject({ commit })
const Nothing = z.strictObject({})
/** The body that reverts a merged branch. */
export const RevertRequest = z.strictObject({
  name: name.optional().describe('Name of the new branch; by default `revert-` and the name of this branch.'),
  commit,
})
/** The revision that was reviewed. */
export const ApproveRequest = z.strictObject({
  revision: z.int({ error: required }).min(0).describe('The revision that was reviewed.'),
})
/** Answers to conflicts. */
export const ResolveRequest = z.strictObject({
  resolution: z.enum(['main', 'branch', 'value', 'skip']).nullable(),
  value: z
    .unknown()
    .refine((given) => textsOf(given).every((inner) => !inner.includes('\0')), noNull)
    .refine((given) => textsOf(given).every((inner) => inner.isWellFormed()), noSurrogate)
    .optional(),
  conflicts: z.array(z.int().positive()).max(1000).optional(),
  kind: oneOrMore(z.enum(conflictKinds)).optional(),
  object_type: oneOrMore(z.enum(objectTypes)).optional(),
  field: oneOrMore(text.max(100)).optional(),
  scope: oneOrMore(text.max(2048)).optional().describe('Keys of scopes, as conflicts have them.'),
  all: z.boolean().optional(),
})

/** Which conflicts get which answer. */
interface Answers {
  readonly filter: ConflictFilter
  /** Null takes the answers back. */
  readonly resolution: Resolution | null
}

/** Reads the name and description of a new branch. */
export const readNewBranch = (body: unknown) => parsed(NewBranch, body)

/** Reads the body of a change to the branch's own name and description. */
export const readBranchChange = (body: unknown) =>
  Effect.map(parsed(BranchRequest, body), (change) => ({
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.description === undefined ? {} : { description: change.description }),
  }))

/**
 * Reads `{"commit": true}`, which is the default; false is a dry run. Anything else is refused, so
 * that a typing error does nothing.
 */
export const readCommit = (body: unknown) =>
  Effect.map(parsed(CommitRequest, body), ({ commit: committed }) => committed)

/**
 * Reads `{"name": "undo", "commit": true}`: the name of the revert branch (null: the default), and
 * whether to commit or to do a dry run.
 */
export const readRevert = (body: unknown) =>
  Effect.map(parsed(RevertRequest, body), ({ name: given, commit: committed }) => ({
    name: given ?? null,
    commit: committed,
  }))

/** Reads the body of an action that takes none: empty, or an empty object. */
export const readNothing = (body: unknown) => Effect.asVoid(parsed(Nothing, body))

/** Reads `{"revision": 3}`: the state of the branch that was looked at. */
export const readApproval = (body: unknown) => Effect.map(parsed(ApproveRequest, body), ({ revision }) => revision)

/**
 * Reads which conflicts to answer and how. Without a choice of conflicts it needs `"all": true`, so
 * that nothing is answered by an oversight.
 */
export const readResolve = (body: unknown): Effect.Effect<Answers, HttpError> =>
  Effect.gen(function* () {
    const { resolution, value, conflicts, kind, object_type, field, scope, all } = yield* parsed(ResolveRequest, body)
    const named = [conflicts, kind, object_type, field, scope].some((given) => given !== undefined)
    const errors: FieldErrors = {
      ...(!named && all !== true
        ? { conflicts: ['Name conflicts, or a kind, object_type, field or scope of them, or send "all": true.'] }
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
      ...(scope === undefined ? {} : { scopes: scope }),
    }
    if (resolution === null) return { filter, resolution }
    if (resolution !== 'value') return { filter, resolution: { choice: resolution } }
    return { filter, resolution: { choice: resolution, value: (value ?? null) as FieldValue } }
  })

const modelsOf = (types: ReadonlyArray<string>) => types.flatMap((type) => models.get(type) ?? [])

function parsed<A extends z.ZodType>(schema: A, body: unknown): Effect.Effect<z.infer<A>, HttpError> {
  const result = schema.safeParse(body)
  if (result.success) return Effect.succeed(result.data)
  const errors = new Map<string, Array<string>>()
  for (const { path, message, code, ...issue } of result.error.issues) {
    const names =
      code === 'unrecognized_keys' && 'keys' in issue
        ? (issue.keys as ReadonlyArray<string>)
        : [String(path[0] ?? '__all__')]
    for (const name of names) {
      const sentence =
        code === 'unrecognized_keys' ? 'There is no such field.' : `${message}${message.endsWith('.') ? '' : '.'}`
      errors.set(name, [...(errors.get(name) ?? []), sentence])
    }
  }
  return Effect.fail(invalid(Object.fromEntries(errors)))
}

/**
 * The default name of a revert branch: `revert-pbs-sync-17-…`, cut to the length that names may have.
 */
export const revertName = ({ name }: Pick<Branch, 'name'>): string => `revert-${name}`.slice(0, maxBranchName)
