/** The subject of a task, as far as its worker id tells; blank: it does not. */
export interface TaskSubject {
  readonly datastore_name: string
  /** The root is blank too. PBS leaves the namespace out of the id of a `backup`. */
  readonly namespace: string
  readonly backup_type: string
  readonly backup_id: string
  readonly job_type: string
  /** Blank for a prune job: PBS names its store and namespace only. */
  readonly job_id: string
}

const nothing: TaskSubject = {
  datastore_name: '',
  namespace: '',
  backup_type: '',
  backup_id: '',
  job_type: '',
  job_id: '',
}

type Read = (id: string) => Partial<TaskSubject> | null

/**
 * The subject of a task, by its worker type and its unescaped worker id, in PBS's own form for each
 * worker type; an unknown type or form gives none. Names of stores, jobs and remotes contain no
 * colon, and only namespaces contain slashes.
 */
export function taskSubject(workerType: string, workerId: string | null): TaskSubject {
  const read = Object.hasOwn(forms, workerType) ? forms[workerType] : undefined
  return { ...nothing, ...(workerId === null || workerId === '' ? null : read?.(workerId)) }
}

const stored: Read = (id) => (/[:/]/.test(id) ? null : { datastore_name: id })

/** `store:type/id`; a restore adds the time. */
const guest =
  (parts: number): Read =>
  (id) => {
    const [store, path, ...more] = id.split(':')
    const [type, name] = path?.split('/') ?? []
    if (!store || !type || !name || more.length > 0 || path?.split('/').length !== parts) return null
    return { datastore_name: store, backup_type: type, backup_id: name }
  }

/** `store`, or `store:namespace`. */
const namespaced: Read = (id) => {
  const [store, path = '', ...more] = id.split(':')
  return store && more.length === 0 ? { datastore_name: store, namespace: namespaceOf(path.split('/')) } : null
}

/** `store:namespace/type/id`; a verified snapshot adds its time. */
const verified =
  (parts: number): Read =>
  (id) => {
    const [store, path = '', ...more] = id.split(':')
    const steps = path.split('/')
    const [type, name] = steps.slice(-parts)
    if (!store || !type || !name || more.length > 0) return null
    return {
      datastore_name: store,
      namespace: namespaceOf(steps.slice(0, -parts)),
      backup_type: type,
      backup_id: name,
    }
  }

/** `store:namespace`, or with a group `store:namespace:type/id`. */
const pruned: Read = (id) => {
  const [store, path = '', group, ...more] = id.split(':')
  if (!store || more.length > 0) return null
  const [type, name] = group?.split('/') ?? []
  const place = { datastore_name: store, namespace: namespaceOf(path.split('/')) }
  return type && name ? { ...place, backup_type: type, backup_id: name } : place
}

/** `remote:remote store:store:namespace:job`; before PBS 2.2 without the namespace. */
const synced: Read = (id) => {
  const parts = id.split(':')
  const [, , store] = parts
  const job = parts.at(-1)
  if (!store || !job || parts.length < 4 || parts.length > 5) return null
  const namespace = parts.length === 5 ? namespaceOf((parts[3] ?? '').split('/')) : ''
  return { datastore_name: store, namespace, job_type: 'sync', job_id: job }
}

const verifying: Read = (id) => {
  const [store, job, ...more] = id.split(':')
  return store && job && more.length === 0 ? { datastore_name: store, job_type: 'verify', job_id: job } : null
}

/** `store:pool:drive`, of a job with its id. */
const taped: Read = (id) => {
  const [store, pool, drive, job, ...more] = id.split(':')
  if (!store || !pool || !drive || more.length > 0) return null
  return job ? { datastore_name: store, job_type: 'tape', job_id: job } : { datastore_name: store }
}

const forms: Readonly<Record<string, Read>> = {
  backup: guest(2),
  reader: guest(3),
  garbage_collection: (id) => {
    const store = stored(id)
    return store === null ? null : { ...store, job_type: 'gc', job_id: id }
  },
  verificationjob: verifying,
  verify: namespaced,
  verify_group: verified(2),
  verify_snapshot: verified(3),
  prunejob: (id) => {
    const place = namespaced(id)
    return place === null ? null : { ...place, job_type: 'prune' }
  },
  prune: pruned,
  syncjob: synced,
  'tape-backup': taped,
  'tape-backup-job': taped,
  'create-datastore': stored,
  'delete-datastore': stored,
  'mount-device': stored,
  'unmount-device': stored,
  's3-refresh': stored,
}

/** A namespace as PBS writes it in worker ids, plain or with `ns/` before each step. */
function namespaceOf(steps: ReadonlyArray<string>): string {
  const path = steps.filter((step) => step !== '')
  const prefixed = path.length % 2 === 0 && path.every((step, index) => index % 2 === 1 || step === 'ns')
  return (prefixed ? path.filter((_, index) => index % 2 === 1) : path).join('/')
}
