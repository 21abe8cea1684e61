import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { expect } from 'vitest'
import { type ExpectedInventory, expectedInventory } from './expected-inventory.ts'
import { allRows, type Rest } from './rest.ts'

/** The models below a server, in REST's words. */
export const models = ['datastores', 'namespaces', 'groups', 'snapshots', 'jobs'] as const satisfies ReadonlyArray<
  keyof ExpectedInventory
>

/** A value of REST as the expectation writes it: a choice by its value, a server by its name. */
export function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  if ('value' in value && 'label' in value) return value.value
  return 'name' in value && 'url' in value ? value.name : value
}

type PlainRow = Readonly<Record<string, unknown>>

/** Rows in an order that follows from what they hold. */
export const sorted = (rows: ReadonlyArray<PlainRow>): ReadonlyArray<PlainRow> =>
  rows
    .map((row) => [JSON.stringify(Object.entries(row).sort()), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row)

/** The rows of REST and the expected ones, each with the fields that any expectation names. */
export async function plainRows(
  rest: Rest,
  model: string,
  want: ReadonlyArray<PlainRow>,
  query = '',
): Promise<{ readonly got: ReadonlyArray<PlainRow>; readonly whole: ReadonlyArray<PlainRow> }> {
  return asPlain(await allRows(rest, model, query), want)
}

/** Rows of REST and the expected ones, each with the fields that any expectation names. */
export function asPlain(
  rows: ReadonlyArray<PlainRow>,
  want: ReadonlyArray<PlainRow>,
): { readonly got: ReadonlyArray<PlainRow>; readonly whole: ReadonlyArray<PlainRow> } {
  const fields = [...new Set(want.flatMap((row) => Object.keys(row)))]
  return {
    got: rows.map((row) => Object.fromEntries(fields.map((field) => [field, plain(row[field])]))),
    whole: want.map((row) => Object.fromEntries(fields.map((field) => [field, row[field]]))),
  }
}

/** Asserts that REST shows exactly what the servers hold, row by row and field by field. */
export async function expectInventory(rest: Rest, states: ReadonlyArray<PbsState>): Promise<void> {
  const expected = states.map(expectedInventory)
  for (const model of models) {
    const { got, whole } = await plainRows(
      rest,
      model,
      expected.flatMap((inventory) => inventory[model]),
    )
    expect(got.length, `count of ${model}`).toBe(whole.length)
    expect(sorted(got), model).toEqual(sorted(whole))
  }
}
