import { branchedModels, type ModelName } from '@netbox-pbs/core'
import { BranchValueTaken } from '@netbox-pbs/core/ports'
import { type Kysely, sql } from 'kysely'
import { fieldsRelation, sharedValue, type UniqueField } from '../custom-values/unique-values.ts'
import type { Tables } from '../database/tables.ts'
import { branchTable } from './branch-columns.ts'

/**
 * The error of a merge after which two rows of main have one value of a unique custom field, of those
 * that the branch gives; null: there is none. Hold the locks of the models' values.
 */
export async function valueTakenByMerge(
  db: Kysely<Tables>,
  branch: number,
  fields: ReadonlyArray<UniqueField>,
): Promise<BranchValueTaken | null> {
  for (const model of branchedModels) {
    const own = fields.filter((field) => field.model === model)
    const shared = own.length === 0 ? null : await sharedValue(db, model, own, givenValues(branch, model, own))
    if (shared !== null) return new BranchValueTaken({ id: branch, ...shared })
  }
  return null
}

const givenValues = (branch: number, model: ModelName, fields: ReadonlyArray<UniqueField>) => sql`
  select f.name, f.key, e.custom_fields -> f.key as value
  from ${branchTable(model)} e cross join ${fieldsRelation(fields)}
  where e.branch_id = ${branch}::bigint and e.op <> 'delete' and e.custom_fields <> '{}'`
