import type { GroupState, Series, SnapshotFile, SnapshotState } from './pbs-state.ts'

const mix = (seed: number, index: number): number => {
  let value = (seed ^ Math.imul(index + 1, 0x9e3779b1)) | 0
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35)
  return (value ^ (value >>> 16)) >>> 0
}

/** When snapshot `index` of a series was taken. */
export const seriesTime = (series: Series, index: number): number =>
  series.base + index * series.step + (mix(series.seed, index) % Math.min(600, series.step))

/** The file names of a series' snapshots; the same for each of them except the client log. */
const seriesFiles = (backupType: string, series: Series, dice: number): SnapshotFile[] => {
  const payload = series.crypt === 'mixed' ? 'encrypt' : series.crypt
  const config = series.crypt === 'mixed' ? 'none' : series.crypt
  const files: SnapshotFile[] = []
  if (backupType === 'vm') {
    files.push({ filename: 'qemu-server.conf.blob', 'crypt-mode': config, size: 380 + (dice % 97) })
    for (const [number, size] of series.disks.entries())
      files.push({ filename: `drive-scsi${number}.img.fidx`, 'crypt-mode': payload, size })
  } else {
    if (backupType === 'ct') files.push({ filename: 'pct.conf.blob', 'crypt-mode': config, size: 240 + (dice % 61) })
    const size = (series.disks[0] ?? 1_000_000) + (dice % 1_000_000)
    files.push({ filename: 'root.pxar.didx', 'crypt-mode': payload, size })
    if (backupType === 'host')
      files.push({ filename: 'catalog.pcat1.didx', 'crypt-mode': payload, size: 40_000 + (dice % 9_973) })
  }
  const manifest = series.crypt === 'none' ? 'none' : 'sign-only'
  files.push({ filename: 'index.json.blob', 'crypt-mode': manifest, size: 480 + (dice % 120) })
  if (dice % 7 !== 0) files.push({ filename: 'client.log.blob' })
  return files
}

const seriesVerification = (series: Series, time: number, dice: number): SnapshotState['verification'] => {
  const run = series.verifyRuns?.find(({ startTime }) => startTime > time)
  return run === undefined ? null : { upid: run.upid, state: dice % 211 === 3 ? 'failed' : 'ok' }
}

const seriesSnapshot = (backupType: string, series: Series, index: number): SnapshotState => {
  const dice = mix(series.seed ^ 0x5bd1e995, index)
  const backupTime = seriesTime(series, index)
  return {
    backupTime,
    files: seriesFiles(backupType, series, dice),
    protected: dice % 127 === 5,
    notes: series.notes,
    verification: seriesVerification(series, backupTime, dice),
    fingerprint: series.fingerprint,
  }
}

const seriesCount = (group: GroupState): number => (group.series === null ? 0 : group.series.to - group.series.from)

/** How many snapshots a group has, unfinished ones included. */
export const countOf = (group: GroupState): number => seriesCount(group) + group.snapshots.length

/** Snapshot number `position` of a group: those of the series by age, then the explicit ones in their order. */
export const snapshotAt = (group: GroupState, position: number): SnapshotState | undefined => {
  const inSeries = seriesCount(group)
  if (group.series !== null && position < inSeries)
    return seriesSnapshot(group.backupType, group.series, group.series.from + position)
  return group.snapshots[position - inSeries]
}

/** All snapshots of a group as plain data, made one by one. */
export function* snapshotsOf(group: GroupState): Generator<SnapshotState> {
  for (let position = 0; position < countOf(group); position += 1) {
    const snapshot = snapshotAt(group, position)
    if (snapshot !== undefined) yield snapshot
  }
}

/** Turns a group's series into explicit snapshots, so that single ones can be changed. */
export const expandGroup = (group: GroupState): SnapshotState[] => {
  group.snapshots = [...snapshotsOf(group)]
  group.series = null
  return group.snapshots
}

/** Whether a snapshot is finished: its manifest is there. */
export const isFinished = (snapshot: SnapshotState): boolean =>
  snapshot.files.some(({ filename }) => filename === 'index.json.blob')

const newest = (snapshots: Iterable<SnapshotState>): SnapshotState | undefined => {
  let best: SnapshotState | undefined
  for (const snapshot of snapshots) if (best === undefined || snapshot.backupTime > best.backupTime) best = snapshot
  return best
}

/** The newest snapshot of a group that `accept` takes, without walking its series. */
export const newestOf = (
  group: GroupState,
  accept: (snapshot: SnapshotState) => boolean = () => true,
): SnapshotState | undefined => {
  const candidates = group.snapshots.filter(accept)
  const last = seriesCount(group) > 0 ? snapshotAt(group, seriesCount(group) - 1) : undefined
  return newest(last === undefined ? candidates : [...candidates, last])
}
