import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../src/index.ts'
import { ask, read } from './client.ts'

let sim: Simulator

beforeAll(async () => {
  sim = await startSimulator({ snapshots: 60, failureDelayMs: 0, now: 1_780_358_400 })
})
afterAll(() => sim.close())

const single = (name: string, problem: string) => `parameter verification failed - '${name}': ${problem}`

describe('a query is checked strictly', () => {
  test.each([
    ['unknown key', '/version?x=1', single('x', 'schema does not allow additional properties.')],
    [
      'bad enumeration',
      '/admin/sync?sync-direction=both',
      single('sync-direction', "value 'both' is not defined in the enumeration."),
    ],
    ['short store', '/admin/datastore/ab/gc', single('store', 'value must be at least 3 characters long')],
    ['long store', `/admin/gc?store=${'a'.repeat(33)}`, single('store', 'value may only be 32 characters long')],
    ['bad store', '/admin/gc?store=a%20b', single('store', 'value does not match the regex pattern')],
    [
      'eight namespace components',
      '/admin/datastore/tank/groups?ns=a/b/c/d/e/f/g/h',
      single('ns', 'value does not match the regex pattern'),
    ],
    [
      'integer out of range',
      '/admin/datastore/tank/namespace?max-depth=8',
      single('max-depth', 'value must have a maximum value of 7 (got 8)'),
    ],
    [
      'no integer',
      '/admin/datastore/tank/namespace?max-depth=two',
      single('max-depth', 'invalid digit found in string'),
    ],
    ['no boolean', '/admin/datastore/tank/status?verbose=maybe', single('verbose', 'Unable to parse boolean option.')],
    ['twice the same', '/admin/gc?store=tank&store=vault', single('store', 'duplicate parameter.')],
    ['node name with a dot', '/nodes/pbs.example.net/time', single('node', 'value does not match the regex pattern')],
    [
      'several problems',
      '/admin/datastore/tank/snapshots?foo=1&backup-type=lxc',
      "parameter verification failed:\n- 'foo': schema does not allow additional properties.\n" +
        "- 'backup-type': value 'lxc' is not defined in the enumeration.\n",
    ],
  ])('%s', async (_title, path, text) => {
    const answer = await ask(sim, path)
    expect([answer.status, answer.text]).toEqual([400, text])
    expect(answer.headers['content-type']).toBe('application/json;charset=UTF-8')
  })

  test('_dc is ignored', async () => {
    expect((await ask(sim, '/version?_dc=1')).status).toBe(200)
  })

  test.each(['1', 'on', 'YES', 'true'])('a boolean may be written %s', async (word) => {
    expect(await read(sim, `/admin/datastore/tank/status?verbose=${word}`)).toHaveProperty('counts')
  })

  test('the router-level privilege check comes before the parameters', async () => {
    const answer = await ask(sim, '/admin/datastore/tank/gc?x=1', { token: sim.tokens.empty })
    expect([answer.status, answer.text]).toEqual([403, 'permission check failed'])
  })
})

describe('content types on GET', () => {
  test('JSON drops the query, so the list is unfiltered', async () => {
    const path = '/admin/datastore/tank/snapshots?backup-type=vm&backup-id=902'
    const filtered = await read(sim, path)
    const unfiltered = await read(sim, path, { headers: { 'content-type': 'application/json' } })
    expect(filtered).toHaveLength(4)
    expect(unfiltered).not.toHaveLength(4)
  })

  test('other types are refused', async () => {
    expect((await ask(sim, '/version', { headers: { 'content-type': 'text/plain' } })).status).toBe(400)
  })
})

describe('paths', () => {
  test('an intermediate node lists its children', async () => {
    expect(await read(sim, '/admin')).toEqual(
      ['datastore', 'gc', 'prune', 'sync', 'verify'].map((subdir) => ({ subdir })),
    )
  })

  test('empty segments collapse', async () => {
    expect(await read(sim, '//version/')).toMatchObject({ version: '4.2' })
  })
})
