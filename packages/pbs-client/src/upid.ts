/** The name of a task: `UPID:<node>:<pid>:<pstart>:<task_id>:<starttime>:<worker_type>:<worker_id>:<auth_id>:`. */
export interface PbsUpid {
  readonly node: string
  readonly pid: number
  /** Ticks since the boot of the host. */
  readonly pstart: number
  /** An extra field compared with PVE. A bigint: it has up to 16 hex digits. */
  readonly taskId: bigint
  /** Epoch seconds. */
  readonly startTime: number
  readonly workerType: string
  /** Unescaped; null when empty. */
  readonly workerId: string | null
  /** `user@realm` or `user@realm!token`. */
  readonly authId: string
}

const pattern =
  /^UPID:([^:\s]+):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8,16}):([0-9A-Fa-f]{8,10}):([^:\s]+):([^:\s]*):([^:\s]+):$/

/** Reads a UPID; null when the text is not one. */
export const parseUpid = (text: string): PbsUpid | null => {
  const match = pattern.exec(text)
  if (match === null) return null
  const [, node = '', pid = '', pstart = '', taskId = '', startTime = '', workerType = '', workerId = '', authId = ''] =
    match
  return {
    node,
    pid: Number.parseInt(pid, 16),
    pstart: Number.parseInt(pstart, 16),
    taskId: BigInt(`0x${taskId}`),
    startTime: Number.parseInt(startTime, 16),
    workerType,
    workerId: workerId === '' ? null : unescapeWorkerId(workerId),
    authId,
  }
}

/** Writes a UPID as PBS does: upper case hex, the worker id escaped. */
export const formatUpid = (upid: PbsUpid): string => {
  const hex = (value: number | bigint) => value.toString(16).toUpperCase().padStart(8, '0')
  const workerId = upid.workerId === null ? '' : escapeWorkerId(upid.workerId)
  return `UPID:${upid.node}:${hex(upid.pid)}:${hex(upid.pstart)}:${hex(upid.taskId)}:${hex(upid.startTime)}:${upid.workerType}:${workerId}:${upid.authId}:`
}

/** Undoes systemd's escaping: `-` is a slash, `\xNN` a byte. Only for the raw UPID: list fields come unescaped. */
export const unescapeWorkerId = (escaped: string): string => {
  const bytes: Array<number> = []
  const source = Buffer.from(escaped, 'utf8').toString('latin1')
  for (const [token, hex] of source.matchAll(/\\x([0-9A-Fa-f]{2})|[\s\S]/g)) {
    bytes.push(hex === undefined ? (token === '-' ? 0x2f : token.charCodeAt(0)) : Number.parseInt(hex, 16))
  }
  return Buffer.from(bytes).toString('utf8')
}

/** systemd's escaping: a slash becomes `-`, every other byte outside `[A-Za-z0-9_.]` and a leading dot `\xNN`. */
export const escapeWorkerId = (workerId: string): string =>
  [...Buffer.from(workerId, 'utf8').toString('latin1')]
    .map((char, index) => {
      if (char === '/') return '-'
      const plain = /[A-Za-z0-9_.]/.test(char) && !(char === '.' && index === 0)
      return plain ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
    })
    .join('')
