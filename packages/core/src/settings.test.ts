import { describe, expect, test } from 'vitest'
import { defaultSettings, Settings } from './settings.ts'

test('the defaults are settings', () => {
  expect(Settings.parse(defaultSettings)).toEqual(defaultSettings)
})

describe('settings', () => {
  test.each([
    ['proxbox_api_url', 'https://gateway.example.org:8800/base'],
    ['proxbox_api_url', ''],
    ['guard_max_share', 0],
    ['guard_max_share', 1],
    ['sync_interval_minutes', 0],
    ['branch_on_conflict', 'overwrite'],
  ])('take %s %j', (field, value) => {
    expect(Settings.safeParse({ ...defaultSettings, [field]: value }).success).toBe(true)
  })

  test.each([
    ['proxbox_api_url', 'ftp://gateway.example.org'],
    ['proxbox_api_url', 'gateway'],
    ['guard_max_share', 1.01],
    ['guard_max_share', -0.1],
    ['guard_min_rows', 0.5],
    ['sync_interval_minutes', -1],
    ['sync_interval_minutes', 525_601],
    ['branch_on_conflict', 'ask'],
    ['branch_name_prefix', ''],
    ['proxbox_api_key', 'secret'],
  ])('refuse %s %j', (field, value) => {
    expect(Settings.safeParse({ ...defaultSettings, [field]: value }).success).toBe(false)
  })
})
