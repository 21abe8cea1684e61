import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from './support/fake-gateway.ts'
import { type Answer, type Ask, startTestApi, type TestApi } from './support/test-api.ts'

const root = '/api/plugins/pbs'
const guests = `${root}/guests/`

let api: TestApi
/** Asks as a user who sees the server `far` only. */
let limited: (method: string, path: string, ask?: Ask) => Promise<Answer>

const day = (nth: number) => `2026-05-0${nth}T02:00:00Z`
const made = async (path: string, body: object) => {
  const { status, json } = await api.ask('POST', path, { body })
  expect([path, status, json]).toEqual([path, 201, json])
  return json
}
const backups = (server: string, datastore_name: string, backup_id: string, days: ReadonlyArray<number>) =>
  made(
    `${root}/snapshots/`,
    days.map((nth) => ({ server, datastore_name, backup_type: 'vm', backup_id, backup_time: day(nth) })),
  )

beforeAll(async () => {
  api = await startTestApi(fakeGateway().layer)
  await made('/api/extras/tags/', [
    { name: 'Off site', slug: 'offsite' },
    { name: 'Tape', slug: 'offline' },
  ])
  await made(
    `${root}/servers/`,
    ['near', 'far'].map((name) => ({ name, host: `${name}.example`, token_id: 't@pbs!x' })),
  )
  await made(`${root}/datastores/`, [
    { server: 'near', name: 'tank', path: '/tank' },
    { server: 'near', name: 'usb', path: '/usb', tags: [{ slug: 'offline' }] },
    { server: 'far', name: 'vault', path: '/vault', tags: [{ slug: 'offsite' }] },
  ])
  await backups('near', 'tank', '100', [1, 2, 3, 4, 5])
  await backups('near', 'usb', '100', [1, 2, 3, 4, 5])
  await backups('far', 'vault', '100', [1, 2, 3])
  await backups('near', 'tank', '101', [1])
  await backups('far', 'vault', '102', [1])
  const user = { username: 'lin', password: 'correct horse battery', role: 'viewer', servers: ['far'] }
  const { id } = await made('/api/users/users/', user)
  const { key, token } = await made('/api/users/tokens/', { user: id })
  limited = (method, path, ask = {}) => api.ask(method, path, { ...ask, token: `nbt_${key}.${token}` })
})
afterAll(() => api.stop())

const ids = (answer: Answer): ReadonlyArray<string> =>
  answer.json.results.map((guest: { readonly backup_id: string }) => guest.backup_id)
const list = async (query: string) => ids(await api.ask('GET', `${guests}?${query}`))
const guestOf = async (backupId: string) => (await api.ask('GET', `${guests}?backup_id=${backupId}`)).json.results[0]

