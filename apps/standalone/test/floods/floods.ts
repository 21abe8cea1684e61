const MB = 1_000_000

/** One kind of flood: the path, and the bytes sent. */
export interface Flood {
  readonly name: string
  /** Whether a path below `/api2/json` is flooded; the others are answered as ever. */
  readonly hits: (path: string) => boolean
  readonly head: string
  /** Repeated as fast as it is taken; once every 200 milliseconds where `drips`. */
  readonly text: string
  /** So many bytes of it; else without end. */
  readonly most?: number
  readonly tail?: string
  readonly drips?: true
}

const ends =
  (...endings: ReadonlyArray<string>) =>
  (path: string) =>
    endings.some((ending) => path.endsWith(ending))

const snapshots = ends('/snapshots')
const tasks = ends('/tasks')
const namespaces = ends('/namespace')
const list = '{"data":['
const time = Math.floor(Date.now() / 1000)
const snapshot = `{"backup-type":"vm","backup-id":"101","backup-time":1780000000,"files":[{"filename":"index.json.blob","size":5}]},`

/** Sixteen floods, and four that drip. */
export const floods: ReadonlyArray<Flood> = [
  { name: 'snapshots without end', hits: snapshots, head: list, text: snapshot },
  { name: 'groups without end', hits: ends('/groups'), head: list, text: '{"backup-type":"vm","backup-id":"1"},' },
  {
    name: 'tasks without end',
    hits: tasks,
    head: list,
    text: `{"upid":"UPID:p:000003F2:00001A2B:00000021:6A1A6ED0:verify:tank:root@pam:","starttime":${time},"worker_type":"verify"},`,
  },
  { name: '60 MB of brackets for namespaces', hits: namespaces, head: list, text: '[', most: 60 * MB },
  { name: '60 MB of empty objects for namespaces', hits: namespaces, head: list, text: '{},', most: 60 * MB },
  { name: '60 MB of one namespace', hits: namespaces, head: list, text: '{"ns":"n1"},', most: 60 * MB },
  { name: '60 MB of brackets for datastores', hits: ends('/admin/datastore'), head: list, text: '[', most: 60 * MB },
  { name: '60 MB of empty objects for jobs', hits: ends('/admin/verify'), head: list, text: '{},', most: 60 * MB },
  { name: '60 MB of numbers for jobs', hits: ends('/admin/prune'), head: list, text: '1,', most: 60 * MB },
  { name: '60 MB of brackets for permissions', hits: ends('/permissions'), head: '{"data":', text: '[', most: 60 * MB },
  { name: '60 MB of empty objects for a version', hits: ends('/version'), head: list, text: '{},', most: 60 * MB },
  { name: 'white space in snapshots', hits: snapshots, head: list, text: '  \n' },
  { name: 'white space in tasks', hits: tasks, head: list, text: '  \n' },
  { name: 'white space before a list', hits: ends('/datastore-usage'), head: '', text: '  \n' },
  { name: 'one snapshot without end', hits: snapshots, head: '{"data":[{"comment":"', text: 'x' },
  { name: 'the files of one snapshot without end', hits: snapshots, head: '{"data":[{"files":[', text: '{},' },
  { name: 'a drip of blanks in snapshots', hits: snapshots, head: list, text: ' ', drips: true },
  { name: 'a drip of blanks in tasks', hits: tasks, head: list, text: ' ', drips: true },
  { name: 'a drip of snapshots', hits: snapshots, head: list, text: snapshot, drips: true },
  { name: 'a drip of blanks in datastores', hits: ends('/admin/datastore'), head: list, text: ' ', drips: true },
]
