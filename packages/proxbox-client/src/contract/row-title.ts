/**
 * The row that a frame, or a value that should be one, carries: `group vm/110 in tank/site-a of
 * pbs-a`. With the place of a fault inside a group, the snapshot too. Names are those of the
 * source, so the text is to be bounded where it is shown.
 */
export function rowTitle(frame: unknown, path: ReadonlyArray<PropertyKey> = []): string {
  const of = (key: string) => textAt(frame, key)
  const server = of('server') === '' ? '' : ` of ${of('server')}`
  switch (of('frame')) {
    case 'group': {
      const place = [of('datastore_name'), of('namespace')].filter((part) => part !== '').join('/')
      const time = path[0] === 'snapshots' ? textAt(snapshotAt(frame, path[1]), 'backup_time') : ''
      const snapshot = time === '' ? '' : ` at ${time}`
      return `${snapshot === '' ? 'group' : 'snapshot'} ${of('backup_type')}/${of('backup_id')}${snapshot} in ${place}${server}`
    }
    case 'job':
      return `${of('job_type')} job ${of('job_id')}${server}`
    case 'namespace':
      return `namespace ${of('path')} of ${of('datastore_name')}${server}`
    case 'datastore':
      return `datastore ${of('name')}${server}`
    case 'task':
      return `task ${of('upid')}${server}`
    case 'server':
      return `server ${of('name')}`
    default:
      return `${of('frame')} frame${server}`
  }
}

const textAt = (value: unknown, key: string): string => {
  const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof text === 'string' ? text : ''
}

const snapshotAt = (frame: unknown, index: PropertyKey | undefined): unknown => {
  const snapshots: unknown = typeof frame === 'object' && frame !== null ? Reflect.get(frame, 'snapshots') : undefined
  return Array.isArray(snapshots) && typeof index === 'number' ? snapshots[index] : undefined
}
