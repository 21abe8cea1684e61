import type { JsonValue } from '@netbox-pbs/core'
import { FastCheck } from 'effect'
import { describe, expect, test } from 'vitest'
import { everyFrame } from '../../test/frames.ts'
import { JsonFact } from './fact-shape.ts'
import { encodeFrame, envelopeOf, Frame, type GroupFrame, type JobFrame, type ServerFrame } from './frame.ts'

const group: GroupFrame = {
  frame: 'group',
  server: 'pbs-a',
  datastore_name: 'tank',
  namespace: 'site-a',
  backup_type: 'vm',
  backup_id: '100',
  owner: 'root@pam',
  comment: '',
  snapshots: [
    {
      backup_time: '2026-05-01T02:00:00Z',
      size_bytes: 42,
      owner: 'root@pam',
      protected: false,
      comment: 'a "note"\n',
      verification_state: 'ok',
      verification_upid: '',
      crypt_mode: 'none',
      key_fingerprint: '',
      finished: true,
      manifest_files: [{ filename: 'drive.img.fidx', size: 41, crypt_mode: 'none' }],
      other_files: [],
    },
  ],
}

const server: ServerFrame = {
  frame: 'server',
  server: 'pbs-a',
  name: 'pbs-a',
  host: 'pbs-a.example',
  port: 8007,
  token_id: 'sync@pbs!netbox',
  fingerprint: '',
  verify_ssl: true,
  timeout_seconds: 30,
  version: null,
  timezone: null,
  endpoint_id: 3,
  observed: { status: 'unreachable', last_seen_at: null },
}

const job: JobFrame = {
  frame: 'job',
  server: 'pbs-a',
  job_type: 'verify',
  job_id: 'v-1',
  store: 'tank',
  namespace: '',
  remote: '',
  schedule: 'daily',
  comment: '',
  disable: false,
  options: {},
  observed: { last_run_state: 'unknown', last_run_error: '', last_run_endtime: null, next_run: null },
}

/** The same value with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

describe('encodeFrame', () => {
  test('a group is one line, keys in the order of the contract', () => {
    expect(encodeFrame(group)).toBe(
      '{"frame":"group","server":"pbs-a","datastore_name":"tank","namespace":"site-a","backup_type":"vm","backup_id":"100",' +
        '"owner":"root@pam","comment":"","snapshots":[{"backup_time":"2026-05-01T02:00:00Z","size_bytes":42,' +
        '"owner":"root@pam","protected":false,"comment":"a \\"note\\"\\n","verification_state":"ok",' +
        '"verification_upid":"","crypt_mode":"none","key_fingerprint":"","finished":true,' +
        '"manifest_files":[{"crypt_mode":"none","filename":"drive.img.fidx","size":41}],"other_files":[]}]}\n',
    )
  })

  test('a server that did not answer', () => {
    expect(encodeFrame(server)).toBe(
      '{"frame":"server","server":"pbs-a","name":"pbs-a","host":"pbs-a.example","port":8007,' +
        '"token_id":"sync@pbs!netbox","fingerprint":"","verify_ssl":true,"timeout_seconds":30,"version":null,"timezone":null,' +
        '"endpoint_id":3,"observed":{"status":"unreachable","last_seen_at":null}}\n',
    )
  })

  test('a server that shows a certificate which is refused', () => {
    const error = { code: 'tls_untrusted', message: 'no', presented_fingerprint: '22:22' } as const
    const rejected = { ...server, observed: { ...server.observed, latency_ms: 7, tls_checked: true, error } }
    const line = encodeFrame(rejected)
    expect(line).toContain(
      '"observed":{"status":"unreachable","last_seen_at":null,"latency_ms":7,"tls_checked":true,' +
        '"error":{"code":"tls_untrusted","message":"no","presented_fingerprint":"22:22"}}}\n',
    )
    expect(encodeFrame(reversed(rejected) as ServerFrame)).toBe(line)
    expect(Frame.parse(JSON.parse(line))).toEqual(rejected)
  })

  test('the order of the input does not matter', () => {
    expect(encodeFrame(reversed(group) as GroupFrame)).toBe(encodeFrame(group))
    expect(encodeFrame(reversed(server) as ServerFrame)).toBe(encodeFrame(server))
  })

  test('nor does it inside JSON facts, whatever they hold', () => {
    const json = FastCheck.jsonValue({ maxDepth: 4 }) as FastCheck.Arbitrary<JsonValue>
    FastCheck.assert(
      FastCheck.property(json, (options) => {
        FastCheck.pre(JsonFact.safeParse(options).success)
        const line = encodeFrame({ ...job, options })
        expect(encodeFrame({ ...job, options: reversed(options) as JsonValue })).toBe(line)
        expect(JSON.parse(line).options).toEqual(JSON.parse(JSON.stringify(options)))
      }),
      { examples: [[JSON.parse('{"b":1,"__proto__":{"2":1,"10":2,"1":3},"a":[{"d":1,"c":null}]}')]] },
    )
  })

  test('observations and other keys that the contract does not know stay out of a group', () => {
    const snapshots = group.snapshots.map((snapshot) => ({ ...snapshot, last_seen_at: '2026-05-02T00:00:00Z' }))
    const noisy = { ...group, snapshots, observed: { any: 1 } }
    expect(encodeFrame(noisy)).toBe(encodeFrame(group))
  })

  test('a scope carries only the keys that name it', () => {
    expect(
      encodeFrame({ frame: 'complete', resource: 'datastores', server: 'pbs-a', count: 2, visibility: 'v1' }),
    ).toBe('{"frame":"complete","resource":"datastores","server":"pbs-a","count":2,"visibility":"v1"}\n')
  })

  test('rows that were left out are counted where there are any', () => {
    const complete = { frame: 'complete', resource: 'datastores', server: 'pbs-a', count: 2, visibility: 'v1' } as const
    expect(encodeFrame({ ...complete, left_out: 1 })).toBe(
      '{"frame":"complete","resource":"datastores","server":"pbs-a","count":2,"visibility":"v1","left_out":1}\n',
    )
  })

  test('what is written is read back the same', () => {
    expect(Frame.parse(JSON.parse(encodeFrame(group)))).toEqual(group)
    expect(Frame.parse(JSON.parse(encodeFrame(server)))).toEqual(server)
  })
})

test('the envelope holds the rows of a stream without their frame key', () => {
  const { items, raw } = envelopeOf(everyFrame)
  expect(items).toMatchObject([{ endpoint_id: 3, fetched: 5 }])
  expect(Object.fromEntries(Object.entries(raw).map(([name, rows]) => [name, rows.length]))).toEqual({
    servers: 1,
    datastores: 1,
    namespaces: 1,
    groups: 1,
    jobs: 1,
    tasks: 1,
    complete: 5,
    failed: 1,
    warnings: 1,
  })
  expect(raw['namespaces']).toEqual([{ server: 'pbs-a', datastore_name: 'tank', path: 'site-a' }])
})

test('an empty stream has no rows, and says so', () => {
  expect(envelopeOf([{ frame: 'end', items: [] }])).toEqual({
    items: [],
    raw: { complete: [], failed: [], warnings: [] },
  })
})
