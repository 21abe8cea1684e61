import { describe, expect, test } from 'vitest'
import { addressRule, guardedLookup, literalAddress, TargetRefused } from './target-address.ts'

describe('without allowed networks', () => {
  const isAllowed = addressRule([])
  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '168.63.129.16',
    '100.100.100.200',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '192.0.2.1',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    'fc00::1',
    'ff02::1',
    'fec0::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
  ])('%s is refused', (address) => {
    expect(isAllowed(address)).toBe(false)
  })

  test.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '193.0.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is allowed',
    (address) => {
      expect(isAllowed(address)).toBe(true)
    },
  )
})

test('allows the named networks, and no others', () => {
  const isAllowed = addressRule(['10.1.0.0/16', '127.0.0.1/32', 'fd00:1::/64'])
  expect(['10.1.2.3', '127.0.0.1', 'fd00:1::5'].map(isAllowed)).toEqual([true, true, true])
  expect(['10.2.0.1', '127.0.0.2', 'fd00:1:0:1::5'].map(isAllowed)).toEqual([false, false, false])
})

test.each([
  ['http://127.0.0.1/', '127.0.0.1'],
  ['http://2130706433/', '127.0.0.1'],
  ['http://0x7f.1/', '127.0.0.1'],
  ['http://[::1]:80/', '::1'],
  ['http://[::ffff:7f00:1]/', '::ffff:7f00:1'],
  ['http://localhost/', null],
])('the host of %s is the address %j', (url, address) => {
  expect(literalAddress(new URL(url))).toBe(address)
})

describe('the look-up of a connection', () => {
  const look = (allowed: ReadonlyArray<string>, all: boolean) =>
    new Promise((resolve) => {
      guardedLookup(addressRule(allowed))('localhost', { all }, (error, address) => resolve(error ?? address))
    })

  test('gives only addresses that pass, in the form that was asked for', async () => {
    expect(await look(['127.0.0.0/8'], true)).toEqual([{ address: '127.0.0.1', family: 4 }])
    expect(await look(['127.0.0.0/8'], false)).toBe('127.0.0.1')
  })

  test('fails for a name without one', async () => {
    expect(await look([], true)).toBeInstanceOf(TargetRefused)
    expect(await look(['10.0.0.0/8'], false)).toBeInstanceOf(TargetRefused)
  })
})
