import { Branches, InventoryLists, SettingsStore } from '@netbox-pbs/core/ports'
import { writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type StagedUpdate, stageBranch } from '../support/stage-branch.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

const hostile = '<script>alert(1)</script> "quoted" <b>'
const escaped = '&lt;script&gt;alert(1)&lt;/script&gt; &quot;quoted&quot; &lt;b&gt;'
const actor = { user: 'ada', requestId: '7d1c1c1e-0000-4000-8000-000000000001' }
const base = '/plugins/pbs/branches/'

let site: Site
let writer: Visitor
let reader: Visitor
let form_token: string
let runId = 70

beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
  writer = await new Visitor(site.url).signIn(tokens.writer)
  reader = await new Visitor(site.url).signIn(tokens.reader)
  form_token = await writer.formToken()
})
afterAll(() => site.stop())

/**
 * A server of its own with datastores `tank` and `vault`, and a branch of a run that has changed
 * them. `edited`: a person's later edit of tank's comment.
 */
async function staged(
  name: string,
  edited: string | null,
  fields: StagedUpdate['fields'] = [['comment', '', 'source']],
) {
  const made = await site.use(
    Effect.gen(function* () {
      const writes = yield* writesOneByOne
      const rows = [{ name, host: 'pbs', token_id: 'a@pbs!b' }]
      const [server = 0] = yield* writes.create({ model: 'server', rows, actor })
      const stores = ['tank', 'vault'].map((store) => ({ server, name: store, path: '/mnt' }))
      const [tank = 0, vault = 0] = yield* writes.create({ model: 'datastore', rows: stores, actor })
      const updates = [
        { id: tank, name: 'tank', fields },
        { id: vault, name: 'vault', fields: [['comment', '', 'new']] as const },
      ]
      const id = yield* stageBranch({ name: `branch ${name}`, runId: ++runId, server: { id: server, name }, updates })
      if (edited !== null)
        yield* writes.update({ model: 'datastore', id: tank, values: { comment: edited, path: '/edited' }, actor })
      return { id, tank, vault }
    }),
  )
  return { ...made, page: `${base}${made.id}/`, conflicts: `${base}${made.id}/conflicts/` }
}
const comment = (id: number) =>
  site.use(
    Effect.gen(function* () {
      const found = yield* (yield* InventoryLists).get({ model: 'datastore', id })
      return found._tag === 'Some' ? found.value.comment : null
    }),
  )
const branch = (id: number) =>
  site.use(
    Effect.gen(function* () {
      const found = yield* (yield* Branches).get({ id })
      return found._tag === 'Some' ? found.value : null
    }),
  )
const text = async (path: string, visitor = writer) => {
  const got = await visitor.get(path)
  expect(got.status, path).toBe(200)
  return got.text
}
const send = (path: string, fields: Readonly<Record<string, string>> = {}) =>
  writer.send(path, { form_token, ...fields })

describe('opening a branch', () => {
  test('leads to its page, and the list names it', async () => {
    expect(await text(`${base}add/`)).toContain('Open branch')
    const made = await send(`${base}add/`, { name: `night ${hostile}`, description: hostile })
    expect(made.status).toBe(303)
    const page = await text(made.headers.get('location') ?? '')
    expect(page).toContain(`night ${escaped}`)
    expect(page).not.toContain(hostile)
    expect(page).toContain('Work in this branch')
    const list = await text(base)
    expect(list).toContain(`href="${made.headers.get('location')}"`)
    expect(list).not.toContain(hostile)
    expect(list).toMatch(/href="\/plugins\/pbs\/branches\/" data-go="b" aria-current="page"/)
  })

  test('says what is wrong under the field, and keeps what was typed', async () => {
    await send(`${base}add/`, { name: 'twice' })
    const again = await send(`${base}add/`, { name: 'twice', description: 'why' })
    expect(again.status).toBe(400)
    expect(again.text).toMatch(/id="name-error">A? ?a branch named twice exists already/i)
    expect(again.text).toContain('value="why"')
    expect((await send(`${base}add/`, { name: ' ' })).text).toContain('This field may not be blank.')
  })

  test('is for those who may write, from a page of theirs', async () => {
    expect((await reader.get(`${base}add/`)).status).toBe(403)
    const token = await reader.formToken()
    expect((await reader.send(`${base}add/`, { form_token: token, name: 'no' })).status).toBe(403)
    expect((await writer.send(`${base}add/`, { name: 'no' })).status).toBe(403)
    expect(await text(base, reader)).not.toContain(`${base}add/`)
    expect((await new Visitor(site.url).get(base)).status).toBe(303)
  })
})

