import { expect, test } from 'vitest'
import { pageNumbers } from './pager.tsx'

test.each([
  { count: 0, limit: 50, offset: 0, is: { from: 0, to: 0, current: 0, last: 0, offered: [0] } },
  { count: 1, limit: 50, offset: 0, is: { from: 1, to: 1, current: 0, last: 0, offered: [0] } },
  { count: 50, limit: 50, offset: 0, is: { from: 1, to: 50, current: 0, last: 0, offered: [0] } },
  { count: 51, limit: 50, offset: 50, is: { from: 51, to: 51, current: 1, last: 1, offered: [0, 1] } },
  { count: 200, limit: 50, offset: 0, is: { from: 1, to: 50, current: 0, last: 3, offered: [0, 1, 2, 3] } },
  { count: 500, limit: 50, offset: 0, is: { from: 1, to: 50, current: 0, last: 9, offered: [0, 1, 2, null, 9] } },
  {
    count: 500,
    limit: 50,
    offset: 250,
    is: { from: 251, to: 300, current: 5, last: 9, offered: [0, null, 3, 4, 5, 6, 7, null, 9] },
  },
  { count: 500, limit: 50, offset: 470, is: { from: 471, to: 500, current: 9, last: 9, offered: [0, null, 7, 8, 9] } },
  { count: 60, limit: 50, offset: 1000, is: { from: 0, to: 0, current: 1, last: 1, offered: [0, 1] } },
])('$count rows by $limit from $offset', ({ is, ...list }) => {
  expect(pageNumbers(list)).toEqual(is)
})
