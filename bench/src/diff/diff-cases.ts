import { diff, type Facts, type MainRow, type SourceRow, type SourceRows } from '@netbox-pbs/core'
import type { Batch, Case } from '../measure.ts'
import { bothSides, rowsPerGroup } from './snapshot-rows.ts'

const batchRows = 20_000

/** core's diff alone: a group at a time as a sync calls it, and over one long list, on as many snapshots as asked. */
export const diffCases = (rows: number): ReadonlyArray<Case> => [
  diffCase('unchanged, a group at a time', rows, rowsPerGroup, () => false),
  diffCase('1 % changed, a group at a time', rows, rowsPerGroup, everyHundredth),
  diffCase(`unchanged, lists of ${batchRows.toLocaleString('en')}`, rows, batchRows, () => false),
  diffCase(`1 % changed, lists of ${batchRows.toLocaleString('en')}`, rows, batchRows, everyHundredth),
]

const everyHundredth = (index: number): boolean => index % 100 === 0

function diffCase(title: string, rows: number, rowsPerList: number, changes: (index: number) => boolean): Case {
  return {
    title,
    rows,
    batches: function* () {
      for (let from = 0; from < rows; from += batchRows) {
        yield batch(from, Math.min(rows, from + batchRows), rowsPerList, changes)
      }
    },
  }
}

/** Rows as a sync hands them to diff: a list for each group, of which its rows do not repeat the key. */
function groupsOf(rows: ReadonlyArray<Facts<'snapshot'>>): ReadonlyArray<SourceRows<'snapshot'>> {
  const groups: Array<SourceRows<'snapshot'> & { readonly rows: Array<SourceRow<'snapshot'>> }> = []
  for (const { server, datastore_name, namespace, backup_type, backup_id, ...row } of rows) {
    const last = groups.at(-1)
    if (last?.within.backup_id === backup_id) last.rows.push(row)
    else groups.push({ within: { server, datastore_name, namespace, backup_type, backup_id }, rows: [row] })
  }
  return groups
}

interface List {
  readonly main: ReadonlyArray<MainRow<'snapshot'>>
  readonly source: ReadonlyArray<SourceRows<'snapshot'>>
}

function batch(from: number, to: number, rowsPerList: number, changes: (index: number) => boolean): Batch {
  const { main, source } = bothSides(from, to)
  const verified = source.map((facts, i) => (changes(from + i) ? { ...facts, verification_state: 'failed' } : facts))
  const expected = verified.filter((_, i) => changes(from + i)).length
  const lists: Array<List> = []
  for (let start = 0; start < main.length; start += rowsPerList) {
    lists.push({
      main: main.slice(start, start + rowsPerList),
      source: groupsOf(verified.slice(start, start + rowsPerList)),
    })
  }
  return () => {
    let found = 0
    for (const list of lists) found += diff({ model: 'snapshot', ...list, complete: true }).changes.length
    if (found !== expected) throw new Error(`${found} changes found where ${expected} were made`)
  }
}
