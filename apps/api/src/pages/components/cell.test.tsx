import { type Field, registry } from '@netbox-pbs/core'
import { describe, expect, test } from 'vitest'
import { Cell } from './cell.tsx'

const { snapshot, namespace, server, group, job, task } = registry
const draw = (field: Field, value: unknown): string => String(<Cell field={field} value={value} reference="pbs <a>" />)
const dash = '<span class="text-secondary netbox-pbs-nothing">—</span>'

describe('a cell shows a value by the type of its field', () => {
  test.each<[string, Field, unknown, string]>([
    ['text', snapshot.fields.owner, 'root@pam', '<span>root@pam</span>'],
    ['blank text', snapshot.fields.owner, '', dash],
    ['a blank key', namespace.fields.path, '', '<span class="text-secondary">(root)</span>'],
    ['bytes', snapshot.fields.size_bytes, 1536, '<span class="text-nowrap">1.5 KiB</span>'],
    ['no bytes known', snapshot.fields.size_bytes, null, dash],
    ['a count', group.fields.snapshot_count, 12345, '<span class="text-nowrap">12\u202f345</span>'],
    ['a count of none', group.fields.snapshot_count, 0, '<span class="text-nowrap">0</span>'],
    ['seconds', task.fields.duration, 3725, '<span class="text-nowrap">1 h 2 min</span>'],
    ['a number that counts nothing', server.fields.port, 8007, '<span class="text-nowrap">8007</span>'],
    [
      'a time',
      snapshot.fields.backup_time,
      '2026-05-01T02:00:00Z',
      '<time datetime="2026-05-01T02:00:00Z" title="2026-05-01 02:00:00 UTC"><span class="text-nowrap">2026-05-01 02:00:00 UTC</span></time>',
    ],
    ['a reference', snapshot.fields.server, 7, '<a href="/plugins/pbs/servers/7/">pbs &lt;a&gt;</a>'],
    [
      'a choice',
      snapshot.fields.backup_type,
      'vm',
      '<span class="badge netbox-pbs-badge netbox-pbs-blue">Virtual machine</span>',
    ],
    [
      'a choice that is not known',
      snapshot.fields.backup_type,
      'new"kind',
      '<span class="badge netbox-pbs-badge netbox-pbs-secondary" title="new&quot;kind">Unknown</span>',
    ],
    ['empty JSON', job.fields.options, {}, dash],
  ])('%s', (_, field, value, drawn) => {
    expect(draw(field, value)).toBe(drawn)
  })

  test('a boolean is told to those who see it and to those who hear it', () => {
    expect(draw(snapshot.fields.protected, true)).toContain('✓</span><span class="visually-hidden">Yes</span>')
    expect(draw(snapshot.fields.protected, false)).toContain('✗</span><span class="visually-hidden">No</span>')
  })

  test('a list of objects is a table with a column for each of their names', () => {
    const drawn = draw(snapshot.fields.files, [{ filename: 'a', size: 1 }, { filename: '<b>' }])
    expect([...drawn.matchAll(/<th scope="col">(\w+)/g)].map(([, name]) => name)).toEqual(['filename', 'size'])
    expect(drawn).toContain('&lt;b&gt;')
  })
})

test.each<[string, Field]>([
  ['text', snapshot.fields.comment],
  ['a choice', snapshot.fields.backup_type],
  ['a time', snapshot.fields.backup_time],
  ['JSON', job.fields.options],
])('nothing in %s becomes markup', (_, field) => {
  for (const value of ['<script>x</script>', '"><b>', { '<i>': '<b>"' }, ['<b>']]) {
    expect(draw(field, value)).not.toMatch(/<(script|b|i)>/)
  }
})
