import { SettingsStore } from '@netbox-pbs/core/ports'
import { defaultSettings } from '@netbox-pbs/core/settings'
import { Effect, Option, Redacted } from 'effect'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { settingGroups } from '../../src/pages/settings/settings-form.tsx'
import { settingFields } from '../../src/settings/setting-fields.ts'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

let site: Site
beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
})
afterAll(() => site.stop())

test('the page that the settings name in display_url shows each of them to a reader, and never the key', async () => {
  const change = {
    proxbox_api_url: 'http://127.0.0.1:8800',
    proxbox_api_key: Redacted.make('the-key-of-the-gateway'),
    guard_max_share: 0.25,
    branching_enabled: true,
  }
  await site.use(Effect.flatMap(SettingsStore, (settings) => settings.update(change)))
  const answer = await fetch(`${site.url}/api/plugins/pbs/settings/`, {
    headers: { Authorization: `Bearer ${tokens.reader}` },
  })
  const { display_url, ...settings } = (await answer.json()) as { display_url: string } // border: the test reads what it asserts
  const visitor = await new Visitor(site.url).signIn(tokens.reader)
  const { status, text } = await visitor.get(new URL(display_url).pathname)
  expect(status).toBe(200)
  const shown = Object.fromEntries(
    [...text.matchAll(/<th scope="row">([^<]*)<\/th><td[^>]*>(.*?)<\/td>/g)].map(([, label, value]) => [label, value]),
  )
  expect(shown).toMatchObject({
    'Proxbox API URL': 'http://127.0.0.1:8800',
    'Proxbox API key configured': 'Yes',
    'Branching enabled': 'Yes',
    'Branch approval required': 'No',
    'Guard max share': '0.25',
    'Sync interval minutes': '60',
  })
  const values = Object.keys(settings).filter(
    (name) => !['id', 'url', 'display', 'created', 'last_updated'].includes(name),
  )
  expect(Object.keys(shown)).toHaveLength(values.length)
  expect(text).not.toContain('the-key-of-the-gateway')
  expect(text).not.toContain('<form class="card')
  expect(text).toContain('Minutes between two syncs')
})

