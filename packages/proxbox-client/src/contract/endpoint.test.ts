import { expect, test } from 'vitest'
import { wrongHost } from './endpoint.ts'

test.each([
  ...['pbs', 'pbs-a.example.com', 'PBS.example.com.', 'pbs_1', '10.example', '3com.com', 'xn--bcher-kva.example'],
  ...['192.0.2.10', '127.0.0.1', '::1', '[::1]', '2001:db8::17', '::ffff:192.0.2.1'],
])('%j is a host', (host) => {
  expect(wrongHost(host)).toBeNull()
})

test.each([
  ['127.0.0.1:22', 'host 127.0.0.1, port 22'],
  ['pbs.example.com:8007', 'host pbs.example.com, port 8007'],
  ['[::1]:443', 'host [::1], port 443'],
  ['https://pbs.example.com:8007/', 'host pbs.example.com, port 8007'],
  ['https://pbs.example.com/#v1:0:18', 'host pbs.example.com, port 8007'],
  ['https://[2001:db8::17]:8008/api2/json', 'host [2001:db8::17], port 8008'],
  ['pbs.example.com/', 'host pbs.example.com, port 8007'],
])('%j is pasted whole: its parts are named', (host, parts) => {
  expect(wrongHost(host)).toBe(`must be a host name or an address, without scheme, port or path: ${parts}`)
})

test.each([
  ...['', ' ', 'a b', 'a..b', '.a', '-a', 'a-', '1.2.3', '1.2.3.4.5', '256.1.1.1', '127.1', '2130706433', '0x7f.1'],
  ...[
    ':',
    '::1::',
    '1:2',
    '[127.0.0.1]',
    '[pbs]',
    '[::1',
    'fe80::1%eth0',
    'root@pbs',
    'https://root@pbs',
    'a'.repeat(64),
  ],
])('%j is none', (host) => {
  expect(wrongHost(host)).toBe('must be a host name or an address, without scheme, port or path')
})
