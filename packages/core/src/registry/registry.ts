import { datastore } from './datastore.ts'
import type { Field, FieldClass, JsonValue, Model, ModelName } from './field.ts'
import { group } from './group.ts'
import { job } from './job.ts'
import { namespace } from './namespace.ts'
import { server } from './server.ts'
import { snapshot } from './snapshot.ts'
import { task } from './task.ts'

/**
 * Rises whenever a fact is added, renamed, retyped or moves to another class. Digests made under
 * another version are not trusted.
 */
export const registryVersion = 4

/** Every model of the inventory and every field's class. The only list of fields there is. */
export const registry = { server, datastore, namespace, group, snapshot, job, task } as const satisfies Record<
  ModelName,
  Model
>

/** The registry, typed by name. */
export type Registry = typeof registry

/** The column names of a model. */
export type FieldName<M extends ModelName> = keyof Registry[M]['fields'] & string

type Base<F extends Field> = F extends { type: 'text' | 'datetime' | 'choice' }
  ? string
  : F extends { type: 'integer' | 'reference' }
    ? number
    : F extends { type: 'boolean' }
      ? boolean
      : JsonValue

type Value<F extends Field> = F extends { nullable: true } ? Base<F> | null : Base<F>

/** The columns of a model with the values they hold. References are ids. */
export type Values<M extends ModelName> = {
  readonly [K in FieldName<M>]: Registry[M]['fields'][K] extends Field ? Value<Registry[M]['fields'][K]> : never
}

type OfClass<M extends ModelName, C extends FieldClass> = {
  [K in FieldName<M>]: Registry[M]['fields'][K] extends { class: C } ? K : never
}[FieldName<M>]

/** The fields of a row that a source provides and diff compares: key, immutable and source fields. */
export type Facts<M extends ModelName> = Pick<Values<M>, OfClass<M, 'key' | 'immutable' | 'source'>>

/** The key columns that the rows of a source's list have in common, so that no row repeats them. */
export type SharedKey<M extends ModelName> = M extends 'server'
  ? never
  : M extends 'snapshot'
    ? Exclude<Registry['snapshot']['key'][number], 'backup_time'>
    : 'server'

/** Measurements: the observation fields, without `last_seen_at`, which follows from the run. */
export type Observations<M extends ModelName> = Omit<Pick<Values<M>, OfClass<M, 'observation'>>, 'last_seen_at'>

/** The fields of a model that have one of the classes, in registry order. */
export function fieldsOfClass(model: ModelName, ...classes: ReadonlyArray<FieldClass>): ReadonlyArray<string> {
  return Object.entries<Field>(registry[model].fields)
    .filter(([, field]) => classes.includes(field.class))
    .map(([name]) => name)
}

/** The models in the order they depend on each other: a row's parent comes first. */
export const modelNames = [
  'server',
  'datastore',
  'namespace',
  'group',
  'snapshot',
  'job',
  'task',
] as const satisfies ReadonlyArray<ModelName>

/** The models whose rows may wait in a branch, in the same order. Tasks are history and land at once. */
export const branchedModels: ReadonlyArray<ModelName> = modelNames.filter((model) => model !== 'task')
