const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')

/** Escapes a worker id as systemd does: `/` becomes `-`, every other byte outside `[A-Za-z0-9_.]` becomes `\xNN`. */
export const escapeWorkerId = (workerId: string): string => {
  let escaped = ''
  for (const byte of Buffer.from(workerId, 'utf8')) {
    const character = String.fromCharCode(byte)
    if (character === '/') escaped += '-'
    else if (/[A-Za-z0-9_.]/.test(character) && !(character === '.' && escaped === '')) escaped += character
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return escaped
}

/** The parts of a UPID. `workerId` is given unescaped; `startTime` is in epoch seconds. */
export interface UpidParts {
  readonly node: string
  readonly taskId: number
  readonly startTime: number
  readonly workerType: string
  readonly workerId: string
  readonly authId: string
}

/** Process id and start of every worker of the simulated node. */
export const workerProcess = { pid: 0x3f2, pstart: 0x1a2b } as const

/** Writes a UPID: `UPID:<node>:<pid>:<pstart>:<task>:<start>:<type>:<id>:<auth>:`, hex in upper case. */
export const formatUpid = (parts: UpidParts): string =>
  [
    'UPID',
    parts.node,
    hex(workerProcess.pid, 8),
    hex(workerProcess.pstart, 8),
    hex(parts.taskId, 8),
    hex(parts.startTime, 8),
    parts.workerType,
    escapeWorkerId(parts.workerId),
    parts.authId,
    '',
  ].join(':')

/** The worker id behind its escaped form: `-` was `/`, `\\xNN` a byte. */
export const unescapeWorkerId = (escaped: string): string => {
  const bytes = escaped.replace(/-|\\x([0-9a-f]{2})/g, (_match, hexByte: string | undefined) =>
    hexByte === undefined ? '/' : String.fromCharCode(Number.parseInt(hexByte, 16)),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** The parts of a UPID. */
export const parseUpid = (upid: string): UpidParts => {
  const [, node = '', , , taskId = '0', startTime = '0', workerType = '', workerId = '', ...auth] = upid.split(':')
  return {
    node,
    taskId: Number.parseInt(taskId, 16),
    startTime: Number.parseInt(startTime, 16),
    workerType,
    workerId: unescapeWorkerId(workerId),
    authId: auth.slice(0, -1).join(':'),
  }
}

/** The start time a UPID carries, in epoch seconds. */
export const startTimeOf = (upid: string): number => Number.parseInt(upid.split(':')[5] ?? '0', 16)
