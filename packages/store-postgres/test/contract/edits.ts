import type { Actor } from '@netbox-pbs/core'
import { type OneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'

type Unsigned<F extends (request: never) => unknown> = Omit<Parameters<F>[0], 'actor'>

/** A person in a request of this number. */
export const ada = (request: number): Actor => ({
  user: 'ada',
  requestId: `5c0f2f7e-0000-4000-8000-${String(request).padStart(12, '0')}`,
})

let requests = 1000

/** The port with a request of its own for every call, for tests in which the author does not matter. */
export const edits = Effect.map(writesOneByOne, (writes) => ({
  create: (request: Unsigned<OneByOne['create']>) => writes.create({ ...request, actor: ada(requests++) }),
  update: (request: Unsigned<OneByOne['update']>) => writes.update({ ...request, actor: ada(requests++) }),
  remove: (request: Unsigned<OneByOne['remove']>) => writes.remove({ ...request, actor: ada(requests++) }),
  pendingSince: writes.pendingSince,
}))
