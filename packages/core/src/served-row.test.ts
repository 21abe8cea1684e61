import { expect, test } from 'vitest'
import type { ModelName } from './registry/field.ts'
import { modelNames, registry } from './registry/registry.ts'
import { columnsRead, display, rowWriter, servedNames, serveRow } from './served-row.ts'

const common = { id: 1, serverName: 'pbs-a', tags: [], custom_fields: {}, created: '', last_updated: '' }

test.each<[ModelName, Readonly<Record<string, unknown>>, string]>([
  ['server', { name: 'pbs-a' }, 'pbs-a'],
  ['datastore', { name: 'tank' }, 'tank (pbs-a)'],
  ['namespace', { datastore_name: 'tank', path: 'site-a/lab' }, 'tank/site-a/lab'],
  ['namespace', { datastore_name: 'tank', path: '' }, 'tank/(root)'],
  ['group', { backup_type: 'vm', backup_id: '100' }, 'vm/100'],
  // A type that we do not know is shown as the source wrote it.
  ['group', { backup_type: 'qemu', backup_id: '100' }, 'qemu/100'],
  ['snapshot', { backup_type: 'ct', backup_id: '1', backup_time: '2026-05-01T02:00:00Z' }, 'ct/1/2026-05-01T02:00:00Z'],
  [
    'snapshot',
    { backup_type: 'ct', backup_id: '1', backup_time: '2026-05-01T02:00:00.500000Z' },
    'ct/1/2026-05-01T02:00:00Z',
  ],
  ['job', { job_type: 'gc', job_id: 'tank' }, 'gc/tank'],
  ['task', { worker_type: 'backup', worker_id: 'tank:vm/101' }, 'backup tank:vm/101'],
  ['task', { worker_type: 'aptupdate', worker_id: '' }, 'aptupdate'],
])('%s %j', (model, row, text) => {
  expect(display(model, { ...common, ...row })).toBe(text)
})

test('an answer is made of the columns that are read for it, and a line of it has the same values', () => {
  const none = { brief: false, fields: null, omit: null }
  for (const model of modelNames) {
    const names = servedNames(model, none)
    for (const presentation of [
      none,
      { ...none, brief: true },
      ...names.map((name) => ({ ...none, fields: [name] })),
    ]) {
      const looked = new Set<string | symbol>()
      const known: Readonly<Record<string, unknown>> = { ...common, ...registry[model].fields }
      const row = new Proxy(known as never, {
        get: (_, name) => {
          looked.add(name)
          return known[String(name)]
        },
      })
      const serving = { base: 'http://x', presentation, attached: { fields: [], tags: new Map() } }
      const line = rowWriter(model, serving, { before: '{', between: ',', after: '}', text: field })(row)
      expect(JSON.parse(line)).toEqual(JSON.parse(JSON.stringify(serveRow(model, row, serving))))
      const read = columnsRead(model, presentation)
      expect([...looked].filter((name) => !read.has(String(name)))).toEqual([])
    }
  }
})

const field = (name: string, value: unknown) => `${JSON.stringify(name)}:${JSON.stringify(value ?? null)}`
