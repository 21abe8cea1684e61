import { describe, expect, test } from 'vitest'
import { parseFlags } from './parse-flags.ts'

describe('parseFlags', () => {
  test('has defaults', () => {
    expect(parseFlags([])).toEqual({
      ok: true,
      flags: {
        servers: 3,
        snapshots: 2000,
        seed: 1,
        host: '127.0.0.1',
        port: 0,
        controlPort: null,
        profile: null,
        evolveSeconds: null,
        help: false,
      },
    })
  })

  test('reads all flags', () => {
    const args = '--servers 2 --snapshots 9 --seed 4 --host ::1 --port 8007 --control-port 0 --profile 3.4 --evolve 5'
    expect(parseFlags(args.split(' '))).toMatchObject({
      flags: {
        servers: 2,
        snapshots: 9,
        seed: 4,
        host: '::1',
        port: 8007,
        controlPort: 0,
        profile: '3.4',
        evolveSeconds: 5,
      },
    })
  })

  test.each([
    [['--servers', '0'], "--servers must be a whole number from 1 to 200, not '0'."],
    [['--snapshots', '1e3'], "--snapshots must be a whole number from 0 to 100000000, not '1e3'."],
    [['--evolve', '0'], "--evolve must be a whole number from 1 to 86400, not '0'."],
    [['--profile', '9.9'], "--profile must be one of 2.4, 3.1, 3.2, 3.3, 3.4, 4.0, 4.1, 4.2, not '9.9'."],
    [['--port', '65535'], '--port 65535 is too high for 3 servers: their ports would exceed 65535.'],
    [['--nonsense'], "Unknown option '--nonsense'"],
  ])('%j is refused', (args, message) => {
    expect(parseFlags(args)).toEqual({ ok: false, message })
  })
})
