import { afterEach, expect, test, vi } from 'vitest'
import { complain, say, table } from './terminal.ts'

afterEach(() => vi.restoreAllMocks())

const hostile = '4.2\u001b]0;pwned\u0007\u001b[2J\r\u009b31m\u202e'

test('no text of a server reaches the terminal as a command, whoever prints it', () => {
  const written: Array<string> = []
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0)
  }
  say(hostile)
  complain(hostile)
  say(
    table([
      ['name', 'version'],
      [`a\nb`, hostile],
    ]),
  )
  expect(written.join('')).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
  expect(written[0]).toBe('4.2\\u{1b}]0;pwned\\u{7}\\u{1b}[2J\\u{d}\\u{9b}31m\\u{202e}\n')
  // A line of the result is a line of the table.
  expect(written[2]?.split('\n')).toHaveLength(3)
})
