import { diff, guard } from '@netbox-pbs/core'

const main = [{ id: 1, presence: 'listed', facts: { server: 7, datastore_name: 'tank', path: 'site-a' } }] as const
const source = [{ within: { server: 7 }, rows: [{ datastore_name: 'tank', path: 'site-b' }] }]

const { changes } = diff({ model: 'namespace', main, source, complete: true })
// [{ _tag: 'delete', id: 1, … }, { _tag: 'create', values: { path: 'site-b', … }, … }]

const settings = { guard_max_share: 0.3, guard_min_rows: 50 }
const input = { settings, before: 200, listed: 100, deletions: 100, visibilityChanged: false }
const verdict = guard(input) // { _tag: 'hold', reason: 'too_many' }

export { changes, verdict }
