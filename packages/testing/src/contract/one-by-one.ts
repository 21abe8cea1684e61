import type { Actor } from '@netbox-pbs/core'
import {
  InventoryWrites,
  RowNotFound,
  type RowRemoval,
  type RowUpdate,
  type WritableModel,
} from '@netbox-pbs/core/ports'
import { Effect } from 'effect'

interface Written {
  readonly model: WritableModel
  readonly actor: Actor
}

/** Whether there was the row. */
const found = <E>(write: Effect.Effect<void, E>) =>
  Effect.as(write, true).pipe(
    Effect.catchIf(
      (error): error is E & RowNotFound => error instanceof RowNotFound,
      () => Effect.succeed(false),
    ),
  )

/** The writes of an inventory that change or delete one row each; false: there is no such row. */
export const oneByOne = (writes: InventoryWrites['Type']) => ({
  create: writes.create,
  update: ({ model, actor, ...row }: Written & RowUpdate) => found(writes.update({ model, actor, rows: [row] })),
  remove: ({ model, actor, ...row }: Written & RowRemoval) => found(writes.remove({ model, actor, rows: [row] })),
  pendingSince: writes.pendingSince,
})

/** The result of `oneByOne`. */
export type OneByOne = ReturnType<typeof oneByOne>

/** The same of main. */
export const writesOneByOne = Effect.map(InventoryWrites, oneByOne)
