import { modelNames, registry } from '@netbox-pbs/core'
import { z } from 'zod'

/** RFC 3339. */
export const time = z.iso.datetime()

/** Another record, in short. */
export const reference = z.object({ id: z.int(), url: z.url(), display: z.string() })

/** A word as NetBox serves a choice: the value, and its label for people. */
export const choiceOf = <const A extends ReadonlyArray<string>>(values: A) =>
  z.object({ value: z.enum(values), label: z.string() })

/** A model of the inventory under NetBox's name. */
export const objectType = z.enum(modelNames.map((model) => registry[model].objectType))

/** A number for each of some names. */
export const numberOf = <const A extends string>(names: ReadonlyArray<A>) =>
  z.object(Object.fromEntries(names.map((name) => [name, z.int()])) as Record<A, z.ZodInt>)

/** The fields that identify a scope, and its resource. */
export const scopeFields = z.record(z.string(), z.string())

/** A page of a list of records. */
export const pageOf = (record: z.ZodType) =>
  z.object({
    count: z.int().nullable(),
    next: z.url().nullable(),
    previous: z.url().nullable(),
    results: z.array(record),
  })
