import { describe, expect, test } from 'vitest'
import { defaultSettings, Settings } from './settings.ts'

test('the defaults are settings', () => {
  expect(Settings.parse(defaultSettings)).toEqual(defaultSettings)
})

describe('settings', () => {
  test.each([
    ['proxbox_api_url', 'https://gateway.example.org:8800/base'],
    ['proxbox_api_url', ''],
    ['proxbox_api_url', 'http://[fd00::1]:8800'],
    ['proxbox_api_url', 'http://10.169.254.1/'],
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
    ['proxbox_api_url', 'http:gateway'],
    ['proxbox_api_url', 'http://'],
    ['proxbox_api_url', 'http://user@gateway'],
    ['proxbox_api_url', 'http://user:password@gateway'],
    ['proxbox_api_url', 'http://gateway/?'],
    ['proxbox_api_url', 'http://gateway/?a=b'],
    ['proxbox_api_url', 'http://gateway/#'],
    ['proxbox_api_url', 'http://gateway '],
    ['proxbox_api_url', ' http://gateway'],
    ['proxbox_api_url', 'http://gate\nway'],
    ['proxbox_api_url', 'http://gateway/\u0000'],
    ['proxbox_api_url', `http://gateway/${'a'.repeat(2000)}`],
    ['proxbox_api_url', 'http://169.254.169.254/latest'],
    ['proxbox_api_url', 'http://2852039166/'],
    ['proxbox_api_url', 'http://0xA9.0xFE.1/'],
    ['proxbox_api_url', 'http://[fe80::1]:8800'],
    ['proxbox_api_url', 'http://[::ffff:169.254.169.254]'],
    ['proxbox_api_url', 'http://[fd00:ec2::254]'],
    ['proxbox_api_url', 'http://metadata.google.internal/'],
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
