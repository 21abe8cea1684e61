import { Effect } from 'effect'
import { describe, expect, test } from 'vitest'
import { readFlags, readListenFlags } from './flags.ts'

const options = { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'string', default: '80' } } as const
const usage = 'hello [--host] [--port]'

const read = (...args: ReadonlyArray<string>) =>
  Effect.runSync(Effect.either(Effect.flatMap(readFlags(args, options, usage), readListenFlags)))

const complaint = (...args: ReadonlyArray<string>): string => {
  const result = read(...args)
  return result._tag === 'Left' ? result.left.message : 'no complaint'
}

describe('flags', () => {
  test('take their defaults', () => {
    expect(read()).toMatchObject({ _tag: 'Right', right: { host: '127.0.0.1', port: 80 } })
  })

  test('are read in both spellings', () => {
    expect(read('--host=::1', '--port', '0')).toMatchObject({ right: { host: '::1', port: 0 } })
  })

  test.each([
    [['--prot', '1'], /^Unknown option '--prot'. Usage: hello \[--host\] \[--port\]$/],
    [['--port'], /^Option '--port <value>' argument missing. Usage: /],
    [['here'], /^Unexpected argument 'here'. .*Usage: /],
    [['--port', '65536'], /^--port 65536 is not a port; give a number from 0 to 65535\.$/],
    [['--port', '-1'], /^Option '--port' argument is ambiguous. Usage: /],
    [['--port', '1e3'], /^--port 1e3 is not a port; /],
    [['--host', ' '], /^--host is empty; /],
  ])('%j is refused with its name', (args, message) => {
    expect(complaint(...args)).toMatch(message)
  })
})
