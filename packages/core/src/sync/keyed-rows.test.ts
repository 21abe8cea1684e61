import { FastCheck } from 'effect'
import { expect, test } from 'vitest'
import { naturalKey } from '../key.ts'
import { KeyedRows } from './keyed-rows.ts'

const text = FastCheck.constantFrom('', 'a', '"', 'a,', '1')
const rows = FastCheck.array(
  FastCheck.record({
    server: FastCheck.constantFrom(1, 2, '1'),
    datastore_name: text,
    namespace: text,
    backup_type: text,
    backup_id: text,
  }),
)

test('a row is found by its whole key, the last one set, whatever rows came before', () => {
  FastCheck.assert(
    FastCheck.property(rows, rows, (set, lookups) => {
      const keyed = new KeyedRows<(typeof set)[number]>('group')
      const byText = new Map<string, (typeof set)[number]>()
      for (const row of set) {
        keyed.set(row)
        byText.set(naturalKey('group', row), row)
      }
      for (const like of lookups) {
        const key = naturalKey('group', like)
        expect(keyed.take(like)).toBe(byText.get(key))
        byText.delete(key)
      }
      expect(new Set(keyed.left())).toEqual(new Set(byText.values()))
    }),
  )
})
