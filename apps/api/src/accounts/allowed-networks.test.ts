import { expect, test } from 'vitest'
import { isAllowed, readNetwork } from './allowed-networks.ts'

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  [' 192.0.2.7 ', '192.0.2.7/32'],
  ['2001:DB8::/32', '2001:db8::/32'],
  ['::1', '::1/128'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['10.0.0.0/33', null],
  ['10.0.0.0/', null],
  ['10.0.0.0/-1', null],
  ['10.0.0.0/8/8', null],
  ['2001:db8::/129', null],
  ['fe80::1%eth0', null],
  ['10.0.0', null],
  ['pbs.example.com', null],
  ['', null],
])('%j is read as %j', (text, network) => {
  expect(readNetwork(text)).toBe(network)
})

test.each([
  [[], '203.0.113.1', true],
  [[], null, true],
  [['10.0.0.0/8'], '10.255.0.1', true],
  [['10.0.0.0/8'], '11.0.0.1', false],
  [['10.0.0.0/8', '192.0.2.7/32'], '192.0.2.7', true],
  [['10.0.0.0/8'], '::ffff:10.1.2.3', true],
  [['10.0.0.0/8'], '::ffff:11.1.2.3', false],
  [['2001:db8::/32'], '2001:db8:1::1', true],
  [['2001:db8::/32'], '2001:db9::1', false],
  [['2001:db8::/32'], '10.0.0.1', false],
  [['0.0.0.0/0'], '203.0.113.1', true],
  [['::/0'], '203.0.113.1', false],
  [['10.0.0.0/8'], null, false],
  [['0.0.0.0/0'], 'unknown', false],
] as const)('of the networks %j, %j is allowed: %s', (networks, address, allowed) => {
  expect(isAllowed(networks, address)).toBe(allowed)
})
