import { Layer } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { engines, startTestApi, type TestApi } from '../support/test-api.ts'

const root = '/api/plugins/pbs'
const servers = `${root}/servers/`
const onServers = { object_types: ['netbox_pbs.pbsserver'] }

describe.each(engines)('filters by tags and custom fields (1, 2) on $engine', ({ database }) => {
  let api: TestApi
  let inBranch: string
  const made = async (path: string, body: unknown) => {
    const { status, json } = await api.ask('POST', path, { body })
    expect([status, json]).toEqual([201, expect.anything()])
    return json
  }
  const ask = (query: string, branch = false) =>
    api.ask('GET', `${servers}?${query}&fields=name&ordering=name`, {
      headers: branch ? { 'X-NetBox-Branch': inBranch } : {},
    })
  const names = async (query: string, branch = false): Promise<string> => {
    const { status, json, headers } = await ask(query, branch)
    expect([status, headers.get('x-ignored-parameters')]).toEqual([200, null])
    return json.results.map(({ name }: { name: string }) => name).join('')
  }

  beforeAll(async () => {
    api = await startTestApi(fakeGateway().layer, { database: Layer.fresh(database) })
    await made('/api/extras/tags/', [
      { name: 'Alpha', slug: 'alpha' },
      { name: 'Beta', slug: 'beta' },
      { name: 'Unused', slug: 'unused' },
    ])
    await made('/api/extras/custom-field-choice-sets/', {
      name: 'tiers',
      extra_choices: [
        ['gold', 'Gold'],
        ['silver', 'Silver'],
      ],
    })
    await made('/api/extras/custom-fields/', [
      { name: 'note', type: 'text', ...onServers },
      { name: 'code', type: 'text', filter_logic: 'exact', ...onServers },
      { name: 'hidden', type: 'text', filter_logic: 'disabled', ...onServers },
      { name: 'rank', type: 'integer', ...onServers },
      { name: 'share', type: 'decimal', ...onServers },
      { name: 'audited', type: 'boolean', ...onServers },
      { name: 'review_on', type: 'date', ...onServers },
      { name: 'seen_at', type: 'datetime', ...onServers },
      { name: 'tier', type: 'select', choice_set: 1, ...onServers },
      { name: 'tiers', type: 'multiselect', choice_set: 1, ...onServers },
      { name: 'facts', type: 'json', ...onServers },
    ])
    const row = (name: string, more: object) => ({ name, host: 'h', token_id: 'a@pbs!b', ...more })
    await made(servers, [
      row('a', {
        tags: [1, 2],
        custom_fields: {
          note: 'First one',
          code: 'X1',
          rank: 1,
          share: 0.5,
          audited: true,
          review_on: '2026-03-01',
          seen_at: '2026-03-01T10:00:00Z',
          tier: 'gold',
          tiers: ['gold', 'silver'],
        },
      }),
      row('b', { tags: [1], custom_fields: { note: 'second', code: 'x2', rank: 5, audited: false, tier: 'silver' } }),
      row('c', { custom_fields: { rank: null, note: '' } }),
      row('d', {}),
    ])
    inBranch = (await made(`${root}/branches/`, { name: 'filters' })).schema_id
    const headers = { 'X-NetBox-Branch': inBranch }
    const change = { add_tags: [2], custom_fields: { rank: 7, note: 'in the branch' } }
    expect((await api.ask('PATCH', `${servers}4/`, { body: change, headers })).status).toBe(200)
  })
  afterAll(() => api.stop())

  test.each([
    ['tag=alpha', 'ab'],
    ['tag=alpha&tag=beta', 'a'],
    ['tag__any=alpha&tag__any=beta', 'ab'],
    ['tag__n=beta', 'bcd'],
    ['tag__n=alpha&tag__n=beta', 'cd'],
    ['tag_id=2', 'a'],
    ['tag_id__n=1', 'cd'],
    ['tag_id__any=1&tag_id__any=2', 'ab'],
    ['tag=unused', ''],
    ['tag=null', 'cd'],
    ['tag=alpha&cf_rank=5', 'b'],
    ['cf_note=FIRST', 'a'],
    ['cf_note=second&cf_note=one', 'ab'],
    ['cf_code=X1', 'a'],
    ['cf_code=x1', ''],
    ['cf_code__ie=x1', 'a'],
    ['cf_code__ic=x', 'ab'],
    ['cf_code__n=X1', 'bcd'],
    ['cf_code__nic=x', 'cd'],
    ['cf_code__isw=x', 'ab'],
    ['cf_code__regex=^x', 'b'],
    ['cf_code__empty=true', 'cd'],
    ['cf_code__empty=false', 'ab'],
    ['cf_code=null', 'cd'],
    ['cf_rank=1&cf_rank=5', 'ab'],
    ['cf_rank__n=1', 'bcd'],
    ['cf_rank__gt=1', 'b'],
    ['cf_rank__gte=1', 'ab'],
    ['cf_rank__lt=5', 'acd'],
    ['cf_rank__lte=1', 'acd'],
    ['cf_rank__empty=true', 'cd'],
    ['cf_share=0.50', 'a'],
    ['cf_share__gt=0.4', 'a'],
    ['cf_audited=true', 'a'],
    ['cf_audited=False', 'b'],
    ['cf_review_on=2026-03-01', 'a'],
    ['cf_review_on__gte=2026-02-01', 'a'],
    ['cf_review_on__lt=2026-03-01', 'bcd'],
    ['cf_review_on__empty=false', 'a'],
    ['cf_seen_at=2026-03-01T11:00:00%2B01:00', 'a'],
    ['cf_seen_at__gt=2026-03-01', 'a'],
    ['cf_tier=gold', 'a'],
    ['cf_tier=gold&cf_tier=silver', 'ab'],
    ['cf_tier__n=gold', 'bcd'],
    ['cf_tier=bogus', ''],
    ['cf_tiers=silver', 'a'],
    ['cf_note=', 'abcd'],
  ])('%s finds %j', async (query, found) => {
    expect(await names(query)).toBe(found)
  })

  test.each([
    ['tag=nope', 'tag', 'Select a valid choice. nope is not one of the available choices.'],
    ['tag=Alpha', 'tag', 'Select a valid choice. Alpha is not one of the available choices.'],
    ['tag=', 'tag', 'Select a valid choice.  is not one of the available choices.'],
    ['tag_id=999', 'tag_id', 'Select a valid choice. 999 is not one of the available choices.'],
    ['tag_id__n=abc', 'tag_id__n', '“abc” is not a valid value.'],
    ['cf_rank=high', 'cf_rank', 'Enter a whole number.'],
    ['cf_share=much', 'cf_share', 'Enter a number.'],
    ['cf_review_on=soon', 'cf_review_on', 'Enter a valid date.'],
    ['cf_seen_at=soon', 'cf_seen_at', 'Enter a valid date/time.'],
    ['cf_code__regex=(', 'cf_code__regex', expect.stringContaining('regular expression')],
  ])('%s is refused', async (query, parameter, message) => {
    const { status, json } = await ask(query)
    expect([status, json]).toEqual([400, { [parameter]: [message] }])
  })

  test.each(['cf_nope=1', 'cf_hidden=1', 'cf_facts=1', 'cf_note__ic=x', 'cf_tiers__n=gold', 'tags=alpha', 'tag__ic=a'])(
    '%s is ignored, and named as ignored',
    async (query) => {
      const { status, json, headers } = await ask(query)
      expect([status, json.count, headers.get('x-ignored-parameters')]).toEqual([200, 4, query.split('=')[0]])
    },
  )

  test.each([
    ['tag=beta', 'ad'],
    ['tag__n=beta', 'bc'],
    ['cf_rank__gt=4', 'bd'],
    ['cf_rank__empty=true', 'c'],
    ['cf_note=branch', 'd'],
    ['cf_note=first', 'a'],
  ])('in a branch %s finds %j', async (query, found) => {
    expect(await names(query, true)).toBe(found)
  })

  test('definitions are listed by the same grammar', async () => {
    const count = async (query: string) => (await api.ask('GET', `/api/extras/${query}`)).json.count
    expect(await count('tags/?slug__isw=al')).toBe(1)
    expect(await count('tags/?name__n=Alpha')).toBe(2)
    expect(await count('custom-fields/?type=text&name__ic=o')).toBe(2)
    expect(await count('custom-fields/?required=true')).toBe(0)
    expect(await count('custom-field-choice-sets/?q=TIER')).toBe(1)
  })
})