describe('a guest', () => {
  test('is listed once, with its origin, its copies and their lag', async () => {
    const guest = await guestOf('100')
    expect(guest).toMatchObject({
      ...{ display: 'vm/100', backup_type: { value: 'vm', label: 'Virtual machine' }, backup_id: '100' },
      ...{ server: { display: 'near' }, datastore_name: 'tank', namespace: '', last_backup: day(5), snapshot_count: 5 },
      ...{ protection: { value: 'unknown', label: 'Unknown' }, protection_since: null },
      ...{ copies: 2, servers: 2, offsite_copies: 1, offline_copies: 1 },
      ...{ lagging_copies: 1, points_behind: 2, lag_since: day(4) },
    })
    expect(await list('ordering=backup_id')).toEqual(['100', '101', '102'])
  })

  test('is filtered and ordered as all lists are', async () => {
    expect(await list('copies=0&ordering=-backup_id')).toEqual(['102', '101'])
    expect(await list('copies__gte=1')).toEqual(['100'])
    expect(await list('offsite_copies=0')).toEqual(['101'])
    expect(await list('offsite_copies__gt=0&ordering=backup_id')).toEqual(['100', '102'])
    expect(await list('offline_copies=1')).toEqual(['100'])
    expect(await list('lag_since__empty=false')).toEqual(['100'])
    expect(await list('protection=unknown&ordering=protection,backup_id')).toEqual(['100', '101', '102'])
    expect(await list('protection=late')).toEqual([])
    expect(await list('server=far')).toEqual(['102'])
    expect(await list('q=10&limit=2')).toHaveLength(2)
    expect((await api.ask('GET', `${guests}?copies=many`)).status).toBe(400)
    const { json } = await api.ask('GET', `${guests}?brief=true&backup_id=101`)
    expect(Object.keys(json.results[0])).toEqual(['id', 'url', 'display', 'backup_type', 'backup_id'])
  })

  test('has its groups, the origin first', async () => {
    const { id } = await guestOf('100')
    const { json } = await api.ask('GET', `${guests}${id}/`)
    const [origin] = json.groups
    expect(json.groups).toMatchObject([
      { is_origin: true, copy_of: null, datastore_name: 'tank', offsite: false, offline: false, points_behind: 0 },
      { is_origin: false, copy_of: origin.id, datastore_name: 'usb', offline: true, points_behind: 0, lag_since: null },
      {
        is_origin: false,
        copy_of: origin.id,
        datastore_name: 'vault',
        offsite: true,
        points_behind: 2,
        lag_since: day(4),
      },
    ])
    expect((await api.ask('GET', `${guests}999/`)).status).toBe(404)
  })

  test('is told of by its groups and its snapshots', async () => {
    const copies = await api.ask('GET', `${root}/groups/?copy_of__empty=false`)
    expect(copies.json.results.map((group: { datastore_name: string }) => group.datastore_name).sort()).toEqual([
      'usb',
      'vault',
    ])
    const lagging = await api.ask('GET', `${root}/groups/?lag_since__empty=false`)
    expect(lagging.json.results).toMatchObject([{ datastore_name: 'vault', points_behind: 2, lag_since: day(4) }])
    const [first] = (await api.ask('GET', `${root}/snapshots/?backup_id=100&datastore_name=tank&ordering=backup_time`))
      .json.results
    const { json } = await api.ask('GET', `${root}/snapshots/${first.id}/copies/`)
    expect(json.results.map(({ display }: { display: string }) => display).sort()).toEqual(['far/vault', 'near/usb'])
  })

  test('shows a user of some servers nothing of the others', async () => {
    const answer = await limited('GET', `${guests}?ordering=backup_id`)
    expect(ids(answer)).toEqual(['100', '102'])
    expect(answer.json.results[0]).toMatchObject({
      ...{ origin: null, server: null, datastore_name: null, last_backup: null, snapshot_count: 0 },
      ...{
        copies: 1,
        servers: 1,
        offsite_copies: 1,
        offline_copies: 0,
        lagging_copies: 0,
        points_behind: 0,
        lag_since: null,
      },
    })
    const one = await limited('GET', `${guests}${answer.json.results[0].id}/`)
    expect(one.json.groups).toMatchObject([{ datastore_name: 'vault', copy_of: null, lag_since: null }])
    expect(JSON.stringify([answer.json, one.json])).not.toMatch(/near|tank|usb/)
    const [group] = (await limited('GET', `${root}/groups/?backup_id=100`)).json.results
    expect(group).toMatchObject({ copy_of: null, points_behind: null, lag_since: null })
    expect((await limited('GET', `${guests}?lag_since__empty=false`)).json.count).toBe(0)
    expect((await limited('GET', `${guests}${(await guestOf('101')).id}/`)).status).toBe(404)
  })

  test('goes with its last group', async () => {
    const { id } = await guestOf('101')
    const [snapshot] = (await api.ask('GET', `${root}/snapshots/?backup_id=101`)).json.results
    expect((await api.ask('DELETE', `${root}/snapshots/${snapshot.id}/`)).status).toBe(204)
    expect((await api.ask('GET', `${guests}${id}/`)).status).toBe(404)
  })
})
