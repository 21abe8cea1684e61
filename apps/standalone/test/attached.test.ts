import { emptyStore, finishedSnapshot, type Simulator, startSimulator } from '@netbox-pbs/pbs-simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemEngines } from './support/homes.ts'
import { allRows, connect, failures, type Row, request, syncAndWait, syncTwice } from './support/rest.ts'
import { type RunningSystem, startSystem } from './support/running-system.ts'

const now = 1_790_000_000
const day = 86_400
const guest = { store: 'attic', ns: '', backupType: 'vm', backupId: '7' }

describe.each(systemEngines)('what people attach survives on $engine', ({ home }) => {
  let pbs: Simulator
  let running: RunningSystem

  const send = async (method: string, path: string, body: unknown) => {
    const { status, json } = await request(running, method, path, body)
    expect([status, json]).toEqual([method === 'POST' ? 201 : 200, expect.anything()])
    return json as Row
  }
  const find = async (model: string, query: string) => {
    const [row] = await allRows(running, model, query)
    expect(row).toBeDefined()
    return row as Row
  }
  const attach = async (model: string, { id }: Row) => {
    await send('PATCH', `/api/plugins/pbs/${model}/${id}/`, {
      tags: [{ slug: 'kept' }],
      custom_fields: { note: model },
    })
  }
  const attached = (model: string) => ({ tags: [{ slug: 'kept' }], custom_fields: { note: model } })
  const addGuest = (ns = '') => {
    for (const nth of [1, 2, 3]) pbs.addSnapshot({ ...guest, ns }, finishedSnapshot(now - nth * day))
  }
  const snapshots = '&datastore_name=attic&backup_id=7&ordering=backup_time'

  beforeAll(async () => {
    pbs = await startSimulator({ failureDelayMs: 0, snapshots: 40, now, name: 'pbs-a', profile: '4.2', seed: 5 })
    pbs.state.datastores.push(emptyStore('attic'))
    pbs.addNamespace('attic', 'other')
    addGuest()
    running = await startSystem(await home())
    await connect(running, pbs)
    const run = await syncAndWait(running)
    expect(failures(run, 'pbs-a')).toEqual([])
    await send('POST', '/api/extras/tags/', { name: 'Kept', slug: 'kept' })
    await send('POST', '/api/extras/custom-fields/', {
      name: 'note',
      type: 'text',
      object_types: ['datastore', 'group', 'snapshot', 'job'].map((model) => `netbox_pbs.pbs${model}`),
    })
  })
  afterAll(async () => {
    await running.stop()
    await pbs.close()
  })

  test('a snapshot that its source lost and has again, and one that a user deleted', async () => {
    const [first, second] = await allRows(running, 'snapshots', snapshots)
    for (const row of [first, second]) await attach('snapshots', row as Row)
    await request(running, 'DELETE', `/api/plugins/pbs/snapshots/${second?.id}/`)
    await syncAndWait(running)
    const restored = await allRows(running, 'snapshots', snapshots)
    expect(restored).toMatchObject([attached('snapshots'), attached('snapshots'), { tags: [], custom_fields: {} }])
    expect(restored[1]?.id).not.toBe(second?.id)

    pbs.removeGroup(guest)
    await syncTwice(running)
    expect(await allRows(running, 'snapshots', snapshots)).toEqual([])
    addGuest()
    await syncAndWait(running)
    expect(await allRows(running, 'snapshots', snapshots)).toMatchObject([
      attached('snapshots'),
      attached('snapshots'),
      { tags: [], custom_fields: { note: null } },
    ])
  })

  test('a unique value that another row has got since stays with that row', async () => {
    await send('POST', '/api/extras/custom-fields/', {
      ...{ name: 'serial', type: 'text', object_types: ['netbox_pbs.pbssnapshot'], unique: true },
    })
    const [first, second] = await allRows(running, 'snapshots', snapshots)
    const give = (id: number | undefined, custom_fields: object) =>
      send('PATCH', `/api/plugins/pbs/snapshots/${id}/`, { custom_fields })
    await give(first?.id, { serial: 'S-1' })
    await request(running, 'DELETE', `/api/plugins/pbs/snapshots/${first?.id}/`)
    await give(second?.id, { serial: 'S-1' })
    await syncAndWait(running)
    expect(await allRows(running, 'snapshots', snapshots)).toMatchObject([
      { tags: [{ slug: 'kept' }], custom_fields: { note: 'snapshots', serial: null } },
      { custom_fields: { note: 'snapshots', serial: 'S-1' } },
      { custom_fields: { serial: null } },
    ])
    await give(second?.id, { serial: null })
  })

  test('a datastore that vanished for a while', async () => {
    await attach('datastores', await find('datastores', '&name=attic'))
    pbs.removeStore('attic')
    await syncTwice(running)
    expect(await allRows(running, 'datastores', '&name=attic')).toEqual([])
    pbs.state.datastores.push(emptyStore('attic'))
    addGuest()
    await syncAndWait(running)
    expect(await find('datastores', '&name=attic')).toMatchObject(attached('datastores'))
  })

  test('a group that moved to another namespace, while it moved too', async () => {
    pbs.addNamespace('attic', 'other')
    const [group] = await allRows(running, 'groups', '&datastore_name=attic&backup_id=7')
    await attach('groups', group as Row)
    const [first, second, third] = await allRows(running, 'snapshots', snapshots)
    await attach('snapshots', second as Row)
    const times = [3, 2].map((nth) => now - nth * day)
    pbs.moveGroup(guest, { store: 'attic', ns: 'other' }, times)
    await syncAndWait(running)
    expect((await allRows(running, 'snapshots', snapshots)).map(({ namespace }) => namespace)).toEqual([
      'other',
      'other',
      '',
    ])
    pbs.moveGroup(guest, { store: 'attic', ns: 'other' })
    await syncTwice(running)
    const groups = await allRows(running, 'groups', '&datastore_name=attic&backup_id=7')
    expect(groups).toMatchObject([{ namespace: 'other', ...attached('groups') }])
    const moved = await allRows(running, 'snapshots', snapshots)
    expect(moved).toMatchObject([
      { namespace: 'other', tags: first?.['tags'], custom_fields: first?.['custom_fields'] },
      { namespace: 'other', ...attached('snapshots') },
      { namespace: 'other', tags: third?.['tags'], custom_fields: third?.['custom_fields'] },
    ])
    const log = await allRows(running, 'changes', `&changed_object_id=${groups[0]?.id}&action=update`)
    expect(log.map(({ message }) => message)).toContain(
      'The group moved from the root namespace of datastore attic to namespace other of datastore attic. Its tags and custom fields came along.',
    )
  })

  test('a sync that changes facts leaves it alone', async () => {
    const job = await find('jobs', '&job_type=verify')
    await attach('jobs', job)
    pbs.evolve({ verify: true })
    await syncAndWait(running)
    expect(await find('jobs', `&id=${job.id}`)).toMatchObject(attached('jobs'))
  })
})
