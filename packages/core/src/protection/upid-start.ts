/**
 * When the task of a UPID began, in seconds since 1970; null: the text is no UPID. Its fields are
 * `UPID:<node>:<pid>:<pstart>:<task_id>:<starttime>:…`, the numbers in hexadecimal.
 */
export function upidStart(upid: string): number | null {
  const [mark, , , , , start = ''] = upid.split(':')
  return mark === 'UPID' && /^[0-9A-Fa-f]{8,9}$/.test(start) ? Number.parseInt(start, 16) : null
}
