import { choiceFor, fieldsOfClass, registry } from '@netbox-pbs/core'

const observed = fieldsOfClass('job', 'observation')
// ['last_run_state', 'last_run_error', 'last_run_endtime', 'next_run', 'last_seen_at']

const { choices } = registry.snapshot.fields.backup_type
const label = choiceFor(choices, 'vm').label // 'Virtual machine'

export { label, observed }
