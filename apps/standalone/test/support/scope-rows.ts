import type { PbsState } from '@netbox-pbs/pbs-simulator'
import { expect } from 'vitest'
import { type ExpectedInventory, expectedInventory } from './expected-inventory.ts'
import { asPlain, models, plain, sorted } from './inventory.ts'
import { allRows, type Rest } from './rest.ts'

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

/** The expected rows of a server: scopes that are kept as they were, all others as they are. */
export interface Expectation {
  readonly before: PbsState
  readonly after: PbsState
  readonly kept: (title: string) => boolean
  /** Scopes that are not looked at. */
  readonly except?: RegExp
}

/**
 * Rows that are gone from their server and that one list has lacked: they carry `missing_since`, or
 * lie below a row that does.
 */
async function absentRows(rest: Rest, server: string): Promise<(model: keyof ExpectedInventory, row: Row) => boolean> {
  const missing = `&server=${server}&missing_since__empty=false`
  const stores = new Set((await allRows(rest, 'datastores', missing)).map((row) => row['name']))
  const spaces = new Set(
    (await allRows(rest, 'namespaces', missing)).map((row) => `${row['datastore_name']}/${row['path']}`),
  )
  return (model, row) => {
    if (row['missing_since'] !== null) return true
    if (model === 'datastores' || model === 'jobs') return false
    const place = model === 'namespaces' ? row['path'] : row['namespace']
    return stores.has(row['datastore_name']) || spaces.has(`${row['datastore_name']}/${place}`)
  }
}

/**
 * Asserts that REST shows the rows of a server as expected, row for row and field by field. Only
 * rows that are gone may also be there, as missing.
 */
export async function expectScopes(rest: Rest, { before, after, kept, except }: Expectation): Promise<void> {
  const [was, is] = [expectedInventory(before), expectedInventory(after)]
  const isAbsent = await absentRows(rest, after.name)
  for (const model of models) {
    if (model === 'jobs' && except !== undefined) continue
    const isKept = (row: Row) => kept(scopeTitleOf(model, row))
    const want = [...was[model].filter(isKept), ...is[model].filter((row) => !isKept(row))]
    const rows = (await allRows(rest, model, `&server=${after.name}`)).map((row) =>
      Object.fromEntries(Object.entries(row).map(([field, value]) => [field, plain(value)])),
    )
    const keptRows = rows.filter((row) => !isAbsent(model, row) || kept(scopeTitleOf(model, row)))
    const { got, whole } = asPlain(keptRows, want)
    expect(sorted(got), model).toEqual(sorted(whole))
  }
}
