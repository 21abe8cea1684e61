import type { UsagePoint } from '@netbox-pbs/core'
import { expect, test } from 'vitest'
import { sparkline, UsageHistory } from './usage-history.tsx'

const point = (time: string, used_bytes: number, total_bytes = 100): UsagePoint => ({
  time: `2026-05-${time}:00:00Z`,
  used_bytes,
  total_bytes,
})

test.each<[string, ReadonlyArray<UsagePoint>, string]>([
  ['one point', [point('01T00', 50)], 'M0,40L0,40'],
  ['a line', [point('01T00', 0), point('01T06', 50), point('01T12', 100)], 'M0,80L0,80L300,40L600,0'],
  [
    'a line with a gap',
    [point('01T00', 0), point('01T06', 50), point('01T18', 50), point('02T00', 100)],
    'M0,80L0,80L150,40M450,40L450,40L600,0',
  ],
  ['more than all', [point('01T00', 150)], 'M0,0L0,0'],
])('%s', (_, points, path) => {
  expect(sparkline(points)).toBe(path)
})

test('the picture says in words what it shows', () => {
  const text = String(
    <UsageHistory points={[point('03T00', 60), point('02T00', 90), point('01T00', 0, 0), point('01T06', 20)]} />,
  )
  const summary = 'From 20 % on 2026-05-01 to 60 % on 2026-05-03, at most 90 %.'
  expect(text).toContain(`<title id="usage-history-title">Usage over time. ${summary}</title>`)
  expect(text).toContain('role="img"')
  expect(text).toContain(`<p class="text-secondary mb-0">${summary}</p>`)
  expect(text).not.toContain('style=')
})

test('without points there is none', () => {
  expect(UsageHistory({ points: [] })).toBeNull()
})