describe('the list', () => {
  test('is filtered by status, kind and a search', async () => {
    await staged('listed', null)
    expect(await text(`${base}?kind=sync&q=LISTED`)).toContain('branch listed')
    expect(await text(`${base}?kind=operator&q=listed`)).toContain('No branch matches.')
    const wrong = await writer.get(`${base}?status=done`)
    expect([wrong.status, wrong.text.includes('status: there is no choice done.')]).toEqual([400, true])
    expect(await text(`${base}?q=listed`)).toContain('<option value="sync">Sync run</option>')
  })
})

describe('the changes of a branch', () => {
  test('is shown before and after, and filtered', async () => {
    const { page, tank } = await staged('before', null, [
      ['comment', hostile, `${hostile} after`],
      ['path', '/mnt', '/new'],
    ])
    const all = await text(`${page}changes/`)
    expect(all).toMatch(/before\/tank<\/a>.*updated.*Comment.*&lt;script&gt;.*&lt;b&gt; after.*Path.*\/mnt.*\/new/s)
    expect(all).not.toContain(hostile)
    const { schema_id } = (await branch(Number(page.split('/').at(-2)))) ?? { schema_id: '' }
    expect(all).toContain(`href="/plugins/pbs/datastores/${tank}/?_branch=${schema_id}"`)
    expect(await text(`${page}changes/?q=vault`)).not.toContain('before/tank')
    expect(await text(`${page}changes/?object_type=netbox_pbs.pbsserver`)).toContain('No change matches.')
    expect(await text(`${page}changes/?limit=1`)).toContain('Showing 1–1 of 2')
  })

  test('are none in a new branch, and its pages say so', async () => {
    const made = await send(`${base}add/`, { name: 'empty' })
    const page = made.headers.get('location') ?? ''
    expect(await text(`${page}changes/`)).toContain('This branch changes nothing.')
    expect(await text(page)).toContain('The branch changes nothing.')
    expect(await text(page)).not.toContain(`action="${page}merge/"`)
  })
})

