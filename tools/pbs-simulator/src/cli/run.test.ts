import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { readFlags } from './run.ts'

const read = (args: ReadonlyArray<string>) =>
  Effect.runSync(Effect.match(readFlags(args), { onSuccess: (flags) => flags, onFailure: ({ message }) => message }))

describe('readFlags', () => {
  test('has defaults', () => {
    expect(read([])).toEqual({ servers: 3, snapshots: 2000, seed: 1, host: '127.0.0.1', port: 0 })
  })

  test('reads all flags', () => {
    const args = '--servers 2 --snapshots 9 --seed 4 --host ::1 --port 8007 --control-port 0 --profile 3.4 --evolve 5'
    expect(read(args.split(' '))).toEqual({
      servers: 2,
      snapshots: 9,
      seed: 4,
      host: '::1',
      port: 8007,
      controlPort: 0,
      profile: '3.4',
      evolve: 5,
    })
  })

  test.each([
    [
      ['--servers', '0'],
      /^option '--servers <number>' argument '0' is invalid. It must be a whole number from 1 to 200; /,
    ],
    [['--snapshots', '1e3'], /argument '1e3' is invalid. It must be a whole number from 0 to 100000000; /],
    [['--evolve', '0'], /argument '0' is invalid. It must be a whole number from 1 to 86400; /],
    [['--profile', '9.9'], /argument '9.9' is invalid. Allowed choices are 2.4, 3.1, (\d\.\d+, )+\d\.\d+; /],
    [['--port', '65535'], /^--port 65535 is too high for 3 servers: their ports would exceed 65535\.$/],
    [['--nonsense'], /^unknown option '--nonsense'; see "simulator --help"$/],
  ])('%j is refused', (args, message) => {
    expect(read(args)).toMatch(message)
  })
})
