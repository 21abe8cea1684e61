import { Branches, type EditValues, type WritableModel } from '@netbox-pbs/core/ports'
import { type OneByOne, oneByOne, writesOneByOne } from '@netbox-pbs/testing'
import { Effect } from 'effect'
import { actor, newBranch, rows } from './branching.ts'

/** The edits of a person, of main or in a branch, with the same names for both. */
const editsOf = (writes: OneByOne) => ({
  create: (model: WritableModel, ...of: ReadonlyArray<EditValues>) => writes.create({ model, rows: of, actor }),
  update: (model: WritableModel, id: number, values: EditValues) => writes.update({ model, id, values, actor }),
  remove: (model: WritableModel, id: number) => writes.remove({ model, id, actor }),
  /** Makes one row and gives its id. */
  make: (model: WritableModel, values: EditValues) =>
    Effect.map(writes.create({ model, rows: [values], actor }), ([id]) => id ?? 0),
})

/** A person who writes main. */
export const main = Effect.map(writesOneByOne, editsOf)

/** A new branch of a person, and that person's edits inside it. */
export const personsBranch = (name: string) =>
  Effect.gen(function* () {
    const branches = yield* Branches
    const { id } = yield* newBranch(name, 'operator')
    const writes = oneByOne(branches.overlay({ id }).writes)
    return {
      id,
      writes,
      ...editsOf(writes),
      /** The branch's entries of a table, with some more of their columns. */
      entries: (table: string, columns: string) =>
        rows<Readonly<Record<string, unknown>>>(
          `select id, op, touched, base, ${columns} from branch_${table} where branch_id = ${id} order by id`,
        ),
    }
  })
