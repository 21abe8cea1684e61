import { expect, test } from 'vitest'
import { SystemProcess } from './support/process.ts'

const simulation = async (...args: ReadonlyArray<string>) => {
  const { code, stdout, stderr } = await SystemProcess.start('simulate', args).outcome()
  return { code, lines: stdout.trim().split('\n'), stderr }
}

test('a seed keeps every promise, and gives the same trace when it is run again', { timeout: 400_000 }, async () => {
  const { code, lines, stderr } = await simulation('--seed', '2', '--steps', '4', '--twice')
  expect({ code, stderr, faults: lines.filter((line) => line.startsWith('FAULT')) }).toEqual({
    code: 0,
    stderr: '',
    faults: [],
  })
  expect(lines[0]).toMatch(/^seed 2: 6 steps in [\d.]+ s, trace [0-9a-f]{16}$/)
})

test('a gateway that takes a failed list for an empty one is found, and the report says how to repeat it', {
  timeout: 400_000,
}, async () => {
  const { code, lines } = await simulation('--seed', '2', '--steps', '6', '--broken', 'failed-is-empty')
  expect(code).toBe(1)
  expect(lines).toContainEqual(expect.stringMatching(/^FAULT .+/))
  expect(lines).toContain('Repeat it: npx -y pnpm@12.21.0 simulate --seed 2 --steps 6 --broken failed-is-empty')
})
