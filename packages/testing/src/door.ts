import { once } from 'node:events'
import { createServer } from 'node:http'

/** A text that the test files of a run share, made at the first request. */
export interface Door {
  /** Where to ask. */
  readonly url: string
  /** Makes the next request make it again. */
  readonly discard: () => void
  readonly close: () => void
}

/** Opens a door on a free port of 127.0.0.1. The first request calls `make`; its failure is the answer to all. */
export async function openDoor(make: () => Promise<string>): Promise<Door> {
  let made: Promise<string> | undefined
  const door = createServer((_request, response) => {
    made ??= make()
    // A test process may be busy for longer than an idle connection is kept: it would ask through
    // one that has just been closed.
    response.setHeader('Connection', 'close')
    made.then(
      (text) => response.end(text),
      (cause) => response.writeHead(500).end(String(cause)),
    )
  }).listen(0, '127.0.0.1')
  await once(door, 'listening')
  const address = door.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    discard: () => {
      made = undefined
    },
    close: () => {
      door.close()
      door.closeAllConnections()
    },
  }
}

/** Asks at a door; the error names `what`. */
export async function askAt(url: string, what: string): Promise<string> {
  const response = await fetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(`no ${what} for the tests: ${text}`)
  return text
}
