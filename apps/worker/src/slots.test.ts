import { expect, test } from 'vitest'
import { Slots } from './slots.ts'

const minute = 60_000
const drip = 7
const begin = (slots: Slots, server: number, now: number) => {
  const slot = slots.take(now)
  slot?.use(server, now)
  return slot
}

test('a slot is free until so many jobs run', () => {
  const slots = new Slots({ concurrency: 2, slowAfter: minute })
  const first = begin(slots, 1, 0)
  expect(begin(slots, 2, 0)).not.toBe(null)
  expect(slots.take(0)).toBe(null)
  first?.free(1)
  expect(slots.take(1)).not.toBe(null)
})

test('a server whose job took long does not get the last free slot, until a job of it takes less', () => {
  const slots = new Slots({ concurrency: 2, slowAfter: minute })
  begin(slots, drip, 0)?.free(minute)
  expect(slots.take(minute)?.avoid).toEqual([])
  const last = slots.take(minute)
  expect(last?.avoid).toEqual([drip])
  last?.free(minute)
  const quick = new Slots({ concurrency: 2, slowAfter: minute })
  begin(quick, drip, 0)?.free(minute)
  begin(quick, drip, minute)?.free(minute + 1)
  quick.take(minute)
  expect(quick.take(minute)?.avoid).toEqual([])
})

test('while slow jobs hold every slot there is one more, for other servers', () => {
  const slots = new Slots({ concurrency: 2, slowAfter: minute })
  begin(slots, 1, 0)
  begin(slots, 2, 10)
  expect(slots.take(minute)).toBe(null)
  const spare = slots.take(minute + 10)
  expect(spare?.avoid).toEqual([1, 2])
  expect(slots.take(minute + 10)).toBe(null)
})

test('a worker of one slot takes any job', () => {
  const slots = new Slots({ concurrency: 1, slowAfter: minute })
  begin(slots, drip, 0)?.free(minute)
  expect(slots.take(minute)?.avoid).toEqual([])
})