describe('conflicts', () => {
  test('are listed by a comparison, with the three sides, and stand in the way of a merge', async () => {
    const { page, conflicts } = await staged('sides', `by ${hostile}`, [['comment', '', 'from the source']])
    expect(await text(conflicts)).toContain('The branch has not been compared with main yet.')
    const compared = await send(`${page}check/`)
    expect([compared.status, compared.headers.get('location')]).toEqual([303, conflicts])
    const listed = await text(conflicts)
    expect(listed).toMatch(/sides\/tank.*Comment.*Changed on both sides.*—.*by &lt;script&gt;.*from the source/s)
    expect(listed).not.toContain(hostile)
    const overview = await text(page)
    expect(overview).toContain('Resolve 1 conflict first.')
    expect(overview).not.toContain(`action="${page}merge/"`)
    expect(await text('/plugins/pbs/')).toMatch(/branch(es)? waits? for answers/)
    const rejected = await send(`${page}merge/`)
    expect(rejected.status).toBe(409)
    expect(rejected.text).toMatch(/role="alert">Branch \d+ has 1 open conflict:/)
    expect(rejected.text).toContain('sides/tank')
  })

  test('are answered one by one, taken back, and answered with a value', async () => {
    const { id, page, conflicts, tank } = await staged('one', 'edited')
    await send(`${page}check/`)
    const conflict = /name="id" value="(\d+)"/.exec(await text(conflicts))?.[1] ?? ''
    const next = `${conflicts}?kind=update_update`
    const answered = await send(conflicts, { id: conflict, resolution: 'main', next })
    expect([answered.status, answered.headers.get('location')]).toEqual([303, next])
    expect(await text(next)).toMatch(/Main’s<.*by admin/s)
    await send(conflicts, { id: conflict, resolution: 'none', next })
    expect((await branch(id))?.conflicts).toBe(1)
    await send(conflicts, { id: conflict, resolution: 'value', value: `both ${hostile}`, next })
    expect(await text(next)).toContain(`both ${escaped}`)
    const merged = await send(`${page}merge/`)
    expect([merged.status, merged.headers.get('location')]).toEqual([303, page])
    expect(await comment(tank)).toBe(`both ${hostile}`)
  })

  test('are resolved together, by the filters of the list', async () => {
    const { id, page, conflicts } = await staged('bulk', 'edited', [
      ['comment', '', 'source'],
      ['path', '/mnt', '/new'],
    ])
    await send(`${page}check/`)
    expect((await branch(id))?.conflicts).toBe(2)
    const filtered = `${conflicts}?field=path`
    expect(await text(filtered)).toMatch(/Field: path/)
    expect(await text(filtered)).toContain('Resolve the listed conflict:')
    expect((await send(conflicts, { resolution: 'branch', next: filtered })).text).toContain('No conflict was chosen.')
    expect((await send(conflicts, { all: 'true', next: filtered, field: 'path' })).text).toContain(
      'No resolution was chosen.',
    )
    expect((await branch(id))?.conflicts).toBe(2)
    await send(conflicts, { all: 'true', field: 'path', resolution: 'branch', next: filtered })
    expect((await branch(id))?.conflicts).toBe(1)
    const scope = /[?&;]scope=([^"&]+)/.exec(await text(conflicts))?.[1] ?? ''
    expect(await text(`${conflicts}?scope=${scope}`)).toContain('Scope: datastores of bulk')
    await send(conflicts, { all: 'true', scope: decodeURIComponent(scope), resolution: 'main', next: conflicts })
    expect((await branch(id))?.conflicts).toBe(0)
  })

  test('take no value that the field does not', async () => {
    const { page, conflicts } = await staged('long', 'edited')
    await send(`${page}check/`)
    const conflict = /name="id" value="(\d+)"/.exec(await text(conflicts))?.[1] ?? ''
    const long = await send(conflicts, { id: conflict, resolution: 'value', value: 'x'.repeat(1025), next: conflicts })
    expect(long.status).toBe(400)
    expect(long.text).toContain('no more than 1024 characters')
  })

  test('lead nowhere else when they are answered', async () => {
    const { page, conflicts } = await staged('away', 'edited')
    await send(`${page}check/`)
    const next = 'https://evil.example/plugins/pbs/'
    expect((await send(conflicts, { all: 'true', resolution: 'main', next })).headers.get('location')).toBe(
      '/plugins/pbs/',
    )
  })
})

describe('a merge', () => {
  test('can be tried, lands, and is then the past', async () => {
    const { id, page, tank } = await staged('tried', null)
    const dry = await send(`${page}merge/`, { commit: 'false' })
    expect(dry.status).toBe(200)
    expect(dry.text).toContain(
      'Dry run, nothing was changed: it would create 0 objects, update 2 objects and delete 0 objects.',
    )
    expect(await comment(tank)).toBe('')
    expect((await send(`${page}merge/`, { commit: 'perhaps' })).status).toBe(400)
    expect((await send(`${page}merge/`)).status).toBe(303)
    expect(await comment(tank)).toBe('source')
    const past = await text(page)
    expect(past).toMatch(/merged.*by admin/s)
    expect(past).toContain(`action="${page}revert/"`)
    expect(past).toContain(`value="revert-branch tried"`)
    expect(past).not.toContain('Work in this branch')
    for (const action of ['merge', 'close', 'check']) {
      const late = await send(`${page}${action}/`)
      expect(late.status, action).toBe(409)
      expect(late.text).toContain(`Branch ${id} is merged: only an open branch can be changed or merged.`)
    }
  })

  test('waits for the approval of another when the settings say so', async () => {
    await site.use(Effect.flatMap(SettingsStore, (settings) => settings.update({ branch_approval_required: true })))
    try {
      const { id, page } = await staged('approved', null)
      const overview = await text(page)
      expect(overview).toContain('A user other than the author has to approve it first.')
      expect((await send(`${page}merge/`)).text).toContain(`Branch ${id} is not approved in its present revision`)
      expect((await send(`${page}approve/`)).status).toBe(400)
      expect((await send(`${page}approve/`, { revision: '999' })).text).toContain('has changed since you looked at it')
      const revision = /name="revision" value="(\d+)"/.exec(overview)?.[1] ?? ''
      expect((await send(`${page}approve/`, { revision })).status).toBe(303)
      expect(await text(page)).toContain('admin approved the current revision.')
      expect((await send(`${page}merge/`)).status).toBe(303)

      const own = await send(`${base}add/`, { name: 'own' })
      const mine = own.headers.get('location') ?? ''
      expect((await send(`${mine}approve/`, { revision: '0' })).text).toContain('ask another user to approve it')
    } finally {
      await site.use(Effect.flatMap(SettingsStore, (settings) => settings.update({ branch_approval_required: false })))
    }
  })
})

describe('a branch that has merged', () => {
  test('is undone by another, after a look at what that would be', async () => {
    const { id, page, tank } = await staged('undone', null)
    await send(`${page}merge/`)
    const dry = await send(`${page}revert/`, { name: 'undo it', commit: 'false' })
    expect(dry.text).toContain('Dry run, nothing was changed: a branch would change 2 objects, with 0 conflicts.')
    expect((await send(`${page}revert/`, { name: ' ' })).text).toContain('This field may not be blank.')
    const undone = await send(`${page}revert/`, { name: 'undo it' })
    const undo = undone.headers.get('location') ?? ''
    expect(await text(undo)).toMatch(new RegExp(`undo it.*Revert.*href="${page}">Branch ${id}<`, 's'))
    expect((await send(`${page}revert/`, { name: 'undo it' })).text).toContain('choose another name')
    expect((await send(`${undo}merge/`)).status).toBe(303)
    expect(await comment(tank)).toBe('')
  })
})

describe('an open branch', () => {
  test('takes up what main has become, once its conflicts are answered', async () => {
    const { page, conflicts, tank } = await staged('taken up', 'edited')
    const rejected = await send(`${page}sync/`)
    expect(rejected.status).toBe(409)
    expect(rejected.text).toContain('taken up/tank')
    await send(conflicts, { all: 'true', resolution: 'main', next: conflicts })
    expect((await send(`${page}sync/`, { commit: 'false' })).text).toContain(
      'it would change 2 objects, with 0 conflicts',
    )
    expect((await send(`${page}sync/`)).status).toBe(303)
    // The source will say it again: the answer stays with what it was given on, until the branch merges.
    expect(await text(conflicts)).toContain('taken up/tank')
    expect((await send(`${page}merge/`)).status).toBe(303)
    expect(await comment(tank)).toBe('edited')
  })
})

describe('closing', () => {
  test('ends a branch for good', async () => {
    const { page, tank } = await staged('shut', null)
    expect((await send(`${page}close/`)).status).toBe(303)
    expect(await text(page)).toContain('None: the branch is closed.')
    expect(await comment(tank)).toBe('')
  })
})

test('the page of a run leads to its branch', async () => {
  const started = await send('/plugins/pbs/sync-runs/')
  const run = started.headers.get('location') ?? ''
  expect(await text(run)).not.toContain('>Branch<')
  const id = await site.use(
    Effect.gen(function* () {
      const about = { kind: 'sync', description: '', user: '', review: false } as const
      const runs = Number(run.split('/').at(-2))
      return (yield* (yield* Branches).create({ name: 'of a run', runId: runs, ...about })).id
    }),
  )
  expect(await text(run)).toContain(`<a href="${base}${id}/">of a run</a>`)
  expect(await text(`${base}${id}/`)).toContain(`href="${run}"`)
})

test('a read-only token sees everything but no forms', async () => {
  const { page, conflicts } = await staged('looked at', 'edited')
  await send(`${page}check/`)
  const overview = await text(page, reader)
  expect(overview).toContain('You may not change this.')
  for (const path of [page, `${page}changes/`, conflicts])
    expect(await text(path, reader)).not.toContain(`method="post" action="${page}`)
  const token = await reader.formToken()
  for (const path of ['check/', 'merge/', 'close/', 'conflicts/'])
    expect((await reader.send(`${page}${path}`, { form_token: token })).status).toBe(403)
  expect((await writer.send(`${page}close/`, {})).status).toBe(403)
})

test('a branch that is not there is a page, whatever is asked of it', async () => {
  for (const path of ['', 'changes/', 'conflicts/'])
    expect((await writer.get(`${base}999999/${path}`)).status).toBe(404)
  for (const path of ['merge/', 'close/', 'conflicts/'])
    expect((await send(`${base}999999/${path}`, { all: 'true', resolution: 'main' })).status).toBe(404)
})

test('an inventory page does not show main for a branch that is not there or has ended', async () => {
  const { id, page } = await staged('ended', null)
  await send(`${page}close/`)
  for (const schemaId of ['zzzzzzzz', (await branch(id))?.schema_id]) {
    const got = await writer.get(`/plugins/pbs/datastores/?_branch=${schemaId}`)
    expect(got.status).toBe(400)
    expect(got.text).toContain('This branch cannot be used')
    expect(got.text).not.toContain('vault')
  }
})

describe('the inventory in a branch', () => {
  test('is read in the branch, says so, and its links stay there', async () => {
    const { id, tank, vault } = await staged('within', null)
    const { schema_id } = (await branch(id)) ?? { schema_id: '' }
    const here = `_branch=${schema_id}`
    const list = await text(`/plugins/pbs/datastores/?server=within&${here}`)
    expect(list).toMatch(/You are in branch.*branch within.*Its changes are not in main yet.*Leave the branch/s)
    expect(list).toContain('>source<')
    expect(await text('/plugins/pbs/datastores/?server=within')).not.toContain('>source<')
    expect(await text('/plugins/pbs/datastores/?server=within')).not.toContain('You are in branch')
    expect(list).toContain(`href="/plugins/pbs/datastores/${tank}/?${here}"`)
    expect(list).toContain(`href="/plugins/pbs/snapshots/?${here}"`)
    expect(await text(`/plugins/pbs/datastores/?${here}`)).toMatch(
      new RegExp(`href="/plugins/pbs/servers/\\d+/\\?${here}"`),
    )
    expect(list).toContain(`<input type="hidden" name="_branch" value="${schema_id}" form="search"/>`)
    expect(list).not.toContain('Filters: _branch')
    expect(list).toContain(`href="/plugins/pbs/datastores/"`)

    const row = await text(`/plugins/pbs/datastores/${vault}/?${here}`)
    expect(row).toContain('new')
    expect(row).toMatch(new RegExp(`href="/plugins/pbs/datastores/\\?${here}">Datastores`))
    expect(row).toMatch(new RegExp(`href="/plugins/pbs/namespaces/\\?[^"]*${here}"`))
    expect(row).toMatch(/alert-info.*href="\/plugins\/pbs\/datastores\/\d+\/">\s*Leave the branch/s)
  })

  test('leaves out what would change main, and shows what is not branched from main', async () => {
    const { id } = await staged('outside', null)
    const { schema_id } = (await branch(id)) ?? { schema_id: '' }
    expect(await text('/plugins/pbs/servers/')).toContain('Add a server')
    expect(await text(`/plugins/pbs/servers/?_branch=${schema_id}`)).not.toContain('Add a server')
    expect(await text(`/plugins/pbs/tasks/?_branch=${schema_id}`)).toContain(
      'Tasks are not branched: these are main’s.',
    )
    const missing = await writer.get(`/plugins/pbs/snapshots/999999/?_branch=${schema_id}`)
    expect(missing.status).toBe(404)
    expect(missing.text).toContain(`href="/plugins/pbs/snapshots/?_branch=${schema_id}"`)
  })
})
