import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { expect } from 'vitest'
import { type ExpectedInventory, expectedInventory } from './expected-inventory.ts'
import { models, plainRows, sorted } from './inventory.ts'
import type { Rest } from './rest.ts'

type Row = Readonly<Record<string, unknown>>

/** The title of the scope that a row is listed in, as a run shows it. */
export function scopeTitleOf(model: keyof ExpectedInventory, row: Row): string {
  const server = String(row['server'])
  switch (model) {
    case 'datastores':
      return `datastores of ${server}`
    case 'namespaces':
      return `namespaces of ${server}/${row['datastore_name']}`
    case 'jobs':
      return `${row['job_type']} jobs of ${server}`
    case 'groups':
    case 'snapshots': {
      const namespace = row['namespace'] === '' ? '' : `/${row['namespace']}`
      return `snapshots of ${server}/${row['datastore_name']}${namespace}`
    }
  }
}

/** What a server is expected to look like: scopes that are kept as they were, all others as they are. */
export interface Expectation {
  readonly before: PbsState
  readonly after: PbsState
  readonly kept: (title: string) => boolean
  /** Scopes that are not looked at. */
  readonly except?: RegExp
}

/** Asserts that REST shows the rows of a server as expected, row for row and field by field. */
export async function expectScopes(rest: Rest, { before, after, kept, except }: Expectation): Promise<void> {
  const [was, is] = [expectedInventory(before), expectedInventory(after)]
  for (const model of models) {
    if (model === 'jobs' && except !== undefined) continue
    const isKept = (row: Row) => kept(scopeTitleOf(model, row))
    const want = [...was[model].filter(isKept), ...is[model].filter((row) => !isKept(row))]
    const { got, whole } = await plainRows(rest, model, want, `&server=${after.name}`)
    expect(sorted(got), model).toEqual(sorted(whole))
  }
}
