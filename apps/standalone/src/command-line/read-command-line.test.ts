import { Effect } from 'effect'
import { expect, test } from 'vitest'
import { readCommandLine } from './read-command-line.ts'

const complaint = (line: string): string =>
  Effect.runSync(
    Effect.match(readCommandLine(line === '' ? [] : line.split(' ')), {
      onSuccess: () => 'fine',
      onFailure: ({ message }) => message,
    }),
  )

test.each([
  ['', 'say what to do: "netbox-pbs --help" lists the commands'],
  ['token', 'say what to do: "netbox-pbs token --help" lists the commands'],
  ['begin', 'unknown command \'begin\'; see "netbox-pbs --help"'],
  ['start --prt 1', 'unknown option \'--prt\' (Did you mean --port?); see "netbox-pbs start --help"'],
  ['start 8000', expect.stringMatching(/^too many arguments for 'start'/)],
  ['start --port', expect.stringMatching(/^option '--port <port>' argument missing; /)],
  [
    'start --port http',
    expect.stringMatching(
      /^option '--port <port>' argument 'http' is invalid. It must be a whole number from 0 to 65535; /,
    ),
  ],
  ['start --gateway-port 65536', expect.stringMatching(/^option '--gateway-port <port>' argument '65536' is invalid/)],
  ['start --port 1e3', expect.stringMatching(/^option '--port <port>' argument '1e3' is invalid/)],
  [
    'start --port 8800',
    expect.stringMatching(/^options '--port' and '--gateway-port' are both 8800: choose another for one of them; /),
  ],
  [
    'start --host= ',
    expect.stringMatching(/^option '--host <address>' argument '' is invalid. It must not be empty; /),
  ],
  ['start --data-dir= ', expect.stringMatching(/^option '--data-dir <folder>' argument '' is invalid/)],
  ['start --allowed-host http://x', expect.stringMatching(/It must be a name without scheme, port or path; /)],
  ['start --demo --demo-servers 0', expect.stringMatching(/It must be a whole number from 1 to 100; /)],
  [
    'start --demo --demo-snapshots -1',
    expect.stringMatching(/^option '--demo-snapshots <number>' argument '-1' is invalid/),
  ],
  ['start --demo --seed x', expect.stringMatching(/^option '--seed <number>' argument 'x' is invalid/)],
  ['start --seed 4', expect.stringMatching(/^option '--seed' goes with --demo: add it, or leave --seed out; /)],
  ['server test', expect.stringMatching(/^missing required argument 'name'; see "netbox-pbs server test --help"/)],
  ['server test pbs-a --yes', expect.stringMatching(/^option '--yes' goes with --pin: add it, or leave --yes out; /)],
  ['server add pbs-a', expect.stringMatching(/^required option '--host <host>' not specified; /)],
  ['server add pbs-a --host h --token-id t --port 0', expect.stringMatching(/^option '--port <port>' argument '0'/)],
  ['server set pbs-a', 'nothing to change: "netbox-pbs server set --help" lists the flags'],
  ['token revoke last', expect.stringMatching(/^command-argument value 'last' is invalid for argument 'id'/)],
  ['token create --expires soon', expect.stringMatching(/It must be a time like 2027-01-01T00:00:00Z; /)],
  ['backup', expect.stringMatching(/^missing required argument 'file'; see "netbox-pbs backup --help"/)],
  ['restore a --yes', expect.stringMatching(/^option '--yes' goes with --force: add it, or leave --yes out; /)],
  ['migrate --data-dir', expect.stringMatching(/^option '--data-dir <folder>' argument missing; /)],
])('%j is refused', (line, message) => {
  expect(complaint(line.trim())).toEqual(message)
})

test.each([
  'start',
  'start --demo --demo-servers 2 --demo-snapshots 0 --seed 0 --port 0 --gateway-port 0',
  'start --host :: --allowed-host inventory.example.com --allowed-host .example.org --data-dir /srv/inventory',
  'token create --read-only --expires 2027-01-01T00:00:00Z',
  'sync --resource snapshots jobs --server pbs-a',
  'server list --url http://127.0.0.1:8000 --token-file -',
])('%j is understood', (line) => {
  expect(complaint(line)).toBe('fine')
})
