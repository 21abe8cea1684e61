import { type Field, modelNames, registry } from '@netbox-pbs/core'
import { expect, test } from 'vitest'
import { presentations } from './presentations.ts'

test.each(modelNames)('the list of %s has columns that can be sorted, and one that names the row', (name) => {
  const { columns, title, filters } = presentations[name]
  const fields: Readonly<Record<string, Field>> = registry[name].fields
  for (const column of [...columns, ...filters]) {
    expect([column, fields[column]?.type === 'json' || fields[column]?.internal === true]).toEqual([column, false])
  }
  expect(columns).toContain(title)
  expect(new Set(columns).size).toBe(columns.length)
})
