import { breachFields, type Breach as CoreBreach } from '@netbox-pbs/core'
import { z } from 'zod'
import { breachesPath, rowUrl } from '../rest/links.ts'
import { recordFilter } from '../rest/read-filter.ts'
import { reference, time } from './fields.ts'

/** A time in which the newest backup of a group was older than its objective. */
export const Breach = z.object({
  id: z.int(),
  url: z.url(),
  display: z.string(),
  group: reference.nullable().describe('Null: the group has gone.'),
  server: reference.extend({ name: z.string() }),
  datastore_name: z.string(),
  namespace: z.string(),
  backup_type: z.string(),
  backup_id: z.string(),
  objective: z.int().describe('How old the newest backup might be, in seconds.'),
  begin: time.describe('When the objective ended.'),
  end: time.nullable().describe('When the next backup was made, or the objective was no more. Null: it goes on.'),
})

/** The filters of the list of breaches. */
export const breachFilter = recordFilter(Breach, { fields: breachFields })

/** A breach as REST answers it. */
export const servedBreach = (base: string, breach: CoreBreach): z.infer<typeof Breach> => {
  const { id, group, server, datastore_name, namespace, backup_type, backup_id, objective, begin, end } = breach
  const name = `${backup_type}/${backup_id}`
  return {
    id,
    url: `${base}${breachesPath}${id}/`,
    display: `${name} from ${begin}`,
    group: group === null ? null : { id: group, url: rowUrl(base, 'group', group), display: name },
    server: { id: server.id, url: rowUrl(base, 'server', server.id), display: server.name, name: server.name },
    datastore_name,
    namespace,
    backup_type,
    backup_id,
    objective,
    begin,
    end,
  }
}