describe('the form of those who may change them', () => {
  const page = '/plugins/pbs/settings/'
  let writer: Visitor
  let form_token: string
  const stored = () => site.use(Effect.flatMap(SettingsStore, (settings) => settings.get()))
  const storedKey = () =>
    site
      .use(Effect.flatMap(SettingsStore, (settings) => settings.proxboxApiKey()))
      .then((key) => Option.getOrNull(Option.map(key, Redacted.value)))

  /** The form as a browser sends it: what it shows, with changes; null: a box without its tick. */
  const filled = async (change: Readonly<Record<string, string | null>> = {}) => {
    const { text } = await writer.get(page)
    const form = text.slice(text.indexOf('<form class="card'))
    const shown = new Map<string, string>()
    for (const [tag] of form.matchAll(/<input [^>]*>/g)) {
      const of = (name: string) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
      if (of('type') !== 'checkbox' || / checked/.test(tag)) shown.set(of('name'), of('value'))
    }
    for (const [, name = '', value = ''] of form.matchAll(/<textarea [^>]*name="([^"]*)"[^>]*>([^<]*)<\/textarea>/g))
      shown.set(name, value)
    for (const [, name = '', options = ''] of form.matchAll(/<select [^>]*name="([^"]*)"[^>]*>(.*?)<\/select>/g))
      shown.set(name, /value="([^"]*)" selected/.exec(options)?.[1] ?? '')
    for (const [name, value] of Object.entries(change)) {
      if (value === null) shown.delete(name)
      else shown.set(name, value)
    }
    return Object.fromEntries(shown)
  }

  beforeAll(async () => {
    writer = await new Visitor(site.url).signIn(tokens.writer)
    form_token = await writer.formToken()
  })

  test('has every setting that a PATCH takes, once', () => {
    const names = settingGroups.flatMap((group) => group.names)
    expect(names.toSorted()).toEqual(Object.keys(settingFields).toSorted())
    expect(Object.keys(settingFields).toSorted()).toEqual(
      [...Object.keys(defaultSettings), 'proxbox_api_key'].toSorted(),
    )
  })

  test('sent as it is it changes nothing', async () => {
    const before = await stored()
    const { status, headers } = await writer.send(page, await filled())
    expect([status, headers.get('location')]).toEqual([303, page])
    expect(await stored()).toEqual({ ...before, last_updated: expect.any(String) })
    expect(await storedKey()).toBe('the-key-of-the-gateway')
  })

  test('stores a value of each kind', async () => {
    const change = {
      sync_schedule: '30 2 * * *',
      guard_max_share: '0.5',
      sync_interval_minutes: '15',
      branching_enabled: null,
      branch_on_conflict: 'overwrite',
      webhook_allowed_networks: '10.1.0.0/16\r\nfd00:1::/64\r\n',
    }
    expect((await writer.send(page, await filled(change))).status).toBe(303)
    expect(await stored()).toMatchObject({
      sync_schedule: '30 2 * * *',
      guard_max_share: 0.5,
      sync_interval_minutes: 15,
      branching_enabled: false,
      branch_on_conflict: 'overwrite',
      webhook_allowed_networks: ['10.1.0.0/16', 'fd00:1::/64'],
      branch_name_prefix: 'pbs-sync',
    })
    const { text } = await writer.get('/plugins/pbs/settings/')
    expect(text).toContain('10.1.0.0/16\nfd00:1::/64</textarea>')
  })

  test('says at the field what is wrong, keeps what was typed, and stores nothing', async () => {
    const before = await stored()
    const answer = await writer.send(
      page,
      await filled({
        sync_schedule: 'each "night"',
        sync_interval_minutes: 'ten',
        guard_max_share: '1,5',
        guard_min_rows: '-1',
        webhook_allowed_networks: '10.0.0.1/99',
        branch_name_prefix: '',
        branching_enabled: 'true',
        proxbox_api_key: 'another-key',
      }),
    )
    expect(answer.status).toBe(400)
    expect(answer.text).toContain('id="sync_schedule-error">Enter a cron expression in UTC')
    expect(answer.text).toContain('id="sync_interval_minutes-error">A valid number is required.')
    expect(answer.text).toContain('id="guard_max_share-error">A valid number is required.')
    expect(answer.text).toContain('id="guard_min_rows-error">Ensure this value is greater than or equal to 0.')
    expect(answer.text).toContain('id="webhook_allowed_networks-error">Enter networks like')
    expect(answer.text).toContain('id="branch_name_prefix-error">This field may not be blank.')
    expect(answer.text).toContain('value="each &quot;night&quot;"')
    expect(answer.text).toMatch(/name="branching_enabled" value="true" checked/)
    expect(answer.text).not.toContain('another-key')
    expect(await stored()).toEqual(before)

    const kept_secret = /name="kept_secret" value="([^"]+)"/.exec(answer.text)?.[1] ?? ''
    expect((await writer.send(page, await filled({ kept_secret }))).status).toBe(303)
    expect(await storedKey()).toBe('another-key')
  })

  test('asks for the key with a new address, and removes a key only where that is ticked', async () => {
    const moved = await writer.send(page, await filled({ proxbox_api_url: 'http://127.0.0.1:8801' }))
    expect([moved.status, moved.text.includes('id="proxbox_api_key-error">Send the key of the gateway')]).toEqual([
      400,
      true,
    ])
    expect((await writer.send(page, await filled({ remove_proxbox_api_key: 'true' }))).status).toBe(303)
    expect(await storedKey()).toBe(null)
    expect((await writer.get(page)).text).not.toContain('remove_proxbox_api_key')
  })

  test('does not overwrite what another user has changed since it was opened', async () => {
    const mine = await filled({ guard_min_rows: '7' })
    await site.use(Effect.flatMap(SettingsStore, (settings) => settings.update({ guard_min_rows: 99 })))
    const answer = await writer.send(page, mine)
    expect([answer.status, answer.text.includes('after this page was opened, and nothing was stored')]).toEqual([
      409,
      true,
    ])
    expect(await stored()).toMatchObject({ guard_min_rows: 99 })
    const version = /name="version" value="([^"]+)"/.exec(answer.text)?.[1] ?? ''
    expect((await writer.send(page, { ...mine, version })).status).toBe(303)
    expect(await stored()).toMatchObject({ guard_min_rows: 7 })
  })

  test('is refused to a reader, and without the token of its session', async () => {
    const reader = await new Visitor(site.url).signIn(tokens.reader)
    const before = await stored()
    const change = { guard_min_rows: '1', version: before.last_updated }
    const own = await reader.formToken()
    expect((await reader.send(page, { ...change, form_token: own })).status).toBe(403)
    expect((await writer.send(page, { ...change, form_token: own })).status).toBe(403)
    expect(await stored()).toEqual(before)
    expect(form_token).not.toBe(own)
  })
})
