import { choiceFor, fieldsOfClass, registry } from '@netbox-pbs/core'

const observed = fieldsOfClass('datastore', 'observation')
// ['used_bytes', 'total_bytes', 'avail_bytes', 'gc_status', 'estimated_full_at', 'last_seen_at']

const { choices } = registry.snapshot.fields.backup_type
const label = choiceFor(choices, 'vm').label // 'Virtual machine'

export { label, observed }
