import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SystemProcess } from './support/process.ts'

const simulation = async (...args: ReadonlyArray<string>) => {
  const { code, stdout, stderr } = await SystemProcess.start('simulate', args).outcome()
  return { code, lines: stdout.trim().split('\n'), stderr }
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'netbox-pbs-simulate-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a seed keeps every promise, and gives the same trace when it is run again', { timeout: 400_000 }, async () => {
  const { code, lines, stderr } = await simulation('--seed', '2', '--steps', '4', '--twice')
  expect({ code, stderr, faults: lines.filter((line) => line.startsWith('FAULT')) }).toEqual({
    code: 0,
    stderr: '',
    faults: [],
  })
  expect(lines[0]).toMatch(/^seed 2: 6 steps in [\d.]+ s, trace [0-9a-f]{16}$/)
})

test('seeds in processes of their own give the traces of one process, and a run that is started again goes on', {
  timeout: 400_000,
}, async () => {
  const many = ['--seeds', '2..3', '--steps', '2', '--results', join(folder, 'seeds.jsonl')]
  const first = await simulation(...many)
  expect(first).toMatchObject({ code: 0, stderr: '' })
  expect(first.lines.at(-1)).toMatch(/^2 seeds, 8 steps, 0 with faults, /)
  const again = await simulation(...many)
  expect(again.lines.slice(0, 2).sort()).toEqual(first.lines.slice(0, 2).sort())
  expect(again.lines.at(-1)).toMatch(/^2 seeds, 8 steps, 0 with faults, .* 0\.0 steps\/s/)
  const alone = await simulation('--seed', '3', '--steps', '2')
  const traceOf = (lines: ReadonlyArray<string>) => lines.find((line) => line.startsWith('seed 3:'))?.split(', ')[1]
  expect(traceOf(alone.lines)).toBe(traceOf(first.lines))
})

test('a gateway that takes a failed list for an empty one is found, and the report says how to repeat it', {
  timeout: 400_000,
}, async () => {
  const { code, lines } = await simulation('--seed', '2', '--steps', '30', '--broken', 'failed-is-empty')
  expect(code).toBe(1)
  expect(lines).toContainEqual(expect.stringMatching(/^FAULT .+/))
  expect(lines).toContain('Repeat it: npx -y pnpm@12.21.0 simulate --seed 2 --steps 30 --broken failed-is-empty')
})
