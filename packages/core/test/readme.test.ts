import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as registry from './examples/registry.ts'
import * as whatChanged from './examples/what-changed.ts'

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

describe('the README', () => {
  test.each(['what-changed', 'registry'])('shows the example %s as it is run here', (name) => {
    const [shown] = text(`./examples/${name}.ts`).split('\nexport {')
    expect(text('../README.md')).toContain(`\`\`\`ts\n${shown?.trim()}\n\`\`\``)
  })

  test('says truly what changes and what the guard makes of it', () => {
    expect(whatChanged.changes).toEqual([
      { _tag: 'delete', id: 1, key: [7, 'tank', 'site-a'] },
      {
        _tag: 'create',
        key: [7, 'tank', 'site-b'],
        values: { datastore_name: 'tank', path: 'site-b' },
      },
    ])
    expect(whatChanged.verdict).toEqual({ _tag: 'hold', reason: 'too_many' })
  })

  test('says truly what the registry holds', () => {
    expect(registry.observed).toEqual([
      'last_run_state',
      'last_run_error',
      'last_run_endtime',
      'next_run',
      'last_seen_at',
    ])
    expect(registry.label).toBe('Virtual machine')
  })
})
