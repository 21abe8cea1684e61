import { SettingsStore } from '@netbox-pbs/core/ports'
import { Effect, Redacted } from 'effect'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeGateway } from '../support/fake-gateway.ts'
import { type Site, startSite, tokens } from './site.ts'
import { Visitor } from './visitor.ts'

let site: Site
beforeAll(async () => {
  site = await startSite(fakeGateway().layer)
})
afterAll(() => site.stop())

test('the page that the settings name in display_url shows each of them, and never the key', async () => {
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
})
